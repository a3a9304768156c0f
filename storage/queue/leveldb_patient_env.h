#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace stompbox::queue {

// Keeps LevelDB for a moment from merging tables beside a drain: what a drain has just read is
// erased soon, and merging it first takes a core from those who read. So background work waits
// while pages are read, and merging that has begun pauses between two blocks of a table; a little
// in all: what is put off has to be done, and LevelDB slows writers down when too much has piled
// up. A full memory table goes to the disk at once. LevelDB has one thread for all databases of a
// process: another one's work would wait, too. Any thread.
class PatientEnv final : public leveldb::EnvWrapper {
 public:
  struct Limits {
    std::chrono::milliseconds rest{20};        // without a read, and it goes on
    std::chrono::milliseconds longest{2000};   // that it waits in all ...
    std::chrono::milliseconds period{20'000};  // ... of so much time
    // Not yet merged; LevelDB merges from 4 on, and slows writers at 8.
    int tables_max = 5;
    int tables_max_within = 6;  // those included that are being merged
  };

  using Clock = std::chrono::steady_clock;

  // `base` outlives this. `now` is asked on any thread.
  explicit PatientEnv(leveldb::Env* base) : PatientEnv(base, Limits(), Clock::now) {}
  PatientEnv(leveldb::Env* base, Limits limits, std::function<Clock::time_point()> now);

  // The database is open, and `tables` says how many of its tables wait to be merged.
  void begin(std::function<int()> tables);
  // Nothing waits any more: due before the database is closed.
  void end();
  // Somebody waits for the work, or room is wanted: nothing waits until each has called calm().
  void hurry();
  void calm();
  // A page is being read.
  void note_read() { last_read_.store(now_().time_since_epoch().count()); }

  void Schedule(void (*work)(void*), void* argument) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status RemoveFile(const std::string& name) override;

 private:
  class TableFile;

  void wait_for_rest(int tables_max);
  [[nodiscard]] bool may_wait();

  const Limits limits_;
  const std::function<Clock::time_point()> now_;
  std::atomic<Clock::rep> last_read_{0};

  // LevelDB may hold its own mutex where it takes this one, so nothing of LevelDB is called under
  // it.
  std::mutex mutex_;
  std::condition_variable moved_;
  std::function<int()> tables_;  // set while the database is open
  std::set<std::string> logs_;   // made and there; two: a memory table is on its way to the disk
  int hurries_ = 0;
  Clock::time_point period_begin_;
  Clock::duration waited_{};  // since then
};

}  // namespace stompbox::queue
