#include <algorithm>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// From a topic to its subscriptions. Topics are not stored: each subscription keeps what it has no
// credit for, within a bound; durable subscriptions are queues.
namespace stompbox::routing {

void Router::publish_to_topic(TopicPost post, Intake intake, Debt debt) {
  const Topic* const topic = topics_.find(post.topic);
  if (topic != nullptr && !topic->durables().empty()) {
    Batch batch;
    add_to_topic(batch, post, intake);
    batch.debts.push_back(debt);
    submit(std::move(batch));
    return;
  }
  post_in_order(post);
  pay(debt);
}

bool Router::has_hidden_posts(PeerId peer) const {
  const auto found = peers_.find(peer.value);
  return found != peers_.end() && found->second.last_hidden > committed_through_;
}

// What follows a transaction of the same sender must not overtake it (promise P4).
void Router::post_in_order(const TopicPost& post) {
  if (!hidden_posts_.empty() && has_hidden_posts(post.sender)) {
    hidden_posts_.push_back({hidden_posts_.back().ticket, std::string(post.topic), post.message,
                             post.sender, post.retain});
    return;
  }
  post_now(post);
}

// Where the policy of a backlog lets it live shorter, it gets a copy of its own.
queue::MessagePtr Router::aged(const queue::MessagePtr& message, const RoutedQueue& queue) const {
  const std::int64_t expires_ms = expiry_in(queue, message->expires_ms);
  if (expires_ms == message->expires_ms) return message;
  auto own = std::make_shared<queue::Message>(*message);
  own->expires_ms = expires_ms;
  return own;
}

// Durable subscriptions get the message at once, in the group; the others when it is posted.
void Router::add_to_topic(Batch& batch, TopicPost post, Intake intake) {
  if (const Topic* const topic = topics_.find(post.topic)) {
    for (const Topic::DurableTaker& durable : topic->durables()) {
      if (!durable.filter->wants(*post.message)) continue;
      add_to_queue(batch, *durable.queue, aged(post.message, *durable.queue), intake);
    }
  }
  batch.posts.push_back(
      {{}, std::string(post.topic), std::move(post.message), post.sender, post.retain});
}

void Router::post_now(const TopicPost& post) {
  if (post.retain == Retain::kSet) retained_.set(post.topic, post.message);
  if (post.retain == Retain::kRemove) retained_.remove(post.topic);
  if (is_expired(*post.message)) {
    figures_.expired += 1;
    return;
  }
  if (const Topic* const topic = topics_.find(post.topic)) {
    show(*topic, post);
  } else {
    figures_.topic_without_subscriber += 1;
  }
}

void Router::show(const Topic& topic, const TopicPost& post) {
  Entry entry;
  entry.place.seq = {++last_post_};
  entry.message = post.message;
  topic.for_each_taker(*post.message, [this, &topic, &post, &entry](Subscription& subscription) {
    if (subscription.locality == Locality::kNotOwn && subscription.peer == post.sender) return;
    offer(subscription, entry, topic.limits());
  });
  bound_all_backlogs();
}

void Router::offer(Subscription& subscription, const Entry& entry, const TopicLimits& limits) {
  if (!subscription.started || subscription.ended || subscription.too_slow) return;
  if (subscription.backlog.empty() && subscription.has_credit()) {
    hand_out(subscription, entry, std::exchange(subscription.lost, 0));
    return;
  }
  subscription.backlog.push_back(entry);
  subscription.backlog_bytes += entry.bytes();
  backlog_total_bytes_ += entry.bytes();
  bound_backlog(subscription, limits);
}

void Router::bound_backlog(Subscription& subscription, const TopicLimits& limits) {
  while (subscription.backlog.size() > limits.count_max ||
         subscription.backlog_bytes > limits.bytes_max) {
    if (limits.when_slow == WhenSlow::kClose) {
      close_slow(subscription);
      return;
    }
    lose_oldest(subscription, 1);
  }
}

// All together are beyond their bound: whoever keeps most loses half of it, or is closed where its
// own bound would have meant that.
void Router::bound_all_backlogs() {
  while (backlog_total_bytes_ > options_.topic_backlog_total_bytes_max) {
    Subscription* largest = nullptr;
    for (const SubscriptionSlot& slot : subscriptions_) {
      Subscription* const one = slot.subscription.get();
      if (one == nullptr || one->backlog_bytes == 0) continue;
      if (largest == nullptr || one->backlog_bytes > largest->backlog_bytes) largest = one;
    }
    if (largest == nullptr) return;
    const auto view =
        view_destination(largest->backlog.back().message->destination, *options_.profile);
    const Policy policy = policies_.find(DestinationKind::kTopic, view ? view->name : "");
    if (policy.when_slow == WhenSlow::kClose) {
      close_slow(*largest);
    } else {
      lose_oldest(*largest, largest->backlog.size() / 2 + 1);
    }
  }
}

void Router::lose_oldest(Subscription& subscription, std::size_t count) {
  for (std::size_t i = 0; i < count && !subscription.backlog.empty(); ++i) {
    const std::size_t bytes = subscription.backlog.front().bytes();
    subscription.backlog_bytes -= bytes;
    backlog_total_bytes_ -= bytes;
    subscription.backlog.pop_front();
    subscription.lost += 1;
    figures_.topic_dropped += 1;
  }
}

void Router::close_slow(Subscription& subscription) {
  subscription.too_slow = true;
  figures_.topic_dropped += subscription.backlog.size();
  clear_backlog(subscription);
  subscription.consumer->too_slow(subscription.tag);
}

void Router::clear_backlog(Subscription& subscription) {
  backlog_total_bytes_ -= std::exchange(subscription.backlog_bytes, 0);
  subscription.backlog.clear();
}

// Before anything new: start_delivery() hands it out.
void Router::give_retained(Subscription& subscription, const std::vector<Destination>& topics) {
  if (retained_.count() == 0) return;
  for (const Destination& topic : topics) {
    retained_.visit(topic, now_ms_, [this, &subscription](const queue::MessagePtr& message) {
      if (subscription.selector != nullptr && !subscription.selector->matches(*message)) return;
      Entry entry;
      entry.place.seq = {++last_post_};
      entry.message = message;
      entry.retained = true;
      subscription.backlog_bytes += entry.bytes();
      backlog_total_bytes_ += entry.bytes();
      subscription.backlog.push_back(std::move(entry));
    });
  }
}

void Router::pump_backlog(Subscription& subscription) {
  while (!subscription.backlog.empty() && subscription.has_credit()) {
    Entry entry = std::move(subscription.backlog.front());
    subscription.backlog.pop_front();
    subscription.backlog_bytes -= entry.bytes();
    backlog_total_bytes_ -= entry.bytes();
    if (is_expired(*entry.message)) {
      figures_.expired += 1;
      continue;
    }
    hand_out(subscription, std::move(entry), std::exchange(subscription.lost, 0));
  }
}

// A topic's message goes back to its own place among what waits for this subscription.
void Router::put_back(Subscription& subscription, Entry entry) {
  subscription.backlog_bytes += entry.bytes();
  backlog_total_bytes_ += entry.bytes();
  const auto later =
      std::find_if(subscription.backlog.begin(), subscription.backlog.end(),
                   [&entry](const Entry& waiting) { return entry.place < waiting.place; });
  subscription.backlog.insert(later, std::move(entry));
}

void Router::release_hidden_posts() {
  while (!hidden_posts_.empty() && hidden_posts_.front().ticket <= committed_through_) {
    const HiddenPost post = std::move(hidden_posts_.front());
    hidden_posts_.pop_front();
    post_now({post.topic, post.message, post.sender, post.retain});
  }
}

}  // namespace stompbox::routing
