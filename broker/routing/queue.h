#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/routing/choosy.h"
#include "broker/routing/dispatch.h"
#include "broker/routing/entry.h"
#include "broker/routing/residence.h"
#include "broker/routing/subscription.h"
#include "broker/routing/turns.h"
#include "broker/routing/waiting.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// The waiting messages of one queue and its consumers: who gets what next. It decides nothing about
// the disk or about receipts: the router does, and it calls next_dispatch() until nothing comes,
// and want_load() in between and after everything that it does here.
//
// Messages wait in a lane for each priority class (lane.h); a higher class goes first among what is
// in memory. A message that comes when something of its lane is paged, or when memory is short, is
// paged at once; pages are loaded as consumers come to them. So memory does not grow with the
// backlog (promise P9).
//
// While every consumer takes every message, that is all: *plain*. With selectors or message groups
// the queue is *choosy* (choosy.h), and plain again when that has ended.
class Queue {
 public:
  // `residence` outlives the queue.
  Queue(queue::QueueId id, std::string name, Residence& residence);  // unknown to the store
  Queue(const queue::QueueState& state, Residence& residence);       // found in the store
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  [[nodiscard]] queue::QueueId id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] queue::Place next_place(queue::PriorityClass priority);
  // Whether the store has been told of this queue; true from the second call on.
  [[nodiscard]] bool known_to_store();
  [[nodiscard]] bool is_known_to_store() const { return known_to_store_; }

  [[nodiscard]] bool nothing_paged() const;
  // Nothing waits, in memory, delayed or paged.
  [[nodiscard]] bool nothing_waits() const;
  // A new message comes, and everybody may see it: who gets it at once, past what waits. He is out
  // of his ring; offer_turn() puts him back. Null: it has to wait.
  [[nodiscard]] Seat* taker_for(Entry& entry);
  // taker_for() comes soon for a message with such headers, and then at once: what it needs, and
  // what the delivery does, is fetched into the processor's cache meanwhile. Hints.
  void expect_like(const HeaderLines& headers) {
    if (choosy_) choosy_->expect_like(headers);
  }
  void prepare_expected() const {
    if (choosy_) choosy_->prepare_expected();
  }
  // Keeps a new message behind what waits, in memory. False: no room, `entry` is untouched; when
  // the store has it or soon will, push_paged() counts it.
  [[nodiscard]] bool keep(Entry& entry);
  void push_paged(const Entry& entry);
  // A message that was delivered comes back to its own place (promise P4).
  void push_returned(Entry entry);
  // The same with a delay: it waits until `not_before_ms` and goes to its own place then.
  void push_delayed(Entry entry, std::int64_t not_before_ms);
  // Who gets what next, from memory; the clock and `committed` are as of now.
  [[nodiscard]] std::optional<Dispatch> next_dispatch(std::int64_t now_ms, queue::Ticket committed);
  // Of a message that was taken out: its Erase has been submitted, or the store will never have it.
  void on_erase(queue::Place place, queue::Ticket erase);
  void on_withdrawn(queue::Place place);

  // What has expired and is not delivered any more, a bounded number: the caller erases it and
  // calls again until nothing comes. What is in memory goes in time, also when nobody consumes; for
  // what is paged, next_dispatch() and want_load() have to be called at next_event_ms(), too. Of
  // what was found at the start and not loaded yet, no date is known: it goes when it is loaded.
  [[nodiscard]] std::vector<Entry> take_expired(std::int64_t now_ms);
  [[nodiscard]] bool has_expired() const { return !expired_.empty(); }
  // When something expires or a delay ends, at the earliest.
  [[nodiscard]] std::optional<std::int64_t> next_event_ms() const;

  // Takes up to `count_max` waiting messages out, oldest first, from the store too: for purging and
  // moving. While it lasts, pages are loaded without a consumer, and consumers get nothing. Call
  // next_drained() after each event of this queue until drain_is_over().
  void drain(std::uint64_t count_max);
  [[nodiscard]] std::optional<Entry> next_drained(queue::Ticket committed);
  [[nodiscard]] bool drain_is_over() const { return drain_left_ == 0; }
  // The oldest of the lowest class that waits in memory, to make room; nothing if all is paged.
  [[nodiscard]] std::optional<Entry> drop_oldest();
  // While nobody consumes and nothing is in flight: what the store holds for certain leaves the
  // memory. Worth a while's wait: a consumer that comes back has to read it again.
  void release_memory(queue::Ticket committed);

  // A waiting message is taken back by its sender; false if it is not in memory.
  [[nodiscard]] bool remove_waiting(queue::Place place);
  // Whether that place belongs to what is paged.
  [[nodiscard]] bool is_paged(queue::Place place) const;
  // A paged message was taken back before it was written.
  void remove_paged(queue::Place place, std::size_t bytes);

  // What to load next, if anything should be: one page is under way at a time. `committed`: what
  // is on the disk for certain by now.
  [[nodiscard]] std::optional<queue::LoadRequest> want_load(std::int64_t now_ms,
                                                            queue::Ticket committed);
  // `committed` and `submitted`: as they are when the page arrives. It was read some time before.
  void on_loaded(queue::LoadedPage& page, queue::Ticket committed, queue::Ticket submitted);
  // Something has to be on the disk before there is more to dispatch or to load.
  [[nodiscard]] bool waits_for_commit() const { return waits_for_commit_; }
  void on_committed(queue::Ticket through);

  // Its subscription says what it asks for, and does not change it. A seat that leaves may set
  // others going: call next_dispatch().
  void add_consumer(Seat& seat);
  void remove_consumer(Seat& seat);
  void offer_turn(Seat& seat);  // has credit now, perhaps
  [[nodiscard]] const std::vector<Seat*>& consumers() const { return consumers_; }

  [[nodiscard]] std::size_t resident_count() const { return waiting_.count(); }
  [[nodiscard]] std::size_t resident_bytes() const { return waiting_.bytes(); }
  [[nodiscard]] std::uint64_t paged_count() const { return waiting_.paged_count(); }
  [[nodiscard]] std::uint64_t waiting_count() const { return resident_count() + paged_count(); }
  [[nodiscard]] std::size_t delayed_count() const { return delayed_.size(); }  // of the waiting
  // Of all its messages: waiting, in the store and in flight.
  [[nodiscard]] std::uint64_t total_bytes() const {
    return resident_bytes() + waiting_.paged_bytes() + in_flight_bytes;
  }
  [[nodiscard]] bool is_choosy() const { return choosy_ != nullptr; }
  // Calls visit(entry) for what waits in memory, delayed or not; in no order.
  template <typename Visit>
  void for_each_waiting(Visit visit) const {
    for (const Lane& lane : waiting_.lanes()) {
      for (const auto& [seq, entry] : lane.sparse)
        visit(entry);
      for (const Entry& entry : lane.fresh)
        visit(entry);
    }
    for (const auto& [due, entry] : delayed_)
      visit(entry);
  }
  [[nodiscard]] queue::Place first_place() const { return first_; }
  [[nodiscard]] QueueFigures figures() const;

  // Counted by the router where they happen.
  std::uint64_t enqueued = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t returned_total = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t in_flight_bytes = 0;
  std::size_t subscription_count = 0;  // that name it, ended ones too
  bool listed_for_commit = false;      // the router will call on_committed()

 private:
  enum class Purpose : std::uint8_t { kDeliver, kExpiry };
  struct Load {
    bool under_way = false;
    Purpose purpose = Purpose::kDeliver;
    queue::Place from;
    queue::Ticket committed;  // when it was asked for
  };
  struct PagedExpiry {
    std::int64_t next_ms = kNoDate;        // nothing paged expires before, as far as is known
    std::int64_t not_before_ms = 0;        // the store is not looked through more often
    std::optional<queue::Place> reached;   // looking through it
    std::int64_t next_found_ms = kNoDate;  // in this pass
  };

  // queue.cc
  [[nodiscard]] std::optional<Dispatch> next_plain(queue::Ticket committed);
  void store_sparse(Entry entry);
  void wake_delayed();
  void prune_held(queue::Ticket committed);
  void hold_if_beyond(queue::Place place);
  // queue_seats.cc
  void choose_exclusive();
  void update_mode();
  void offer_all();
  // queue_pages.cc
  [[nodiscard]] std::optional<queue::Place> wants_page();
  [[nodiscard]] Entry entry_of(queue::LoadedMessage& loaded);
  [[nodiscard]] bool may_be_grouped(const queue::LoadedPage& page) const;
  void fill(Lane& lane, queue::LoadedPage& page, bool is_all);
  void show_to_choosy(queue::LoadedPage& page, bool is_all);
  [[nodiscard]] std::optional<queue::Place> wants_expiry_page();
  void look_for_expired(queue::LoadedPage& page);
  void go_on_looking(queue::Place reached);

  const queue::QueueId id_;
  const std::string name_;
  const Residence& residence_;
  bool known_to_store_ = false;
  queue::Place first_;  // nothing that was found at the start stands before it
  queue::Seq next_seq_{1};
  queue::Seq found_before_{0};  // everything below was found at the start: redelivered
  std::int64_t now_ms_ = 0;     // as last heard

  Waiting waiting_;
  std::map<std::pair<std::int64_t, queue::Place>, Entry> delayed_;  // by the end of the delay
  std::vector<Entry> expired_;                                      // for the router to take
  std::uint64_t drain_left_ = 0;
  Load load_;
  PagedExpiry paged_expiry_;
  bool waits_for_commit_ = false;
  std::list<std::pair<queue::Ticket, queue::Place>> erased_;  // of what lanes hold
  queue::Ticket last_erase_;

  std::vector<Seat*> consumers_;
  Seat* exclusive_ = nullptr;
  std::uint64_t last_turn_ = 0;
  std::size_t selector_count_ = 0;  // consumers that have one
  bool has_groups_ = false;         // a message with a group came, and there may be more of it
  Turns ring_;                      // while plain
  std::unique_ptr<Choosy> choosy_;  // while choosy
};

}  // namespace stompbox::routing
