#include "broker/routing/router.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/browse.h"
#include "broker/routing/queue.h"
#include "broker/routing/subscription.h"
#include "broker/routing/topic.h"

// Who is there: peers, queues, topics, subscriptions. Publishing, delivery and the journal's side
// stand in router_publish.cc, router_delivery.cc and router_journal.cc.
namespace stompbox::routing {

Router::Router(queue::Journal& journal, RoutingOptions options, const queue::StoreState& state)
    : journal_(journal), options_(std::move(options)), epoch_(state.epoch) {
  for (const queue::QueueState& found : state.queues) {
    auto queue = std::make_unique<Queue>(found, resident_total_);
    last_queue_ = std::max(last_queue_, found.queue.value);
    queues_by_id_.emplace(found.queue.value, queue.get());
    queues_.emplace(found.name, std::move(queue));
  }
}

Router::~Router() = default;

PeerId Router::attach(Consumer& peer) {
  const PeerId id{++last_peer_};
  peers_.emplace(id.value, Peer{&peer, {}, false});
  return id;
}

void Router::detach(PeerId peer) {
  const auto found = peers_.find(peer.value);
  if (found == peers_.end()) return;
  const std::vector<SubscriptionId> subscriptions = std::move(found->second.subscriptions);
  // First the peer, so that nothing of what follows is given to it or to its other subscriptions.
  peers_.erase(found);
  for (const SubscriptionId id : subscriptions) {
    if (Subscription* subscription = find(id)) leave_destination(*subscription);
  }
  for (const SubscriptionId id : subscriptions) {
    if (Subscription* subscription = find(id)) end(*subscription);
  }
}

storage::Result<SubscriptionId> Router::subscribe(const SubscribeRequest& request) {
  const auto peer = peers_.find(request.peer.value);
  assert(peer != peers_.end());
  auto subscription =
      std::make_unique<Subscription>(in_flight_total_, options_.in_flight_total_bytes_max);
  if (request.destination.kind == DestinationKind::kQueue) {
    auto queue = queue_named(request.destination.name);
    if (!queue) return queue.error();
    subscription->queue = *queue;
  } else {
    auto topic = topic_named(request.destination.name);
    if (!topic) return topic.error();
    subscription->topic = *topic;
  }
  if (free_subscriptions_.empty()) {
    free_subscriptions_.push_back(static_cast<std::uint32_t>(subscriptions_.size()));
    subscriptions_.emplace_back();
  }
  const std::uint32_t index = free_subscriptions_.back();
  free_subscriptions_.pop_back();
  SubscriptionSlot& slot = subscriptions_[index];
  subscription->id = {(static_cast<std::uint64_t>(++slot.uses) << 32) | index};
  subscription->peer = request.peer;
  subscription->consumer = peer->second.consumer;
  subscription->tag = request.tag;
  subscription->ack_mode = request.ack_mode;
  subscription->credit = request.credit;
  subscription->credit.count_max = std::min(request.credit.count_max, InFlight::kCountMax);
  if (subscription->queue != nullptr) {
    subscription->queue->add_consumer(*subscription);
    subscription->queue->subscription_count += 1;
  }
  if (subscription->topic != nullptr) subscription->topic->add(*subscription);
  peer->second.subscriptions.push_back(subscription->id);
  slot.subscription = std::move(subscription);
  return slot.subscription->id;
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
  drop_if_spent(*subscription);
}

void Router::leave_destination(Subscription& subscription) {
  if (subscription.ended) return;
  subscription.ended = true;
  if (subscription.queue != nullptr) subscription.queue->remove_consumer(subscription);
  if (subscription.topic != nullptr) {
    Topic& topic = *subscription.topic;
    topic.remove(subscription);
    subscription.topic = nullptr;
    subscription.backlog.clear();
    if (topic.empty()) topics_.erase(topics_.find(topic.name()));
  }
}

// The peer is gone: what it had in flight goes back.
void Router::end(Subscription& subscription) {
  Queue* const queue = subscription.queue;
  while (const auto delivery = subscription.in_flight.first()) {
    (void)return_one(subscription, *delivery, Seen::kMaybe, queue::Urgency::kRide);
  }
  if (queue != nullptr) pump(*queue);
  drop_if_spent(subscription);
}

void Router::drop_if_spent(Subscription& subscription) {
  if (!subscription.ended || subscription.in_flight.count() > 0) return;
  const SubscriptionId id = subscription.id;
  if (const auto peer = peers_.find(subscription.peer.value); peer != peers_.end()) {
    std::erase(peer->second.subscriptions, id);
  }
  Queue* const queue = subscription.queue;
  const auto index = static_cast<std::uint32_t>(id.value);
  subscriptions_[index].subscription.reset();
  free_subscriptions_.push_back(index);
  if (queue == nullptr) return;
  queue->subscription_count -= 1;
  drop_if_unused(*queue);
}

// A queue that the store has never heard of is only a name that somebody subscribed to.
void Router::drop_if_unused(Queue& queue) {
  if (queue.is_known_to_store() || queue.subscription_count > 0 || !queue.nothing_waits()) {
    return;
  }
  queues_by_id_.erase(queue.id().value);
  queues_.erase(queues_.find(queue.name()));
}

void Router::set_credit(SubscriptionId id, Credit credit) {
  Subscription* subscription = find(id);
  if (subscription == nullptr) return;
  subscription->credit = credit;
  subscription->credit.count_max = std::min(credit.count_max, InFlight::kCountMax);
  credit_came(*subscription);
}

Queue* Router::find_queue(std::string_view name) const {
  const auto found = queues_.find(name);
  return found == queues_.end() ? nullptr : found->second.get();
}

storage::Result<Queue*> Router::queue_named(std::string_view name) {
  if (Queue* queue = find_queue(name)) return queue;
  const auto& always = options_.always_allowed_queues;
  const bool counts = name != options_.dead_letter_queue &&
                      std::find(always.begin(), always.end(), name) == always.end();
  if (counts && queues_.size() >= options_.queue_count_max) {
    return storage::Error{storage::ErrorCode::kFull,
                          "there are as many queues as the option routing.queues_max allows"};
  }
  const queue::QueueId id{++last_queue_};
  auto queue = std::make_unique<Queue>(id, std::string(name), resident_total_);
  Queue* const made = queue.get();
  queues_by_id_.emplace(id.value, made);
  queues_.emplace(std::string(name), std::move(queue));
  return made;
}

storage::Result<Topic*> Router::topic_named(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return found->second.get();
  if (topics_.size() >= options_.topic_count_max) {
    return storage::Error{storage::ErrorCode::kFull,
                          "there are as many topics as the option routing.topics_max allows"};
  }
  auto topic = std::make_unique<Topic>(std::string(name));
  Topic* const made = topic.get();
  topics_.emplace(std::string(name), std::move(topic));
  return made;
}

Subscription* Router::find(SubscriptionId id) const {
  const auto index = static_cast<std::uint32_t>(id.value);
  if (index >= subscriptions_.size()) return nullptr;
  Subscription* subscription = subscriptions_[index].subscription.get();
  return subscription != nullptr && subscription->id == id ? subscription : nullptr;
}

Consumer* Router::consumer_of(PeerId peer) const {
  const auto found = peers_.find(peer.value);
  return found == peers_.end() ? nullptr : found->second.consumer;
}

void Router::pay(const Debt& debt) {
  if (!debt.owed()) return;
  if (Consumer* consumer = consumer_of(debt.peer)) consumer->receipt_due(debt.receipt);
}

std::vector<QueueFigures> Router::queue_figures() const {
  std::vector<QueueFigures> all;
  all.reserve(queues_.size());
  for (const auto& [name, queue] : queues_)
    all.push_back(queue->figures());
  std::sort(all.begin(), all.end(),
            [](const QueueFigures& a, const QueueFigures& b) { return a.name < b.name; });
  return all;
}

RouterFigures Router::figures() const {
  RouterFigures figures = figures_;
  figures.disk_full = disk_full_;
  figures.journal_bytes = journal_.pending_bytes();
  figures.resident_bytes = resident_total_;
  figures.peers = peers_.size();
  figures.subscriptions = subscriptions_.size() - free_subscriptions_.size();
  return figures;
}

}  // namespace stompbox::routing
