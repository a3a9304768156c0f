#include "broker/verbs/bench.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "broker/verbs/bench_load.h"
#include "broker/verbs/bench_words.h"
#include "broker/verbs/latencies.h"

namespace stompbox::verbs {
namespace {

using std::chrono::nanoseconds;

TEST_CASE("a quantile is right to 1.6 percent, whatever the size of the durations") {
  std::mt19937_64 chance(1);
  Latencies latencies;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    const auto duration = static_cast<std::int64_t>(chance() >> (1 + chance() % 60));
    all.push_back(duration);
    latencies.add(nanoseconds(duration));
  }
  std::sort(all.begin(), all.end());
  REQUIRE(latencies.count() == all.size());
  for (const double share : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(share);
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000)) - 1;
    const std::int64_t exact = all[rank];
    const std::int64_t found = latencies.quantile(share).count();
    CHECK(found >= exact);
    CHECK(found - exact <= exact / 64);
  }
  CHECK(latencies.longest().count() == all.back());
}

TEST_CASE("no duration is too short or too long for a class") {
  Latencies latencies;
  CHECK(latencies.quantile(0.5) == nanoseconds(0));
  latencies.add(nanoseconds(-5));
  CHECK(latencies.quantile(0.5) == nanoseconds(0));
  latencies.add(nanoseconds::max());
  CHECK(latencies.quantile(1) == nanoseconds::max());
  CHECK(latencies.longest() == nanoseconds::max());
}

TEST_CASE("two measurements together are as if they had been one") {
  Latencies one, other, both;
  for (int i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? one : other).add(nanoseconds(i * i));
    both.add(nanoseconds(i * i));
  }
  one.add(other);
  CHECK(one.bytes() == both.bytes());
}

TEST_CASE("what a process tells arrives as it was told, however the bytes are cut") {
  Latencies latencies;
  latencies.add(nanoseconds(77));
  const BenchClock::time_point moment(nanoseconds(123'456'789));
  const storage::Error error{storage::ErrorCode::kDenied, "no, says the broker"};
  std::string bytes;
  for (const BenchWord& word :
       std::vector<BenchWord>{IsReady{}, HasDone{5, moment}, latencies, error})
    bytes += to_bytes(word);
  BenchWords words;
  std::vector<BenchWord> heard;
  for (const char byte : bytes) {
    words.feed({&byte, 1});
    while (auto word = words.next())
      heard.push_back(*word);
  }
  REQUIRE(heard.size() == 4);
  CHECK(std::holds_alternative<IsReady>(heard[0]));
  CHECK(std::get<HasDone>(heard[1]).messages == 5);
  CHECK(std::get<HasDone>(heard[1]).last == moment);
  CHECK(std::get<Latencies>(heard[2]).bytes() == latencies.bytes());
  CHECK(std::get<storage::Error>(heard[3]) == error);
}

TEST_CASE("the parts of all producers are all messages, and their beats are evenly apart") {
  std::uint64_t messages = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const BenchShare share = bench_share(100, 1000, 3, i);
    messages += share.messages;
    CHECK(share.every == std::chrono::milliseconds(3));
    CHECK(share.first == std::chrono::milliseconds(i));
  }
  CHECK(messages == 100);
  CHECK(bench_share(10, 0, 3, 2).every.count() == 0);
}

TEST_CASE("the figures are shown a second, with the latency in the unit that fits") {
  BenchOptions options;
  options.login.broker = "tcp://here:1";
  options.messages = 1000;
  BenchFigures figures;
  figures.server = "some/1";
  figures.destination = "/queue/x";
  figures.sending = std::chrono::milliseconds(100);
  figures.receiving = std::chrono::milliseconds(500);
  figures.received = 1000;
  figures.latencies.add(std::chrono::microseconds(250));
  figures.latencies.add(std::chrono::milliseconds(1500));
  const std::string text = show_bench(figures, options);
  CHECK(text.find("tcp://here:1, some/1") != std::string::npos);
  CHECK(text.find("10000 a second") != std::string::npos);
  CHECK(text.find("2000 a second") != std::string::npos);
  CHECK(text.find("longest 1.50 s") != std::string::npos);
  options.output = Output::kJson;
  const std::string json = show_bench(figures, options);
  CHECK(json.find(R"("received_per_second":2000)") != std::string::npos);
  CHECK(json.find(R"("max":1500000)") != std::string::npos);
}

}  // namespace
}  // namespace stompbox::verbs
