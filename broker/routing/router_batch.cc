#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// What has to happen together: composite destinations, transactions, dead letters, moves.
namespace stompbox::routing {

storage::Result<Router::Target> Router::target_of(PeerId peer, const DestinationView& view) {
  if (view.has_wildcards) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "a message cannot be sent to a name with wildcards"};
  }
  Target target;
  target.destination =
      to_text({.kind = view.kind, .name = std::string(view.name), .has_wildcards = false});
  if (is_topic(view.kind)) {
    auto topic = topic_of(peer, view);
    if (!topic) return topic.error();
    target.topic = std::move(*topic);
  } else {
    auto queue = queue_of(peer, view);
    if (!queue) return queue.error();
    target.queue = *queue;
  }
  return target;
}

storage::Status Router::find_targets(PeerId peer, const Draft& draft,
                                     std::vector<Target>& targets) {
  auto destinations = parse_destinations(draft.destination, *options_.profile);
  if (!destinations) return destinations.error();
  if (draft.schedule) return check_schedule(draft, *destinations);
  for (const Destination& destination : *destinations) {
    const DestinationView view{destination.kind, destination.name, destination.has_wildcards};
    auto target = target_of(peer, view);
    if (!target) return target.error();
    if (target->queue == nullptr) {
      if (auto checked = check_topic(target->topic, draft); !checked) return checked;
    }
    if (destinations->size() == 1) target->destination = draft.destination;
    targets.push_back(std::move(*target));
  }
  return storage::kOk;
}

// Queues that were made for what is refused go again. All of one refusal in one call: two SENDs of
// a transaction may name the same queue.
void Router::forget_targets(const std::vector<std::vector<Target>>& targets) {
  std::set<std::uint32_t> made;
  for (const auto& of_one : targets) {
    for (const Target& target : of_one) {
      if (target.queue != nullptr) made.insert(target.queue->id().value);
    }
  }
  for (const std::uint32_t id : made)
    drop_if_unused(*queues_by_id_.at(id));
}

storage::Status Router::publish_together(PeerId peer, Draft draft, const Debt& debt) {
  std::vector<Target> targets;
  if (auto found = find_targets(peer, draft, targets); !found) {
    forget_targets({targets});
    return found;
  }
  Batch batch;
  add_send(batch, peer, targets, std::move(draft));
  batch.debts.push_back(debt);
  submit(std::move(batch));
  return storage::kOk;
}

// Each destination gets a message of its own.
void Router::add_send(Batch& batch, PeerId peer, const std::vector<Target>& targets, Draft draft) {
  figures_.published += 1;
  if (draft.schedule) {
    add_job(batch, std::move(draft));
    return;
  }
  const Intake intake{draft.priority, draft.has_group};
  const Retain retain = draft.retain;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    Draft own = i + 1 == targets.size() ? std::move(draft) : draft;
    own.destination = target.destination;
    queue::MessagePtr message = make_message(std::move(own), target.queue);
    if (target.queue != nullptr) {
      add_to_queue(batch, *target.queue, std::move(message), intake);
    } else {
      add_to_topic(batch, {target.topic, std::move(message), peer, retain}, intake);
    }
  }
}

void Router::add_to_queue(Batch& batch, RoutedQueue& queue, queue::MessagePtr message,
                          Intake intake) {
  Entry entry;
  entry.home = &queue;
  entry.place = queue.next_place(intake.priority);
  entry.message = std::move(message);
  entry.grouped = intake.grouped;
  queue.enqueued += 1;
  queue.care.last_use_ms = now_ms_;
  queue.care.restless_since_ms = now_ms_;
  if (entry.message->persistence == queue::Persistence::kDurable) {
    if (!queue.known_to_store()) batch.ops.emplace_back(introduction(queue));
    batch.ops.emplace_back(
        queue::Append{queue.id(), entry.place, entry.message, queue::Urgency::kNow});
    entry.storing = Storing::kTogether;
  }
  batch.arrivals.push_back({&queue, std::move(entry)});
}

// A transaction never withdraws: all of it is in its group. Nor is a message withdrawn whose sender
// waits for a receipt, as what takes its place is not on the disk yet.
void Router::add_erase(Batch& batch, const Entry& entry) {
  if (entry.home == nullptr || entry.storing == Storing::kMemoryOnly) return;
  if (batch.visibility == Batch::Visibility::kAtOnce && !entry.debt.owed() && withdraw(entry)) {
    entry.home->on_withdrawn(entry.place);
    return;
  }
  batch.ops.emplace_back(queue::Erase{entry.home->id(), entry.place, entry.message->id,
                                      entry.bytes(), entry.message->persistence,
                                      queue::Urgency::kNow});
  batch.departures.push_back({entry.home, entry.place});
}

