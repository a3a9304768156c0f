#include <algorithm>
#include <unordered_set>
#include <utility>

#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"
#include "broker/routing/temporary.h"

// Room in bounded queues for what happens together: all of it, or the sender waits.
namespace stompbox::routing {
namespace {

bool can_be_full(const Policy& policy) {
  return policy.when_full != WhenFull::kDropOldest &&
         (policy.messages_max > 0 || policy.bytes_max > 0);
}

std::uint64_t without(std::uint64_t all, std::uint64_t freed) {
  return all - std::min(all, freed);
}

// One message obeys the rule of a SEND by itself, so it always fits into an empty queue, however
// large. A scheduled one asks whether there would be room for it now.
bool fits(const RoutedQueue& queue, const RoomAsked& asked) {
  const Policy& policy = queue.care.policy;
  const std::uint64_t count =
      without(queue.waiting_count() + queue.in_flight, asked.freed_messages);
  const std::uint64_t bytes = without(queue.total_bytes(), asked.freed_bytes);
  if (policy.messages_max > 0 &&
      count + std::max<std::uint64_t>(asked.messages, 1) > policy.messages_max) {
    return false;
  }
  if (policy.bytes_max == 0) return true;
  return asked.messages <= 1 ? bytes < policy.bytes_max : bytes + asked.bytes <= policy.bytes_max;
}

storage::Error never_fits(std::string_view queue, std::uint64_t max, std::string_view what,
                          std::string_view bound, std::uint64_t asked) {
  return {storage::ErrorCode::kFull, "the queue '" + std::string(queue) + "' may have " +
                                         std::to_string(max) + " " + std::string(what) +
                                         " at most (" + std::string(bound) + "), and " +
                                         std::to_string(asked) + " come together"};
}

// All that durable subscriptions judge it by: not the body.
queue::Message outline_of(const Draft& draft, std::int64_t now_ms) {
  queue::Message outline;
  outline.destination = draft.destination;
  outline.header_block = draft.header_block;
  outline.block_is_plain = draft.block_is_plain;
  outline.persistence = draft.persistence;
  outline.expires_ms = draft.expires_ms;
  outline.arrived_ms = now_ms;
  return outline;
}

}  // namespace

storage::Result<Admission> Router::admit_together(PeerId peer,
                                                  const std::vector<Transacted>& actions,
                                                  bool asks_receipt) {
  const Demand demand = has_bounds_ ? demand_of(peer, actions) : Demand{};
  if (auto checked = check_can_fit(demand); !checked) return checked.error();
  const bool any_kept = out_of_room() && std::any_of(actions.begin(), actions.end(),
                                                     [this, peer](const auto& action) {
                                                       return takes_room(peer, action);
                                                     });
  if (any_kept) return refuse_or_wait(peer, asks_receipt);
  RoutedQueue* const queue = first_without_room(peer, demand);
  if (queue == nullptr) return Admission::kAccept;
  if (asks_receipt) return Admission::kRefuse;
  wait_for_room_in(*queue, peer, demand.at(queue->name()));
  return Admission::kWait;
}

bool Router::takes_room(PeerId peer, const Transacted& action) const {
  const auto* const send = std::get_if<TransactedSend>(&action);
  if (send == nullptr) return false;
  const auto view = view_destination(send->draft.destination, *options_.profile);
  return view ? takes_room(peer, send->draft, *view) : is_composite(send->draft.destination);
}

Router::Demand Router::demand_of(PeerId peer, const std::vector<Transacted>& actions) {
  Demand demand;
  for (const Transacted& action : actions) {
    if (const auto* send = std::get_if<TransactedSend>(&action)) {
      add_demand(demand, peer, send->draft);
    }
  }
  if (!demand.empty()) add_freed(demand, actions);
  return demand;
}

// What cannot be sent at all is refused later, for its own reason.
void Router::add_demand(Demand& demand, PeerId peer, const Draft& draft) {
  const auto view = view_destination(draft.destination, *options_.profile);
  if (!view || view->has_wildcards) return;
  const queue::Message outline = outline_of(draft, now_ms_);
  const std::size_t bytes = outline.bytes() + draft.body.size();
  const auto add = [&demand, &draft, bytes](const std::string& queue) {
    RoomAsked& asked = demand[queue];
    if (draft.schedule) return;
    asked.messages += 1;
    asked.bytes += bytes;
  };
  const std::string name = internal_name(*view, owner_name(peer));
  if (!is_topic(view->kind)) {
    add(name);
    return;
  }
  const Topic* const topic = topics_.durable_count() > 0 ? topics_.find(name) : nullptr;
  if (topic == nullptr || topic->durables().empty()) return;
  for (const Topic::DurableTaker& durable : topic->durables()) {
    if (durable.filter->wants(outline)) add(durable.queue->name());
  }
}

// Each message once, however often it is named.
void Router::add_freed(Demand& demand, const std::vector<Transacted>& actions) const {
  std::unordered_set<const Entry*> counted;
  const auto free = [&demand, &counted](const Entry& entry) {
    if (entry.home == nullptr || !counted.insert(&entry).second) return;
    const auto asked = demand.find(entry.home->name());
    if (asked == demand.end()) return;
    asked->second.freed_messages += 1;
    asked->second.freed_bytes += entry.bytes();
  };
  for (const Transacted& action : actions) {
    const auto* const verdict = std::get_if<TransactedVerdict>(&action);
    if (verdict == nullptr || verdict->outcome != Outcome::kAcknowledge) continue;
    const Subscription* const subscription = find(verdict->subscription);
    const Entry* const last =
        subscription == nullptr ? nullptr : subscription->in_flight.find(verdict->delivery);
    if (last == nullptr) continue;
    bool reached = verdict->reach == Reach::kOne;
    if (reached) free(*last);
    if (reached) continue;
    subscription->in_flight.for_each([&free, &reached, last](const Entry& entry) {
      if (!reached) free(entry);
      reached = reached || &entry == last;
    });
  }
}

storage::Status Router::check_can_fit(const Demand& demand) const {
  for (const auto& [name, asked] : demand) {
    const RoutedQueue* const queue = find_queue(name);
    const Policy policy =
        queue != nullptr ? queue->care.policy : policies_.find(DestinationKind::kQueue, name);
    if (!can_be_full(policy)) continue;
    if (policy.messages_max > 0 && asked.messages > policy.messages_max) {
      return never_fits(name, policy.messages_max, "messages", "messages_max", asked.messages);
    }
    if (policy.bytes_max > 0 && asked.messages > 1 && asked.bytes > policy.bytes_max) {
      return never_fits(name, policy.bytes_max, "bytes", "bytes_max", asked.bytes);
    }
  }
  return storage::kOk;
}

RoutedQueue* Router::first_without_room(PeerId peer, const Demand& demand) const {
  for (const auto& [name, asked] : demand) {
    RoutedQueue* const queue = find_queue(name);
    if (queue == nullptr || !can_be_full(queue->care.policy) || fits(*queue, asked)) continue;
    if (!must_be_heard(peer, *queue, asked)) return queue;
  }
  return nullptr;
}

// Nobody waits for himself: whoever keeps messages of the queue beyond those that the transaction
// acknowledges may make room by them, and for what it acknowledges somebody else has to be there
// who is still read.
bool Router::must_be_heard(PeerId peer, const RoutedQueue& queue, const RoomAsked& asked) const {
  std::uint64_t in_hand = 0;
  for (const SubscriptionId id : peers_.at(peer.value).subscriptions) {
    find(id)->in_flight.for_each(
        [&queue, &in_hand](const Entry& entry) { in_hand += entry.home == &queue ? 1 : 0; });
  }
  if (in_hand > asked.freed_messages) return true;
  if (in_hand == 0) return false;
  const auto& waiting = queue.care.waiting_senders;
  return std::none_of(
      queue.consumers().begin(), queue.consumers().end(), [peer, &waiting](const Seat* seat) {
        const PeerId other = seat->subscription->peer;
        return other != peer &&
               std::none_of(waiting.begin(), waiting.end(),
                            [other](const WaitingSender& one) { return one.peer == other; });
      });
}

void Router::wait_for_room_in(RoutedQueue& queue, PeerId peer, const RoomAsked& asked) {
  auto& waiting = queue.care.waiting_senders;
  std::erase_if(waiting, [this, peer](const WaitingSender& one) {
    return one.peer == peer || consumer_of(one.peer) == nullptr;
  });
  waiting.push_back({peer, asked});
}

// A SEND by itself is told each time; who asks for more, when there is enough.
void Router::tell_senders(RoutedQueue& queue, Told told) {
  std::vector<WaitingSender> rest;
  for (const WaitingSender& one : std::exchange(queue.care.waiting_senders, {})) {
    if (told == Told::kWhoFits && one.room.messages > 1 && !fits(queue, one.room)) {
      rest.push_back(one);
    } else if (Consumer* const consumer = consumer_of(one.peer)) {
      consumer->room_again();
    }
  }
  queue.care.waiting_senders = std::move(rest);
}

}  // namespace stompbox::routing
