#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "broker/verbs/bench_words.h"
#include "broker/verbs/latencies.h"
#include "storage/result.h"

// The processes of a `bench`: each client is one, so that none waits for another, and each blocks
// where it likes.
namespace stompbox::verbs {

// A file descriptor, closed at the end.
class OpenFile {
 public:
  explicit OpenFile(int file = -1) : file_(file) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();
  [[nodiscard]] int number() const { return file_; }
  void close();

 private:
  int file_ = -1;
};

// What a member of the crew has of it. All calls block no longer than they say.
class BenchDesk {
 public:
  BenchDesk(const OpenFile& words, const OpenFile& go, const OpenFile& stop)
      : words_(words), go_(go), stop_(stop) {}

  // To the one who asked for the bench. Nobody there: the process ends.
  void tell(const BenchWord& word) const;
  // False: it is over before it has begun.
  [[nodiscard]] bool wait_for_go() const;
  // Whether it is over; waits for that as long as said.
  [[nodiscard]] bool is_over(std::chrono::nanoseconds wait = std::chrono::nanoseconds(0)) const;

 private:
  const OpenFile& words_;
  const OpenFile& go_;    // readable: begin
  const OpenFile& stop_;  // readable: end
};

enum class BenchRole : std::uint8_t { kConsumer, kProducer };

// Starts processes and hears what they tell. SIGINT and SIGTERM do not end this process while one
// of these lives; see interrupted(). At the end all members are over.
class BenchCrew {
 public:
  using Work = std::function<storage::Status(const BenchDesk&)>;

  [[nodiscard]] static storage::Result<BenchCrew> make();
  BenchCrew(BenchCrew&& other) noexcept;
  BenchCrew& operator=(BenchCrew&& other) = delete;
  ~BenchCrew();

  // Calls `work` in a process of its own, which ends after it.
  [[nodiscard]] storage::Status hire(BenchRole role, const Work& work);
  void go() { go_write_.close(); }
  void stop() { stop_write_.close(); }
  // Hears what is told until something was, or that time is up.
  void listen(std::chrono::milliseconds wait);

  [[nodiscard]] std::size_t ready(BenchRole role) const;
  [[nodiscard]] std::size_t working() const;  // that have not ended
  [[nodiscard]] HasDone done(BenchRole role) const;
  [[nodiscard]] const Latencies& latencies() const { return *latencies_; }
  // The first that a member failed of.
  [[nodiscard]] const std::optional<storage::Error>& failure() const { return failure_; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  struct Member {
    BenchRole role = BenchRole::kConsumer;
    pid_t process = 0;
    OpenFile words;  // closed when it has ended
    BenchWords heard;
    bool is_ready = false;
    HasDone done;
  };
  struct Signals;

  BenchCrew();
  [[noreturn]] void be_member(const OpenFile& words, const Work& work);
  void hear(Member& member);
  void take(Member& member, BenchWord word);
  void bury(Member& member);

  // Ends that are read in the members and closed here to tell them.
  OpenFile go_read_, go_write_, stop_read_, stop_write_;
  std::unique_ptr<Signals> signals_;
  std::vector<Member> members_;
  std::unique_ptr<Latencies> latencies_;
  std::optional<storage::Error> failure_;
  bool interrupted_ = false;
};

}  // namespace stompbox::verbs
