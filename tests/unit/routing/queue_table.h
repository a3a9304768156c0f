#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/routing/queue.h"
#include "tests/support/fake_journal.h"

namespace stompbox::testing {

// A message for tests of queues: a body, and header lines as they travel.
struct Sent {
  std::string body;
  std::string headers = {};
  std::uint8_t priority_class = 5;
  std::int64_t expires_ms = 0;
  queue::Persistence persistence = queue::Persistence::kDurable;
};

// One consumer of a queue; it keeps what it got.
struct Taker {
  struct Got {
    std::string body;
    bool first_of_group = false;
    routing::DeliveryId id;
  };
  std::unique_ptr<routing::Subscription> subscription;
  routing::Seat* seat = nullptr;
  std::vector<Got> got;

  [[nodiscard]] std::string bodies() const {
    std::string all;
    for (const Got& one : got)
      all += one.body;
    return all;
  }
};

struct TakerOptions {
  std::string selector = {};
  std::size_t credit = 1000;
  std::int32_t priority = 0;
  routing::Exclusivity exclusivity = routing::Exclusivity::kShared;
};

// One queue with a fake journal, treated as the router treats it.
class QueueTable {
 public:
  explicit QueueTable(std::size_t resident_max = 1000) {
    residence.queue_count_max = resident_max;
    queue.emplace(queue::QueueId{1}, "q", residence);
    (void)queue->known_to_store();
    (void)journal.submit(queue::CreateQueue{queue->id(), "q"});
    note(journal.commit());
  }

  // What a sender's message becomes; `visible_after_commit`: as a part of a transaction.
  enum class Visible : std::uint8_t { kNow, kAfterCommit };
  void send(const Sent& sent, Visible visible = Visible::kNow) {
    routing::Entry entry;
    entry.home = &*queue;
    entry.place = queue->next_place({sent.priority_class});
    auto message = std::make_shared<queue::Message>();
    message->id = queue::MessageId::make(1, ++last_message);
    message->body = sent.body;
    message->header_block = sent.headers;
    message->expires_ms = sent.expires_ms;
    message->persistence = sent.persistence;
    entry.message = std::move(message);
    entry.grouped = sent.headers.find("JMSXGroupID:") != std::string::npos;
    const bool is_now = visible == Visible::kNow;
    routing::Seat* const seat = is_now ? queue->taker_for(entry) : nullptr;
    if (sent.persistence == queue::Persistence::kDurable || !is_now) store(entry, visible);
    if (seat != nullptr) {
      give({seat, std::move(entry)});
    } else if (!queue->keep(entry)) {
      if (entry.storing == routing::Storing::kMemoryOnly) store(entry, Visible::kNow);
      queue->push_paged(entry);
    }
    pump();
  }

  Taker& join(const TakerOptions& options) {
    auto taker = std::make_unique<Taker>();
    taker->subscription = std::make_unique<routing::Subscription>(in_flight_total, 1U << 30);
    routing::Subscription& subscription = *taker->subscription;
    subscription.credit = {options.credit, 1U << 30};
    subscription.started = true;
    subscription.priority = options.priority;
    subscription.exclusivity = options.exclusivity;
    if (!options.selector.empty()) {
      subscription.selector = *routing::Selector::parse(options.selector);
    }
    routing::Seat& seat = subscription.seats.add();
    seat.subscription = &subscription;
    seat.queue = &*queue;
    taker->seat = &seat;
    queue->add_consumer(*taker->seat);
    queue->offer_turn(*taker->seat);
    takers.push_back(std::move(taker));
    pump();
    return *takers.back();
  }

  // It goes; what it has in flight comes back.
  void leave(Taker& taker) {
    taker.subscription->ended = true;
    queue->remove_consumer(*taker.seat);
    while (const auto id = taker.subscription->in_flight.first())
      give_back(taker, *id);
    pump();
    std::erase_if(takers, [&taker](const auto& one) { return one.get() == &taker; });
  }

