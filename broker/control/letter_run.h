#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/routing/router.h"
#include "storage/result.h"

namespace stompbox::control {

enum class LetterAction : std::uint8_t { kReplay, kDrop };

struct LetterOutcome {
  std::uint64_t done = 0;  // replayed or dropped, on stable storage
  std::uint64_t looked_at = 0;
  struct Failure {
    std::string id;
    std::string reason;
  };
  std::vector<Failure> failures;       // these stay where they are
  std::vector<std::string> not_found;  // asked for by id, and not among those looked at
};

// One replay or drop: a consumer of the dead-letter queues, one after the other, that takes what
// was asked for and gives the rest back unseen. Looks at what waits when it starts, at most 100,000
// letters or 64 MiB of each queue: a letter that is replayed and dies again is not met a second
// time. Loop thread only.
class LetterRun final : public routing::Consumer {
 public:
  using Ids = std::set<queue::MessageId>;

  // `ids`: nothing means all. `wake` as for Desk.
  LetterRun(routing::Router& router, LetterAction action, std::optional<Ids> ids,
            std::function<void()> wake, std::int64_t deadline_ms);
  ~LetterRun() override;
  LetterRun(const LetterRun&) = delete;
  LetterRun& operator=(const LetterRun&) = delete;

  void start(const std::vector<std::string>& queues);
  void on_wake(std::int64_t wall_ms);
  // From time to time: letters that other consumers have taken meanwhile are not waited for.
  // Past the deadline nothing more is taken, and what is not on stable storage counts as failed.
  void on_tick(std::int64_t wall_ms);
  [[nodiscard]] bool finished() const;
  [[nodiscard]] LetterOutcome outcome() const;

  void deliver(const routing::Delivery& delivery) override;
  void receipt_due(routing::ReceiptNumber receipt) override;
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override;
  void too_slow(std::uint32_t tag) override;
  void room_again() override;

 private:
  enum class Taken : std::uint8_t { kYes, kLater };
  [[nodiscard]] Taken take(const routing::Delivery& letter, std::int64_t wall_ms);
  [[nodiscard]] storage::Status act(const routing::Delivery& letter, std::int64_t wall_ms);
  void keep(const routing::Delivery& letter);
  void wake();
  [[nodiscard]] bool seen_enough() const;
  void stop_taking();
  [[nodiscard]] bool found_all() const { return ids_ && found_.size() == ids_->size(); }
  // What waited in a queue when the run began.
  struct Part {
    std::string queue;
    std::uint64_t expected = 0;
  };
  void begin_next();
  [[nodiscard]] bool others_took_the_rest() const;

  routing::Router& router_;
  const LetterAction action_;
  const std::optional<Ids> ids_;
  const std::function<void()> wake_;
  const std::int64_t deadline_ms_;
  const routing::PeerId peer_;

  std::optional<routing::SubscriptionId> subscription_;
  bool wake_asked_ = false;
  bool taking_ = false;
  bool given_up_ = false;                   // on receipts that do not come
  std::deque<Part> parts_;                  // to come
  Part part_;                               // the present one
  std::uint64_t looked_at_here_ = 0;        // of what is expected there
  std::vector<routing::Delivery> arrived_;  // not looked at yet
  std::vector<routing::Delivery> kept_;     // looked at, not asked for
  std::size_t kept_bytes_ = 0;
  Ids found_;
  std::uint64_t asked_ = 0;  // receipts
  std::uint64_t due_ = 0;
  LetterOutcome outcome_;
};

// The message as it was before it died: with its priority, its group and a date of expiry that has
// not passed, and without the headers that its death added. One whose date has passed was wanted
// back all the same and gets none, or it would die at once. kInvalid if it names no destination to
// go back to.
[[nodiscard]] storage::Result<routing::Draft> revive(const queue::Message& letter,
                                                     std::int64_t now_ms);

}  // namespace stompbox::control
