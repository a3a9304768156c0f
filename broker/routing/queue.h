#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/routing/entry.h"
#include "broker/routing/subscription.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// The waiting messages of one queue and its consumers. It decides nothing about the disk or about
// receipts: the router does.
//
// Waiting messages, in delivery order (places grow to the right):
//
//   returned_ (sorted, sparse)   fresh_ (in memory)        paged (in the store only)
//   ───────────────────────────┬────────────────────────┬──────────────────────────▶
//                              front                paged_from_                next_seq_
//
// A message that comes when something is paged, or when memory is short, is paged at once; pages
// are loaded as consumers come to them. So memory does not grow with the backlog (promise P9).
class Queue {
 public:
  // `resident_total` sums up the bytes in memory of all queues; it outlives the queue.
  Queue(queue::QueueId id, std::string name, std::size_t& resident_total);  // unknown to the store
  Queue(const queue::QueueState& state, std::size_t& resident_total);       // found in the store
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  [[nodiscard]] queue::QueueId id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] queue::Place next_place();
  // Whether the store has been told of this queue; true from the second call on.
  [[nodiscard]] bool known_to_store();
  [[nodiscard]] bool is_known_to_store() const { return known_to_store_; }

  // What comes may be kept in memory behind what is there.
  [[nodiscard]] bool nothing_paged() const;
  // Nothing waits: a new message may go straight to a consumer.
  [[nodiscard]] bool nothing_waits() const;
  void push_fresh(Entry entry);
  void push_paged(queue::Place place, std::size_t bytes);
  // A message that was delivered comes back to its own place (promise P4).
  void push_returned(Entry entry);
  // The next to be delivered, from memory.
  [[nodiscard]] std::optional<Entry> pop();
  // A waiting message is taken back by its sender; false if it is not in memory.
  [[nodiscard]] bool remove_waiting(queue::Place place);
  // Whether that place belongs to what is paged.
  [[nodiscard]] bool is_paged(queue::Place place) const;
  // A paged message was taken back before it was written.
  void remove_paged(std::size_t bytes);

  // What to load next, if anything should be: some is paged, memory runs low, nothing is under way.
  // `committed`: what is on the disk for certain by now.
  [[nodiscard]] std::optional<queue::LoadRequest> want_load(std::size_t low_water,
                                                            std::size_t count_max,
                                                            std::size_t bytes_max,
                                                            queue::Ticket committed);
  // `committed` and `submitted`: as they are when the page arrives. It was read some time before.
  void on_loaded(queue::LoadedPage& page, queue::Ticket committed, queue::Ticket submitted);
  [[nodiscard]] bool waits_for_commit() const { return waits_for_commit_; }
  void commit_came() { waits_for_commit_ = false; }

  // Consumers with credit take turns.
  void add_consumer(Subscription& subscription);
  void remove_consumer(Subscription& subscription);
  void offer_turn(Subscription& subscription);  // has credit now
  [[nodiscard]] Subscription* next_turn();      // takes it out of the ring
  [[nodiscard]] bool has_turn() const { return !ring_.empty(); }
  [[nodiscard]] const std::vector<Subscription*>& consumers() const { return consumers_; }

  [[nodiscard]] std::size_t resident_count() const { return fresh_.size() + returned_.size(); }
  [[nodiscard]] std::size_t resident_bytes() const { return resident_bytes_; }
  [[nodiscard]] std::uint64_t paged_count() const { return paged_count_; }
  [[nodiscard]] std::uint64_t waiting_count() const { return resident_count() + paged_count_; }
  [[nodiscard]] const std::deque<Entry>& fresh() const { return fresh_; }
  [[nodiscard]] const std::map<queue::Place, Entry>& returned() const { return returned_; }
  [[nodiscard]] queue::Place first_place() const { return first_; }
  [[nodiscard]] QueueFigures figures() const;

  // Counted by the router where they happen.
  std::uint64_t enqueued = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t returned_total = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t in_flight_bytes = 0;
  std::size_t subscription_count = 0;  // that name it, ended ones too

 private:
  void gain(std::size_t bytes);
  void lose(std::size_t bytes);

  const queue::QueueId id_;
  const std::string name_;
  std::size_t& resident_total_;
  bool known_to_store_ = false;
  queue::Place first_;  // nothing that was found at the start stands before it
  queue::Seq next_seq_{1};
  queue::Seq found_before_{0};  // everything below was found at the start: redelivered
  std::deque<Entry> fresh_;
  std::map<queue::Place, Entry> returned_;
  std::size_t resident_bytes_ = 0;  // of the two above
  std::uint64_t paged_count_ = 0;
  std::uint64_t paged_bytes_ = 0;
  queue::Place paged_from_;  // when paged_count_ > 0: the first that is paged
  bool load_under_way_ = false;
  queue::Ticket committed_when_asked_;  // for the page under way
  bool waits_for_commit_ = false;       // the last page was empty: what is paged is not written yet
  std::vector<Subscription*> consumers_;
  std::deque<Subscription*> ring_;
};

}  // namespace stompbox::routing