  void acknowledge(Taker& taker, routing::DeliveryId id) {
    erase(taker.subscription->in_flight.take(id));
    queue->in_flight -= 1;
    queue->offer_turn(*taker.seat);
    pump();
  }
  void acknowledge_all(Taker& taker) {
    while (const auto id = taker.subscription->in_flight.first())
      acknowledge(taker, *id);
  }

  void give_back(Taker& taker, routing::DeliveryId id, std::int64_t not_before_ms = 0) {
    routing::Entry entry = taker.subscription->in_flight.take(id);
    queue->in_flight -= 1;
    entry.deliveries += 1;
    entry.redelivered = true;
    if (entry.storing != routing::Storing::kMemoryOnly) {
      entry.stored_by = last_submitted =
          journal.submit(queue::Return{queue->id(), entry.place, entry.deliveries});
    }
    if (not_before_ms > 0) {
      queue->push_delayed(std::move(entry), not_before_ms);
    } else {
      queue->push_returned(std::move(entry));
    }
    queue->offer_turn(*taker.seat);
    pump();
  }

  void set_credit(Taker& taker, std::size_t count) {
    taker.subscription->credit.count_max = count;
    queue->offer_turn(*taker.seat);
    pump();
  }

  void on_time(std::int64_t now) {
    now_ms = now;
    pump();
  }

  void commit() { note(journal.commit()); }
  void load() {
    for (queue::LoadedPage& page : journal.take_pages()) {
      loads += 1;
      queue->on_loaded(page, committed, last_submitted);
      pump();
    }
  }
  void settle() {
    while (journal.has_work()) {
      commit();
      load();
    }
  }

  void pump() {
    while (auto next = queue->next_dispatch(now_ms, committed))
      give(std::move(*next));
    for (auto dead = queue->take_expired(now_ms); !dead.empty();
         dead = queue->take_expired(now_ms)) {
      for (const routing::Entry& entry : dead) {
        expired.push_back(entry.message->body);
        erase(entry);
      }
    }
    if (const auto request = queue->want_load(now_ms, committed)) journal.load(*request);
  }

  void erase(const routing::Entry& entry) {
    if (entry.storing == routing::Storing::kMemoryOnly) {
      queue->on_withdrawn(entry.place);
      return;
    }
    if (entry.storing == routing::Storing::kAlone && journal.withdraw(entry.append)) {
      queue->on_withdrawn(entry.place);
      return;
    }
    last_submitted =
        journal.submit(queue::Erase{queue->id(), entry.place, entry.message->id, entry.bytes(),
                                    entry.message->persistence, queue::Urgency::kRide});
    queue->on_erase(entry.place, last_submitted);
  }

  routing::Residence residence;
  FakeJournal journal;
  std::size_t in_flight_total = 0;
  std::vector<std::unique_ptr<Taker>> takers;
  std::optional<routing::Queue> queue;
  std::vector<std::string> expired;
  std::int64_t now_ms = 1000;
  queue::Ticket committed;
  queue::Ticket last_submitted;
  std::uint64_t last_message = 0;
  std::size_t loads = 0;

 private:
  void store(routing::Entry& entry, Visible visible) {
    queue::Append append{queue->id(), entry.place, entry.message, queue::Urgency::kNow};
    if (visible == Visible::kNow) {
      entry.storing = routing::Storing::kAlone;
      entry.append = last_submitted = journal.submit(append);
    } else {
      entry.storing = routing::Storing::kTogether;
      entry.visible_after = last_submitted = journal.submit_together({queue::Op{append}});
    }
    entry.stored_by = last_submitted;
  }

  void note(const queue::CommitReport& report) {
    committed = std::max(committed, report.through);
    queue->on_committed(committed);
    pump();
  }

  void give(routing::Dispatch dispatch) {
    queue->in_flight += 1;
    for (const auto& taker : takers) {
      if (taker->seat != dispatch.seat) continue;
      Taker::Got got{dispatch.entry.message->body, dispatch.entry.first_of_group, {}};
      got.id = taker->subscription->in_flight.add(std::move(dispatch.entry));
      taker->got.push_back(std::move(got));
      queue->offer_turn(*dispatch.seat);
      return;
    }
  }
};

}  // namespace stompbox::testing
