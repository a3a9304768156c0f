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

constexpr milliseconds kPatience{20'000};  // of a test
constexpr milliseconds kMoment{50};

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

  bool comes(milliseconds patience = kPatience) const {
    const auto until = Clock::now() + patience;
    while (!done && Clock::now() < until)
      std::this_thread::yield();
    return done;
  }
};

constexpr milliseconds kRest{20};
constexpr milliseconds kLongest{300};
constexpr milliseconds kPeriod{3'600'000};

// An environment whose database is open and of which a page has just been read. Its time goes on
// only when a test says so.
struct Reading {
  Reading()
      : env(&base, {kRest, kLongest, kPeriod, 6, 7},
            [this] { return PatientEnv::Clock::time_point(milliseconds(time.load())); }) {
    env.begin([this] { return tables.load(); });
    env.note_read();
  }
  ~Reading() {
    env.end();
    base.finish();
  }

  void pass(milliseconds passed) { time += passed.count(); }

  // Pages are read all the time, for far less than a period.
  void read_until_work_comes() {
    for (int i = 0; i < 200 && !work.comes(kMoment); ++i) {
      pass(kLongest);
      env.note_read();
    }
  }

  // Work that waits is still waiting a moment later.
  bool waits() {
    work.done = false;
    env.Schedule(&Work::run, &work);
    return !work.comes(kMoment);
  }

  // Writing a block of a table is still waiting a moment later.
  bool pauses() {
    table = make("000009.ldb");
    base.Schedule(
        [](void* self) {
          auto* const reading = static_cast<Reading*>(self);
          CHECK(reading->table->Append("block").ok());
          reading->work.done = true;
        },
        this);
    return !work.comes(kMoment);
  }

  std::unique_ptr<leveldb::WritableFile> make(const std::string& name) {
    leveldb::WritableFile* file = nullptr;
    REQUIRE(env.NewWritableFile(folder.file(name), &file).ok());
    return std::unique_ptr<leveldb::WritableFile>(file);
  }

  support::TestFolder folder;
  std::atomic<milliseconds::rep> time{100'000};
  std::atomic<int> tables{4};
  Work work;
  ThreadEnv base;
  PatientEnv env;
  std::unique_ptr<leveldb::WritableFile> table;
};

TEST_CASE("tables are not merged while pages are read, and are when nobody has read for a while") {
  Reading reading;
  CHECK(reading.waits());
  reading.pass(kRest);
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
  Reading reading;
  REQUIRE(reading.waits());
  reading.tables = 6;
  CHECK(reading.work.comes());
}

TEST_CASE("merging that has begun pauses at a block of its table while pages are read") {
  Reading reading;
  CHECK(reading.pauses());
  reading.pass(kRest);
  CHECK(reading.work.comes());
}

TEST_CASE("merging that has begun goes on for a full memory table, or when tables become many") {
  Reading reading;
  reading.make("000003.log");
  REQUIRE(reading.pauses());
  reading.make("000007.log");
  CHECK(reading.work.comes());

  Reading crowded;
  crowded.tables = 6;
  REQUIRE(crowded.pauses());
  crowded.tables = 7;
  CHECK(crowded.work.comes());
}

TEST_CASE("all work together waits no longer than the longest of a period, and again in the next") {
  Reading reading;
  REQUIRE(reading.waits());
  reading.read_until_work_comes();
  REQUIRE(reading.work.done);
  for (int i = 0; i < 3; ++i) {
    reading.work.done = false;
    reading.env.Schedule(&Work::run, &reading.work);
    CHECK(reading.work.comes());
  }
  reading.pass(kPeriod);
  reading.env.note_read();
  CHECK(reading.waits());
}

TEST_CASE("nothing waits while somebody is in a hurry, and again when nobody is") {
  Reading reading;
  REQUIRE(reading.waits());
  reading.env.hurry();
  reading.env.hurry();
  reading.env.calm();
  REQUIRE(reading.work.comes());
  reading.env.calm();
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