// Places of one class go to the journal in growing order, so what is volatile cannot be spilled
// after something durable of this group that stands behind it: it is in the group, too.
void Router::add_volatile_appends(Batch& batch) {
  std::map<std::pair<queue::QueueId, queue::PriorityClass>, std::deque<Entry*>> not_stored;
  for (auto& [queue, entry] : batch.arrivals) {
    if (entry.storing != Storing::kMemoryOnly) continue;
    not_stored[{queue->id(), entry.place.priority}].push_back(&entry);
  }
  if (not_stored.empty()) return;
  std::vector<queue::Op> ops;
  for (queue::Op& op : batch.ops) {
    if (const auto* const append = std::get_if<queue::Append>(&op)) {
      std::deque<Entry*>& before = not_stored[{append->queue, append->place.priority}];
      for (; !before.empty() && before.front()->place < append->place; before.pop_front()) {
        Entry& entry = *before.front();
        ops.emplace_back(
            queue::Append{append->queue, entry.place, entry.message, queue::Urgency::kNow});
        entry.storing = Storing::kTogether;
      }
    }
    ops.push_back(std::move(op));
  }
  batch.ops = std::move(ops);
}

queue::Ticket Router::submit(Batch batch) {
  queue::Ticket ticket;
  if (batch.arrivals.size() > 1) add_volatile_appends(batch);
  const bool appends = std::any_of(batch.ops.begin(), batch.ops.end(), [](const queue::Op& op) {
    return std::holds_alternative<queue::Append>(op);
  });
  if (!batch.ops.empty()) {
    ticket = journal_.submit_together(std::move(batch.ops));
    note_ticket(ticket);
  }
  for (const Batch::Departure& departure : batch.departures)
    departure.queue->on_erase(departure.place, ticket);
  for (const Debt& debt : batch.debts)
    settle(debt.peer, ticket, appends ? Contents::kAppends : Contents::kRemovals, debt.receipt);
  const bool hidden =
      batch.visibility == Batch::Visibility::kWhenSynced && ticket > committed_through_;
  for (Batch::Arrival& arrival : batch.arrivals) {
    if (arrival.entry.storing == Storing::kTogether) arrival.entry.stored_by = ticket;
    if (hidden) arrival.entry.visible_after = ticket;
    arrive(*arrival.queue, std::move(arrival.entry));
  }
  for (Batch::Comeback& comeback : batch.comebacks) {
    comeback.entry.stored_by = ticket;
    put_at_place(*comeback.queue, std::move(comeback.entry), comeback.delay_ms);
  }
  for (HiddenPost& post : batch.posts) {
    if (hidden) {
      post.ticket = ticket;
      if (const auto peer = peers_.find(post.sender.value); peer != peers_.end()) {
        peer->second.last_hidden = ticket;
      }
      hidden_posts_.push_back(std::move(post));
    } else {
      post_in_order({post.topic, post.message, post.sender, post.retain});
    }
  }
  for (const queue::QueueId id : batch.touched) {
    if (RoutedQueue* queue = find_queue(id)) pump(*queue);
  }
  for (const queue::QueueId id : batch.letters) {
    if (RoutedQueue* queue = find_queue(id)) bound_letters(*queue);
  }
  return ticket;
}

void Router::arrive(RoutedQueue& queue, Entry entry) {
  const bool hidden = entry.visible_after > committed_through_;
  if (!queue.care.followers.empty()) tell_followers(queue, entry);
  if (Seat* const taker = hidden ? nullptr : queue.taker_for(entry)) {
    deliver(queue, *taker, std::move(entry));
  } else {
    enqueue(queue, std::move(entry));
  }
}

void Router::settle(PeerId peer, queue::Ticket ticket, Contents contents,
                    std::optional<ReceiptNumber> receipt) {
  const Debt debt{peer, receipt.value_or(ReceiptNumber{})};
  if (!debt.owed()) return;
  const bool removes = contents == Contents::kRemovals;
  if (ticket <= (removes ? removed_through_ : committed_through_)) {
    pay(debt);
  } else {
    (removes ? removal_waits_ : waits_).add({ticket, debt, std::nullopt, {}, 0});
  }
}

}  // namespace stompbox::routing
