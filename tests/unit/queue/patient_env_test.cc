#include "storage/queue/leveldb_patient_env.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/test_folder.h"

namespace stompbox::queue::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPatience{10'000};  // of a test

// Runs what is scheduled on threads of its own, as LevelDB's does on one.
class ThreadEnv final : public leveldb::EnvWrapper {
 public:
  ThreadEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}
  void Schedule(void (*work)(void*), void* argument) override {
    threads_.emplace_back([work, argument] { work(argument); });
  }
  void finish() { threads_.clear(); }

 private:
  std::vector<std::jthread> threads_;
};

struct Work {
  std::atomic<bool> done{false};
  static void run(void* work) { static_cast<Work*>(work)->done = true; }

  bool comes() const {
    const auto until = Clock::now() + kPatience;
    while (!done && Clock::now() < until)
      std::this_thread::yield();
    return done;
  }
};

// An environment whose database is open and is read all the time, until the test says otherwise.
struct Reading {
  explicit Reading(PatientEnv::Limits limits = {milliseconds(500), kPatience * 2, kPatience * 4, 6})
      : env(&base, limits) {
    env.begin([this] { return tables.load(); });
    env.note_read();
    reader = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        env.note_read();
        std::this_thread::yield();
      }
    });
  }
  ~Reading() {
    rest();
    env.end();
    base.finish();
  }

  void rest() {
    reader.request_stop();
    if (reader.joinable()) reader.join();
  }

  // Work that waits is still waiting a moment later.
  bool waits() {
    env.Schedule(&Work::run, &work);
    const auto until = Clock::now() + milliseconds(50);
    while (Clock::now() < until && !work.done)
      std::this_thread::yield();
    return !work.done;
  }

  std::unique_ptr<leveldb::WritableFile> make(const std::string& name) {
    leveldb::WritableFile* file = nullptr;
    REQUIRE(env.NewWritableFile(folder.file(name), &file).ok());
    return std::unique_ptr<leveldb::WritableFile>(file);
  }

  support::TestFolder folder;
  std::atomic<int> tables{4};
  Work work;
  ThreadEnv base;
  PatientEnv env;
  std::jthread reader;
};

TEST_CASE("tables are not merged while pages are read, and are when nobody has read for a while") {
  Reading reading;
  CHECK(reading.waits());
  reading.rest();
  CHECK(reading.work.comes());
}

TEST_CASE("background work goes at once when no page was read") {
  ThreadEnv base;
  PatientEnv env(&base);
  env.begin([] { return 4; });
  Work work;
  env.Schedule(&Work::run, &work);
  CHECK(work.comes());
  base.finish();
}

TEST_CASE("a full memory table goes to the disk although pages are read") {
  Reading reading;
  reading.make("000003.log");
  REQUIRE(reading.waits());
  reading.make("000007.log");
  CHECK(reading.work.comes());
}

TEST_CASE("a log that is gone makes no hurry") {
  Reading reading;
  reading.make("000003.log");
  REQUIRE(reading.env.RemoveFile(reading.folder.file("000003.log")).ok());
  reading.make("000007.log");
  reading.make("000008.ldb");
  CHECK(reading.waits());
}

TEST_CASE("a log of an earlier start that goes counts for nothing") {
  Reading reading;
  leveldb::WritableFile* file = nullptr;
  REQUIRE(reading.base.NewWritableFile(reading.folder.file("000002.log"), &file).ok());
  delete file;
  reading.make("000003.log");
  REQUIRE(reading.env.RemoveFile(reading.folder.file("000002.log")).ok());
  REQUIRE(reading.waits());
  reading.make("000007.log");
  CHECK(reading.work.comes());
}

TEST_CASE("many tables are merged although pages are read") {
  Reading reading;
  reading.tables = 6;
  reading.env.Schedule(&Work::run, &reading.work);
  CHECK(reading.work.comes());
}

TEST_CASE("tables that become many are merged although pages are read") {
  Reading reading({milliseconds(20), kPatience * 2, kPatience * 4, 6});
  REQUIRE(reading.waits());
  reading.tables = 6;
  CHECK(reading.work.comes());
}

TEST_CASE("all work together waits no longer than the longest of a period") {
  Reading reading({milliseconds(20), milliseconds(300), kPatience * 4, 6});
  const auto begin = Clock::now();
  for (int i = 0; i < 20; ++i) {
    reading.work.done = false;
    reading.env.Schedule(&Work::run, &reading.work);
    REQUIRE(reading.work.comes());
  }
  CHECK(Clock::now() - begin < milliseconds(3000));
}

TEST_CASE("in the next period it may wait again") {
  Reading reading({milliseconds(20), milliseconds(100), milliseconds(300), 6});
  reading.env.Schedule(&Work::run, &reading.work);
  REQUIRE(reading.work.comes());
  const auto until = Clock::now() + kPatience;
  bool waited = false;
  while (!waited && Clock::now() < until) {
    reading.work.done = false;
    waited = reading.waits();
  }
  CHECK(waited);
}

TEST_CASE("nothing waits while somebody is in a hurry, and again when nobody is") {
  Reading reading;
  REQUIRE(reading.waits());
  reading.env.hurry();
  reading.env.hurry();
  reading.env.calm();
  REQUIRE(reading.work.comes());
  reading.env.calm();
  reading.work.done = false;
  CHECK(reading.waits());
}

TEST_CASE("nothing waits when the database is to be closed") {
  Reading reading;
  REQUIRE(reading.waits());
  reading.env.end();
  CHECK(reading.work.comes());
}

}  // namespace
}  // namespace stompbox::queue::test
