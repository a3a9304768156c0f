#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/drainage.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// Subscriptions, from SUBSCRIBE to the last ACK.
namespace stompbox::routing {
namespace {

storage::Error invalid(std::string text) {
  return {storage::ErrorCode::kInvalid, std::move(text)};
}

}  // namespace

// The broker itself is nobody's owner.
const std::string& Router::owner_name(PeerId peer) const {
  static const std::string kNobody;
  const auto found = peers_.find(peer.value);
  return found == peers_.end() ? kNobody : found->second.owner;
}

storage::Result<RoutedQueue*> Router::queue_of(PeerId peer, const DestinationView& view) {
  if (view.kind == DestinationKind::kQueue) return queue_named(view.name);
  const std::string name = internal_name(view, owner_name(peer));
  if (view.kind == DestinationKind::kDurable) {
    if (RoutedQueue* queue = find_queue(name)) return queue;
    return storage::Error{storage::ErrorCode::kNotFound,
                          "there is no durable subscription '" + std::string(view.name) + "'"};
  }
  const std::string_view rest = std::string_view(name).substr(kTempQueuePrefix.size());
  const auto owner = owners_.find(owner_of(rest));
  if (owner == owners_.end()) {
    return storage::Error{storage::ErrorCode::kNotFound,
                          "the temporary queue '" + std::string(view.name) + "' is gone"};
  }
  const bool is_new = find_queue(name) == nullptr;
  auto queue = queue_named(name);
  if (queue && is_new) peers_.at(owner->second.value).temporary_queues.push_back(name);
  return queue;
}

storage::Result<std::string> Router::topic_of(PeerId peer, const DestinationView& view) const {
  std::string name = internal_name(view, owner_name(peer));
  if (view.kind == DestinationKind::kTopic) return name;
  const std::string_view rest = std::string_view(name).substr(kTempTopicPrefix.size());
  if (owners_.contains(owner_of(rest))) return name;
  return storage::Error{storage::ErrorCode::kNotFound,
                        "the temporary topic '" + std::string(view.name) + "' is gone"};
}

storage::Result<SubscriptionId> Router::subscribe(const SubscribeRequest& request) {
  assert(peers_.contains(request.peer.value) && !request.destinations.empty());
  auto subscription =
      std::make_unique<Subscription>(in_flight_total_, options_.in_flight_total_bytes_max);
  subscription->peer = request.peer;
  subscription->consumer = consumer_of(request.peer);
  subscription->consumer_memory = request.memory;
  subscription->tag = request.tag;
  subscription->ack_mode = request.ack_mode;
  subscription->credit = request.credit;
  subscription->credit.count_max = std::min(request.credit.count_max, InFlight::kCountMax);
  subscription->selector = request.selector;
  subscription->priority = request.priority;
  subscription->exclusivity = request.exclusivity;
  subscription->locality = request.locality;
  subscription->browses = request.browsing != Browsing::kNo;
  std::vector<Pattern> patterns;
  if (auto taken = take_places(request, *subscription, patterns); !taken) {
    give_up(*subscription);
    return taken.error();
  }
  Subscription& made = *subscription;
  enrol(std::move(subscription), request, std::move(patterns));
  return made.id;
}

storage::Status Router::take_places(const SubscribeRequest& request, Subscription& subscription,
                                    std::vector<Pattern>& patterns) {
  if (request.durable_name) return take_durable(request, subscription);
  const bool looks_at_one_queue = request.destinations.size() == 1 &&
                                  !is_topic(request.destinations.front().kind) &&
                                  !request.destinations.front().has_wildcards;
  if (subscription.browses && !looks_at_one_queue) {
    return invalid("only a single queue can be browsed");
  }
  if (auto seated = take_seats(request.peer, request.destinations, subscription, patterns);
      !seated) {
    return seated;
  }
  return take_topics(request.peer, request, subscription);
}

storage::Status Router::take_seats(PeerId peer, const std::vector<Destination>& destinations,
                                   Subscription& subscription, std::vector<Pattern>& patterns) {
  for (const Destination& destination : destinations) {
    if (is_topic(destination.kind)) continue;
    if (destination.has_wildcards) {
      patterns.emplace_back(destination.name);
      continue;
    }
    const DestinationView view{destination.kind, destination.name, false};
    const std::string name = internal_name(view, owner_name(peer));
    const bool is_foreign =
        is_temporary(name) &&
        owner_of(std::string_view(name).substr(kTempQueuePrefix.size())) != owner_name(peer);
    if (is_foreign || (is_temporary(name) && owner_name(peer).empty())) {
      return storage::Error{storage::ErrorCode::kDenied,
                            "a temporary queue can be subscribed to by its owner only"};
    }
    auto queue = queue_of(peer, view);
    if (!queue) return queue.error();
    (void)seat_at(subscription, **queue);
  }
  if (patterns.empty()) return storage::kOk;
  for (const auto& [name, queue] : queues_) {
    const auto fits = [&name](const Pattern& pattern) { return pattern.matches(name); };
    if (!name.starts_with('/') && std::any_of(patterns.begin(), patterns.end(), fits)) {
      (void)seat_at(subscription, *queue);
    }
  }
  return storage::kOk;
}

storage::Status Router::take_topics(PeerId peer, const SubscribeRequest& request,
                                    Subscription& subscription) {
  std::vector<Destination> topics;
  for (const Destination& destination : request.destinations) {
    if (!is_topic(destination.kind)) continue;
    auto name = topic_of(peer, {destination.kind, destination.name, destination.has_wildcards});
    if (!name) return name.error();
    topics.push_back({DestinationKind::kTopic, std::move(*name), destination.has_wildcards});
  }
  if (topics.empty()) return storage::kOk;
  if (auto added = topics_.add(subscription, topics, request.selector); !added) return added;
  subscription.hears_topics = true;
  give_retained(subscription, topics);
  if (backlog_total_bytes_ > options_.topic_backlog_total_bytes_max) {
    return storage::Error{storage::ErrorCode::kFull,
                          "too much waits for the subscribers of topics already"};
  }
  return storage::kOk;
}

// A changed topic or selector holds from now on; what has been kept is kept.
storage::Status Router::take_durable(const SubscribeRequest& request, Subscription& subscription) {
  if (request.locality == Locality::kNotOwn) {
    return invalid("a durable subscription keeps what its own connection sends, too: no-local");
  }
  DurableInterest interest;
  for (const Destination& destination : request.destinations) {
    if (destination.kind != DestinationKind::kTopic) {
      return invalid("a durable subscription is to topics");
    }
    interest.topics.push_back(destination);
  }
  if (request.selector != nullptr) interest.selector = request.selector->text();
  subscription.selector = nullptr;  // it chooses what is kept, so all that is kept is wanted
  auto filter = DurableFilter::make(interest);
  if (!filter) return filter.error();
  auto queue = queue_named(std::string(kDurablePrefix) + *request.durable_name);
  if (!queue) return queue.error();
  RoutedQueue& backlog = **queue;
  (void)seat_at(subscription, backlog);
  std::string attributes = interest.to_attributes();
  if (topics_.durable(backlog) != nullptr && backlog.care.attributes == attributes) {
    return storage::kOk;
  }
  backlog.care.attributes = std::move(attributes);
  (void)backlog.known_to_store();
  note_ticket(journal_.submit(introduction(backlog)));
  topics_.set_durable(backlog, std::move(*filter));
  return storage::kOk;
}

Seat& Router::seat_at(Subscription& subscription, RoutedQueue& queue) {
  for (Seat& seat : subscription.seats) {
    if (seat.queue == &queue) return seat;
  }
  Seat& seat = subscription.seats.add();
  seat.subscription = &subscription;
  seat.queue = &queue;
  if (!subscription.browses) queue.add_consumer(seat);
  queue.subscription_count += 1;
  return seat;
}

// It came to nothing: what was taken for it is given back.
void Router::give_up(Subscription& subscription) {
  topics_.remove(subscription);
  clear_backlog(subscription);
  for (Seat& seat : subscription.seats) {
    seat.queue->remove_consumer(seat);
    seat.queue->subscription_count -= 1;
    drop_if_unused(routed(*seat.queue));
  }
  subscription.seats.clear();
}

void Router::enrol(std::unique_ptr<Subscription> subscription, const SubscribeRequest& request,
                   std::vector<Pattern> patterns) {
  if (free_subscriptions_.empty()) {
    free_subscriptions_.push_back(static_cast<std::uint32_t>(subscriptions_.size()));
    subscriptions_.emplace_back();
  }
  const std::uint32_t index = free_subscriptions_.back();
  free_subscriptions_.pop_back();
  SubscriptionSlot& slot = subscriptions_[index];
  subscription->id = {(static_cast<std::uint64_t>(++slot.uses) << 32) | index};
  peers_.at(request.peer.value).subscriptions.push_back(subscription->id);
  if (!patterns.empty()) wild_.push_back({subscription->id, std::move(patterns)});
  if (subscription->browses) start_browser(request, *subscription);
  slot.subscription = std::move(subscription);
}

void Router::seat_wild_ones(RoutedQueue& queue) {
  if (wild_.empty() || queue.name().starts_with('/')) return;
  for (const WildSubscription& wild : wild_) {
    const auto fits = [&queue](const Pattern& pattern) { return pattern.matches(queue.name()); };
    if (std::none_of(wild.patterns.begin(), wild.patterns.end(), fits)) continue;
    Subscription* const subscription = find(wild.subscription);
    queue.offer_turn(seat_at(*subscription, queue));
  }
}

void Router::start_delivery(SubscriptionId id) {
  Subscription* subscription = find(id);
  if (subscription == nullptr) return;
  subscription->started = true;
  credit_came(*subscription);
}

void Router::unsubscribe(SubscriptionId id) {
  Subscription* subscription = find(id);
  if (subscription == nullptr || subscription->ended) return;
  leave_destination(*subscription);
  for (const Seat& seat : subscription->seats)
    pump(routed(*seat.queue));
  drop_if_spent(*subscription);
}

void Router::leave_destination(Subscription& subscription) {
  if (subscription.ended) return;
  subscription.ended = true;
  for (Seat& seat : subscription.seats) {
    seat.queue->remove_consumer(seat);
    tell_senders(routed(*seat.queue), Told::kAll);  // who relied on it to make room asks again
    routed(*seat.queue).care.last_use_ms = now_ms_;
    routed(*seat.queue).care.restless_since_ms = now_ms_;
  }
  if (std::exchange(subscription.hears_topics, false)) topics_.remove(subscription);
  std::erase_if(wild_, [&subscription](const WildSubscription& wild) {
    return wild.subscription == subscription.id;
  });
  if (subscription.browses) end_browser(subscription);
  clear_backlog(subscription);
}

// The peer is gone: what it had in flight goes back.
void Router::end(Subscription& subscription) {
  Batch batch;
  while (const auto delivery = subscription.in_flight.first()) {
    Entry entry = take_from_flight(subscription, *delivery);
    come_back(batch, subscription, std::move(entry), CameBack::kOrphaned);
  }
  submit(std::move(batch));
  for (const Seat& seat : subscription.seats)
    pump(routed(*seat.queue));
  drop_if_spent(subscription);
}

void Router::drop_if_spent(Subscription& subscription) {
  if (!subscription.ended || subscription.in_flight.count() > 0) return;
  const SubscriptionId id = subscription.id;
  if (const auto peer = peers_.find(subscription.peer.value); peer != peers_.end()) {
    std::erase(peer->second.subscriptions, id);
  }
  std::vector<Queue*> queues;
  for (const Seat& seat : subscription.seats)
    queues.push_back(seat.queue);
  const auto index = static_cast<std::uint32_t>(id.value);
  subscriptions_[index].subscription.reset();
  free_subscriptions_.push_back(index);
  for (Queue* const queue : queues) {
    queue->subscription_count -= 1;
    drop_if_unused(routed(*queue));
  }
}

Subscription* Router::find(SubscriptionId id) const {
  const auto index = static_cast<std::uint32_t>(id.value);
  if (index >= subscriptions_.size()) return nullptr;
  Subscription* subscription = subscriptions_[index].subscription.get();
  return subscription != nullptr && subscription->id == id ? subscription : nullptr;
}

void Router::set_credit(SubscriptionId id, Credit credit) {
  Subscription* subscription = find(id);
  if (subscription == nullptr) return;
  subscription->credit = credit;
  subscription->credit.count_max = std::min(credit.count_max, InFlight::kCountMax);
  credit_came(*subscription);
}

storage::Status Router::forget_durable(std::string_view durable_name) {
  RoutedQueue* queue = find_queue(std::string(kDurablePrefix).append(durable_name));
  if (queue == nullptr) {
    return storage::Error{storage::ErrorCode::kNotFound,
                          "there is no durable subscription '" + std::string(durable_name) + "'"};
  }
  // Those that have ended only wait for ACKs: these are accepted later and do nothing.
  std::vector<std::pair<Subscription*, const Seat*>> ended;
  for (const SubscriptionSlot& slot : subscriptions_) {
    if (slot.subscription == nullptr || !slot.subscription->ended) continue;
    for (const Seat& seat : slot.subscription->seats) {
      if (seat.queue == queue) ended.emplace_back(slot.subscription.get(), &seat);
    }
  }
  if (queue->subscription_count > ended.size()) {
    return invalid("the durable subscription '" + std::string(durable_name) + "' is in use");
  }
  for (const auto& [subscription, seat] : ended) {
    subscription->in_flight.forget_home(*queue);
    subscription->seats.remove(*seat);
  }
  drop_queue(*queue);
  return storage::kOk;
}

bool Router::exists(PeerId peer, const DestinationView& destination) const {
  const std::string name = internal_name(destination, owner_name(peer));
  if (is_topic(destination.kind)) return topics_.has_subscriber(name);
  return find_queue(name) != nullptr;
}

}  // namespace stompbox::routing
