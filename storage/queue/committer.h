#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/options.h"
#include "storage/queue/pending.h"
#include "storage/queue/queue_store.h"
#include "storage/queue/reader.h"
#include "storage/queue/sweeper.h"

namespace stompbox::queue {

// The journal over a store: its thread takes all that is pending, writes it as one batch, syncs
// once, reports once. It never waits for more when somebody waits for it. With it go the reader and
// the sweeper: what they find to be taken out rides along with a batch.
//
//   kRunning ──no room──▶ kFull ──room──▶ kRunning      appends are held, erases go on
//      │                    │
//      └──write: kFull──▶ kStuck ──written──▶ kRunning  the store keeps a batch; nothing else is
//      written └──any other error, from everywhere──▶ kEnded    one report with `fatal`, then
//      silence
//
// While appends are held, `through` of the reports stays in front of the first of them, and
// `removals_through` goes on. A group always counts as kNow and is always
// synced.
class Committer final : public Journal {
 public:
  struct Callbacks {
    std::function<void(CommitReport)> on_commit;  // on the committer's thread
    std::function<void(LoadedPage)> on_page;      // on the reader's thread
  };

  // `store` outlives this. The threads run from here on.
  Committer(QueueStore& store, const JournalOptions& options, Callbacks callbacks);
  ~Committer() override;
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Writes all that is pending, below the floor of free space too, and joins the threads. No
  // callback after it; nothing may be submitted after it. What pending_bytes() says then is lost:
  // the disk refused it.
  void stop();

  [[nodiscard]] Ticket submit(Op op) override;
  [[nodiscard]] Ticket submit_together(std::vector<Op> ops) override;
  [[nodiscard]] bool withdraw(Ticket append) override;
  void load(const LoadRequest& request) override { reader_.request(request); }
  [[nodiscard]] std::uint64_t pending_bytes() const override {
    return pending_bytes_.load() + staged_bytes_;
  }
  void hold() override { ++holds_; }
  void release() override;

 private:
  using Clock = Pending::Clock;
  using TimePoint = Pending::TimePoint;
  using Lock = std::unique_lock<std::mutex>;
  enum class State : std::uint8_t { kRunning, kFull, kStuck, kEnded };

  void run();
  [[nodiscard]] TimePoint next_wake() const;
  void sleep(Lock& lock, TimePoint until);
  void step(Lock& lock);
  [[nodiscard]] Room look_for_room(Lock& lock);
  void write_taken(Lock& lock);
  void write_stuck(Lock& lock);
  void finish_write(Lock& lock, const storage::Status& written);
  void report(Lock& lock);
  void take_along(std::vector<Discard> discards, Urgency urgency);
  void advance();
  template <typename Add>
  void add_pending(const Add& add);
  [[nodiscard]] bool joins_staged(const Op& op);
  void hand_over();
  void note_bytes() { pending_bytes_ = pending_.append_bytes() + taken_bytes_; }

  QueueStore& store_;
  const JournalOptions options_;
  const Callbacks callbacks_;

  // Loop thread only.
  int holds_ = 0;
  std::vector<Op> staged_;  // submitted while held, and not yet pending
  std::uint64_t staged_bytes_ = 0;
  Ticket last_ticket_;

  // Committer's thread only.
  Pending::Taken taken_;  // what is being written
  TimePoint retry_at_ = TimePoint::min();
  Ticket through_;           // all up to here is written or cancelled
  Ticket removals_through_;  // all that appends nothing, up to here
  std::optional<storage::Error> fatal_;
  std::optional<CommitReport> reported_;  // the last one, without its bytes
  bool flushed_ = false;                  // stopping, and nothing is left that can be written

  std::mutex mutex_;  // guards what follows; never held over I/O
  std::condition_variable wake_;
  std::atomic<std::uint64_t> pending_bytes_{0};  // as note_bytes() found them under the lock
  Pending pending_;
  std::uint64_t taken_bytes_ = 0;              // appends that are taken and not yet reported
  State state_ = State::kRunning;              // changed by the committer's thread
  TimePoint sleeps_until_ = TimePoint::min();  // min: awake
  bool stopping_ = false;

  Reader reader_;
  Sweeper sweeper_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace stompbox::queue
