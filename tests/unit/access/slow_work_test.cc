#include "broker/access/slow_work.h"

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

TEST_CASE("jobs run in order on one thread that is not ours") {
  SlowWork work(100);
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  std::promise<void> last;
  for (int i = 0; i < 10; ++i) {
    const auto job = [i, &order, &threads, &last] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
      if (i == 9) last.set_value();
    };
    REQUIRE(work.submit(job) == SlowWork::Taken::kYes);
  }
  last.get_future().wait();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  for (const auto& thread : threads) {
    CHECK(thread == threads.front());
    CHECK(thread != std::this_thread::get_id());
  }
}

TEST_CASE("a job beyond the bound is not taken") {
  SlowWork work(2);
  std::promise<void> begun;
  std::promise<void> go_on;
  const auto gate = go_on.get_future().share();
  std::atomic<int> done = 0;
  REQUIRE(work.submit([&begun, gate] {
    begun.set_value();
    gate.wait();
  }) == SlowWork::Taken::kYes);
  begun.get_future().wait();
  CHECK(work.submit([&done] { ++done; }) == SlowWork::Taken::kYes);
  CHECK(work.submit([&done] { ++done; }) == SlowWork::Taken::kYes);
  CHECK(work.submit([&done] { ++done; }) == SlowWork::Taken::kFull);
  go_on.set_value();
}

TEST_CASE("the end waits for the job under way and drops the others") {
  std::promise<void> begun;
  std::promise<void> go_on;
  const auto gate = go_on.get_future().share();
  std::atomic<bool> first = false;
  auto dropped = std::make_shared<int>(0);
  auto work = std::make_unique<SlowWork>(10);
  REQUIRE(work->submit([&begun, gate, &first] {
    begun.set_value();
    gate.wait();
    first = true;
  }) == SlowWork::Taken::kYes);
  begun.get_future().wait();
  REQUIRE(work->submit([dropped] { ++*dropped; }) == SlowWork::Taken::kYes);
  const std::weak_ptr<int> held = dropped;
  std::thread ending([&work] { work.reset(); });
  dropped.reset();
  while (!held.expired())
    std::this_thread::yield();  // the waiting job has been dropped unrun
  go_on.set_value();
  ending.join();
  CHECK(first);
}

}  // namespace
}  // namespace stompbox::access
