#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/death_headers.h"
#include "broker/routing/drainage.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"
#include "protocol/encoder.h"

// What cannot be delivered (promise P7), what has expired, and what one consumer moves elsewhere.
namespace stompbox::routing {

// Nothing if it stays where it is: it is a dead letter already. A name of one connection, or of a
// durable subscription, makes no name of a queue: what was called after it could go with its owner.
std::optional<std::string> Router::letter_queue_for(const Entry& entry) const {
  if (entry.home == nullptr) return options_.dead_letter_queue;
  const RoutedQueue& queue = routed(*entry.home);
  if (queue.care.takes_letters) return std::nullopt;
  std::string name = queue.care.policy.dead_letter_queue;
  if (name.empty()) return options_.dead_letter_queue;
  const std::size_t star = name.find('*');
  if (star == std::string::npos) return name;
  if (queue.name().starts_with('/')) return options_.dead_letter_queue;
  return name.replace(star, 1, queue.name());
}

// Ours stand before those of an earlier death. It goes to the end of its new queue whatever its
// priority was, and does not expire there as it would have.
Draft Router::letter_of(const queue::Message& message, const std::string& queue,
                        const DeadLetterReason& reason) const {
  Draft draft;
  draft.destination = "/queue/" + queue;
  const auto add = [&draft](std::string_view name, std::string_view value) {
    protocol::append_header(draft.header_block, protocol::Version::k12, name, value);
    draft.block_is_plain = draft.block_is_plain && !protocol::needs_escape(value);
  };
  add(kDeathReason, reason.kind);
  add(kDeathDetail, reason.detail);
  add(kDeathTime, std::to_string(now_ms_));
  add(kOriginalDestination, message.destination);
  add(kOriginalMessageId,
      std::to_string(message.id.epoch()) + "-" + std::to_string(message.id.counter()));
  if (message.expires_ms != 0) add(kOriginalExpires, std::to_string(message.expires_ms));
  draft.header_block.append(message.header_block);
  draft.block_is_plain = draft.block_is_plain && message.block_is_plain;
  draft.body = message.body;  // the one copy of a body: it stands under another name from here on
  draft.persistence = queue::Persistence::kDurable;
  draft.first_arrival = FirstArrival{message.id, message.arrived_ms};
  return draft;
}

void Router::bury(Batch& batch, Entry entry, const DeadLetterReason& reason) {
  const auto name = letter_queue_for(entry);
  assert(name);
  auto queue = queue_named(*name, Maker::kBroker);
  assert(queue);
  if (entry.home != nullptr) {
    entry.home->acknowledged += 1;
    batch.touched.insert(entry.home->id());
    room_in(routed(*entry.home));
  }
  Draft letter = letter_of(*entry.message, *name, reason);
  add_to_queue(batch, **queue, make_message(std::move(letter), *queue), {});
  add_erase(batch, entry);
  batch.letters.insert((*queue)->id());
  figures_.dead_lettered += 1;
}

// The oldest letters make room for the newest.
void Router::bound_letters(RoutedQueue& queue) {
  while (queue.waiting_count() > 0 && queue.total_bytes() > options_.dead_letter_bytes_max) {
    const auto oldest = queue.drop_oldest();
    if (!oldest) {
      start_drain(queue, bound_letters_drainage(), 1);
      return;
    }
    count_dropped_letter(queue);
    erase(*oldest, queue::Urgency::kRide);
  }
}

void Router::count_dropped_letter(RoutedQueue& queue) {
  queue.care.dropped += 1;
  figures_.dead_letters_dropped += 1;
}

void Router::expire(RoutedQueue& queue) {
  Batch batch;
  while (true) {
    std::vector<Entry> expired = queue.take_expired(now_ms_);
    if (expired.empty()) break;
    for (Entry& entry : expired) {
      entry.home = &queue;
      bury_expired(batch, std::move(entry));
    }
  }
  batch.touched.clear();
  submit(std::move(batch));
  room_in(queue);
}

// Counted; a dead letter only where the policy asks for it and there is room for one.
void Router::bury_expired(Batch& batch, Entry entry) {
  RoutedQueue& queue = routed(*entry.home);
  queue.care.expired += 1;
  figures_.expired += 1;
  if (queue.care.policy.expired_to_dead_letters && letter_queue_for(entry)) {
    if (!disk_full_) {
      bury(batch, std::move(entry), {"expired", "nobody took it before it expired"});
      return;
    }
    figures_.dead_letters_dropped += 1;
  }
  erase(entry, queue::Urgency::kRide);
}

storage::Status Router::move_to(SubscriptionId id, DeliveryId delivery, Draft draft,
                                std::int64_t now_ms, std::optional<ReceiptNumber> receipt) {
  set_clock(now_ms);
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) {
    return storage::Error{storage::ErrorCode::kNotFound, "that message is not in flight any more"};
  }
  const PeerId peer = subscription->peer;
  const Entry& in_flight = *subscription->in_flight.find(delivery);
  draft.first_arrival = FirstArrival{in_flight.message->id, in_flight.message->arrived_ms};
  std::vector<Target> targets;
  if (auto found = find_targets(peer, draft, targets); !found) {
    forget_targets({targets});
    return found;
  }
  if (out_of_room()) {
    forget_targets({targets});
    return storage::Error{storage::ErrorCode::kFull,
                          "the broker's disk has no room for the message now"};
  }
  const Entry entry = take_from_flight(*subscription, delivery);
  Batch batch;
  add_send(batch, peer, targets, std::move(draft));
  if (entry.home != nullptr) {
    entry.home->acknowledged += 1;
    room_in(routed(*entry.home));
  }
  add_erase(batch, entry);
  batch.debts.push_back({peer, receipt.value_or(ReceiptNumber{})});
  submit(std::move(batch));
  after_verdicts(id);
  return storage::kOk;
}

bool Router::dead_letter(SubscriptionId id, DeliveryId delivery, const DeadLetterReason& reason,
                         std::int64_t now_ms) {
  set_clock(now_ms);
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->in_flight.find(delivery) == nullptr) return false;
  if (out_of_room() || !letter_queue_for(*subscription->in_flight.find(delivery))) return false;
  Batch batch;
  bury(batch, take_from_flight(*subscription, delivery), reason);
  submit(std::move(batch));
  after_verdicts(id);
  return true;
}

}  // namespace stompbox::routing
