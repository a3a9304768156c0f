#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/queue/message.h"
#include "storage/result.h"

// The one door between routing and the disk.
namespace stompbox::queue {

struct QueueId {
  std::uint32_t value = 0;
  friend auto operator<=>(const QueueId&, const QueueId&) = default;
};

// Arrival number within a queue, from 1. Gaps are normal.
struct Seq {
  std::uint64_t value = 0;
  friend auto operator<=>(const Seq&, const Seq&) = default;
};

// 0 is delivered first. STOMP's priority 4, the default, is class 5.
struct PriorityClass {
  std::uint8_t value = 5;
  friend auto operator<=>(const PriorityClass&, const PriorityClass&) = default;
};
inline constexpr std::size_t kPriorityClassCount = 10;

// Where a message stands in its queue: places sort in delivery order.
struct Place {
  PriorityClass priority;
  Seq seq;
  friend auto operator<=>(const Place&, const Place&) = default;
};

inline constexpr Place kBehindAll{PriorityClass{255}, Seq{0}};

// Names one submission, or several erases that are carried out as one. Tickets never shrink; a
// commit report covers all up to one. 0 names nothing.
struct Ticket {
  std::uint64_t value = 0;
  friend auto operator<=>(const Ticket&, const Ticket&) = default;
};

enum class Urgency : std::uint8_t {
  kNow,     // somebody waits for it, or nobody else holds it
  kLinger,  // may wait up to JournalOptions::linger, so that a withdraw can cancel it
  kRide,    // costs no sync of its own: goes along with the next batch, or after a while unsynced
};

// Writes a message at the end of a queue. Places of one class must be submitted in growing order.
struct Append {
  QueueId queue;
  Place place;
  MessagePtr message;
  Urgency urgency = Urgency::kNow;
};

// Takes a committed (or just being committed) message out for good; or a run of them, of one class
// and one size, with nothing between their numbers.
struct Erase {
  QueueId queue;
  Place place;              // of the first
  MessageId message;        // the first
  std::uint64_t bytes = 0;  // Message::bytes() of each
  Persistence persistence = Persistence::kDurable;
  Urgency urgency = Urgency::kRide;
  std::uint32_t count = 1;
};

// A message came back: its delivery count is kept for the next start. Submitted alone it rides; who
// waits for it submits it as a group of one.
struct Return {
  QueueId queue;
  Place place;
  std::uint32_t deliveries = 0;
};

// Once more for the same queue under the same name: replaces the attributes.
struct CreateQueue {
  QueueId queue;
  std::string name;
  std::string attributes = {};  // opaque to the store; handed back in QueueState
};

// Forgets a queue and whatever it still holds. Its id is never used again (StoreState::last_queue),
// its name may be, at once. An Erase or a Return that comes later does nothing; an Append may not
// come. Submitted alone it rides; who waits for it submits it as a group of one.
struct DropQueue {
  QueueId queue;
};

using Op = std::variant<Append, Erase, Return, CreateQueue, DropQueue>;

// Posted to the loop once a batch. In order: everything submitted up to `through` is on stable
// storage (or, under --sync never, in the log file), or was withdrawn, or was a kRide that needs no
// word.
struct CommitReport {
  Ticket through;
  // The same of those that append nothing: on a full disk they do not wait for the appends before
  // them. Never less than `through`.
  Ticket removals_through = {};
  bool disk_full = false;  // appends wait in the journal; erases go on
  std::uint64_t pending_bytes = 0;
  std::optional<storage::Error> fatal;  // the end: stop, say so, exit; nothing more will be written
};

struct LoadRequest {
  QueueId queue;
  Place from;  // the first place that is wanted
  std::size_t count_max = 256;
  std::size_t bytes_max = 1024 * 1024;  // at least one message comes, however large
  std::uint64_t tag = 0;                // handed back with the page
  Place before = kBehindAll;            // only what stands before it
};

struct LoadedMessage {
  Place place;
  MessagePtr message;
  std::uint32_t deliveries = 0;  // as kept by Return
};

// Posted to the loop. Holds what was committed when the reader looked, in order of places; volatile
// messages of an earlier epoch are left out (and erased behind the scenes).
struct LoadedPage {
  QueueId queue;
  Place from;
  std::uint64_t tag = 0;
  std::vector<LoadedMessage> messages;
  bool more = false;  // stopped at a bound, not at the end of what is committed
  std::optional<storage::Error> error;
};

// Loop thread only. Nothing blocks.
class Journal {
 public:
  virtual ~Journal() = default;

  [[nodiscard]] virtual Ticket submit(Op op) = 0;
  // All or nothing on disk, in one batch, however large. One ticket for the whole.
  [[nodiscard]] virtual Ticket submit_together(std::vector<Op> ops) = 0;
  // Cancels an append that has not been taken for writing: true, and nothing of it will be written.
  // False: too late, it has to be erased. Never for parts of submit_together.
  [[nodiscard]] virtual bool withdraw(Ticket append) = 0;
  // Answered by exactly one LoadedPage.
  virtual void load(const LoadRequest& request) = 0;
  // What is submitted and not yet reported, Message::bytes() of appends.
  [[nodiscard]] virtual std::uint64_t pending_bytes() const = 0;
  // Until release() what is submitted may stay on the loop's side: one lock and one wake-up for
  // many, and nothing of it begins meanwhile, so not for long. Nests.
  virtual void hold() = 0;
  virtual void release() = 0;
};

// One priority class of a queue that was ever used.
struct ClassState {
  PriorityClass priority;
  std::uint64_t message_count = 0;  // durable ones
  std::uint64_t message_bytes = 0;
  Seq first;  // nothing live of this class stands before it
};

// What the store knew of a queue when it was opened.
struct QueueState {
  QueueId queue;
  std::string name;
  std::string attributes;
  std::uint64_t message_count = 0;  // durable ones, of all classes
  std::uint64_t message_bytes = 0;
  Place first;                      // nothing live stands before it
  Seq next_seq;                     // greater than any that was ever written, in any class
  std::vector<ClassState> classes;  // in order; those with messages, at least
};

struct StoreState {
  std::string identity;     // random, made with the store, kept for its life
  std::uint32_t epoch = 0;  // of this start; already synced
  QueueId last_queue;       // no queue ever had a higher one, those included that were dropped
  std::vector<QueueState> queues;
};

}  // namespace stompbox::queue
