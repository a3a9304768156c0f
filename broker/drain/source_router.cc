#include "broker/drain/source_router.h"

#include <cassert>

namespace stompbox::drain {

// A consumer that is just gone would be blamed for its deliveries: each would count for the limit.
RouterSource::~RouterSource() {
  if (!peer_) return;
  close();
  while (!in_flight_.empty())
    give_back(in_flight_.begin()->first);
  router_.detach(*peer_);
}

void RouterSource::attach(Taker& taker) {
  assert(!peer_);
  taker_ = &taker;
  peer_ = router_.attach(*this);
}

storage::Status RouterSource::subscribe(std::uint32_t tag, const std::string& queue,
                                        routing::Credit credit) {
  routing::SubscribeRequest request;
  request.peer = *peer_;
  request.tag = tag;
  request.destinations = {{routing::DestinationKind::kQueue, queue}};
  request.ack_mode = routing::AckMode::kIndividual;
  request.credit = credit;
  const auto made = router_.subscribe(request);
  if (!made) return made.error();
  subscribed_.emplace(tag, Subscribed{*made, queue});
  router_.start_delivery(*made);
  return storage::kOk;
}

void RouterSource::set_credit(std::uint32_t tag, routing::Credit credit) {
  if (const auto found = subscribed_.find(tag); found != subscribed_.end()) {
    router_.set_credit(found->second.id, credit);
  }
}

void RouterSource::close() {
  for (const auto& [tag, subscribed] : subscribed_)
    router_.unsubscribe(subscribed.id);
}

void RouterSource::deliver(const routing::Delivery& delivery) {
  const std::uint64_t item = ++last_item_;
  in_flight_.emplace(item, InFlight{delivery.subscription, delivery.id});
  taker_->take({item, delivery.tag, delivery.message});
}

// The drain asks for no receipts, publishes nothing and listens to no topic.
void RouterSource::receipt_due(routing::ReceiptNumber) {
  assert(false);
}
void RouterSource::refused(routing::ReceiptNumber, const storage::Error&) {
  assert(false);
}
void RouterSource::too_slow(std::uint32_t) {
  assert(false);
}
void RouterSource::room_again() {}

RouterSource::InFlight RouterSource::take_out(std::uint64_t item) {
  const auto found = in_flight_.extract(item);
  assert(!found.empty());
  return found.mapped();
}

// False of the router only if the delivery was taken from us, which leaves nothing to settle.
void RouterSource::done(std::uint64_t item) {
  const InFlight one = take_out(item);
  static_cast<void>(
      router_.acknowledge(one.subscription, one.delivery, routing::Reach::kOne, std::nullopt));
}

void RouterSource::give_back(std::uint64_t item) {
  const InFlight one = take_out(item);
  static_cast<void>(router_.give_back(one.subscription, one.delivery, routing::Reach::kOne,
                                      routing::Seen::kNever, std::nullopt));
}

bool RouterSource::dead_letter(std::uint64_t item, const routing::DeadLetterReason& reason,
                               std::int64_t wall_ms) {
  const InFlight one = in_flight_.at(item);
  if (!router_.dead_letter(one.subscription, one.delivery, reason, wall_ms)) return false;
  in_flight_.erase(item);
  return true;
}

bool RouterSource::contested(std::uint32_t tag) {
  const auto found = subscribed_.find(tag);
  if (found == subscribed_.end()) return false;
  const auto queue = router_.queue_figures(found->second.queue);
  return queue && queue->consumers > 1;
}

}  // namespace stompbox::drain
