#include "broker/routing/router.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/drainage.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/temporary.h"

// Who is there: peers and queues. The rest stands in the other router_*.cc, as router.h says.
namespace stompbox::routing {
namespace {

bool bounds_a_queue(const RoutingOptions& options) {
  const auto bounds = [](const PolicyRule& rule) {
    return rule.messages_max.value_or(0) > 0 || rule.bytes_max.value_or(0) > 0;
  };
  return options.queue_policy.messages_max > 0 || options.queue_policy.bytes_max > 0 ||
         std::any_of(options.policies.begin(), options.policies.end(), bounds);
}

// Whether a rule's dead-letter queue, `*` standing for a queue's name, may be called so. Names that
// begin with a slash are other things', and never made of a pattern (letter_queue_for).
bool may_be_called(std::string_view rule, std::string_view name) {
  const std::size_t star = rule.find('*');
  if (star == std::string_view::npos) return rule == name;
  if (name.starts_with('/')) return false;
  const std::string_view before = rule.substr(0, star);
  const std::string_view after = rule.substr(star + 1);
  return name.size() > before.size() + after.size() && name.starts_with(before) &&
         name.ends_with(after);
}

}  // namespace

Router::Router(queue::Journal& journal, RoutingOptions options, const queue::StoreState& state)
    : journal_(journal),
      options_(std::move(options)),
      policies_(options_.queue_policy, options_.topic_policy, options_.policies),
      has_bounds_(bounds_a_queue(options_)),
      epoch_(state.epoch),
      topics_(options_.topic_count_max, policies_),
      retained_(options_.retained_bytes_max) {
  residence_.queue_count_max = options_.resident_count_max;
  residence_.queue_bytes_max = options_.resident_bytes_max;
  residence_.total_bytes_max = options_.resident_total_bytes_max;
  last_queue_ = state.last_queue.value;
  for (const queue::QueueState& found : state.queues) {
    last_queue_ = std::max(last_queue_, found.queue.value);
    restore(found);
  }
}

Router::~Router() = default;

// What belonged to a connection of an earlier life is dropped.
void Router::restore(const queue::QueueState& found) {
  if (is_temporary(found.name)) {
    note_ticket(journal_.submit(queue::DropQueue{found.queue}));
    return;
  }
  if (found.name == kScheduleQueue) {
    schedule_queue_ = found.queue;
    last_job_seq_ = found.next_seq.value;
    finding_jobs_ = true;
    return;
  }
  auto queue = std::make_unique<RoutedQueue>(found, residence_);
  queue->care.attributes = found.attributes;
  set_up(*queue);
  if (found.name.starts_with(kDurablePrefix)) {
    auto interest = DurableInterest::parse(found.attributes);
    auto filter = interest ? DurableFilter::make(std::move(*interest))
                           : storage::Result<DurableFilter>(interest.error());
    if (filter) {
      topics_.set_durable(*queue, std::move(*filter));
    } else {
      figures_.last_load_error = filter.error().text;
    }
  }
  queues_by_id_.emplace(found.queue.value, queue.get());
  queues_.emplace(found.name, std::move(queue));
}

PeerId Router::attach(Consumer& peer, std::string owner) {
  const PeerId id{++last_peer_};
  Peer made;
  made.consumer = &peer;
  assert(owner.find('.') == std::string::npos);
  if (!owner.empty()) owners_.emplace(owner, id);
  made.owner = std::move(owner);
  peers_.emplace(id.value, std::move(made));
  return id;
}

void Router::detach(PeerId peer) {
  const auto found = peers_.find(peer.value);
  if (found == peers_.end()) return;
  const Peer gone = std::move(found->second);
  // First the peer, so that nothing of what follows is given to it or to its other subscriptions.
  peers_.erase(found);
  if (!gone.owner.empty()) owners_.erase(gone.owner);
  for (const SubscriptionId id : gone.subscriptions) {
    if (Subscription* subscription = find(id)) leave_destination(*subscription);
  }
  for (const SubscriptionId id : gone.subscriptions) {
    if (Subscription* subscription = find(id)) end(*subscription);
  }
  for (const std::string& name : gone.temporary_queues) {
    if (RoutedQueue* queue = find_queue(name)) drop_queue(*queue);
  }
}

RoutedQueue* Router::find_queue(std::string_view name) const {
  const auto found = queues_.find(name);
  return found == queues_.end() ? nullptr : found->second.get();
}

RoutedQueue* Router::find_queue(queue::QueueId id) const {
  const auto found = queues_by_id_.find(id.value);
  return found == queues_by_id_.end() ? nullptr : found->second;
}

bool Router::takes_letters(std::string_view name) const {
  const auto fits = [name](const PolicyRule& rule) {
    return rule.dead_letter_queue && may_be_called(*rule.dead_letter_queue, name);
  };
  return name == options_.dead_letter_queue ||
         may_be_called(options_.queue_policy.dead_letter_queue, name) ||
         std::any_of(options_.policies.begin(), options_.policies.end(), fits);
}

// Few: each stands there as it is.
bool Router::is_named_in_options(std::string_view name) const {
  const auto is_it = [name](const PolicyRule& rule) { return rule.dead_letter_queue == name; };
  const auto& always = options_.always_allowed_queues;
  return name == options_.dead_letter_queue || name == options_.queue_policy.dead_letter_queue ||
         std::any_of(options_.policies.begin(), options_.policies.end(), is_it) ||
         std::find(always.begin(), always.end(), name) != always.end();
}

// The bound on the number of queues is for those that peers make. A name that only fits a rule's
// pattern is anybody's to use: such a queue is the broker's if it was made for a dead letter.
bool Router::counts(const RoutedQueue& queue) const {
  return !is_named_in_options(queue.name()) && queue.care.attributes != kMadeForLetters;
}

void Router::set_up(RoutedQueue& queue) {
  QueueCare& care = queue.care;
  care.policy = policies_.find(DestinationKind::kQueue, queue.name());
  care.takes_letters = takes_letters(queue.name());
  care.is_temporary = is_temporary(queue.name());
  care.stays = care.is_temporary || queue.name().starts_with(kDurablePrefix) ||
               is_named_in_options(queue.name()) || care.policy.idle_max.count() == 0;
  care.last_use_ms = now_ms_;
  care.restless_since_ms = now_ms_;
  care.counts = counts(queue);
  if (!care.counts) uncounted_queues_ += 1;
  arm(queue);
}

storage::Result<RoutedQueue*> Router::queue_named(std::string_view name, Maker maker) {
  if (RoutedQueue* queue = find_queue(name)) return queue;
  const bool is_full = queues_.size() - uncounted_queues_ >= options_.queue_count_max;
  if (is_full && maker == Maker::kPeer && !is_named_in_options(name)) {
    return storage::Error{storage::ErrorCode::kFull,
                          "there are as many queues as the option routing.queues_max allows"};
  }
  const queue::QueueId id{++last_queue_};
  auto queue = std::make_unique<RoutedQueue>(id, std::string(name), residence_);
  RoutedQueue& made = *queue;
  if (maker == Maker::kBroker && !is_named_in_options(name)) {
    made.care.attributes = kMadeForLetters;
  }
  queues_by_id_.emplace(id.value, &made);
  queues_.emplace(std::string(name), std::move(queue));
  set_up(made);
  seat_wild_ones(made);
  return &made;
}

// A queue that the store has never heard of is only a name that somebody subscribed to.
void Router::drop_if_unused(RoutedQueue& queue) {
  if (queue.is_known_to_store() || queue.subscription_count > 0 || !queue.nothing_waits() ||
      queue.in_flight > 0 || queue.care.is_temporary || queue.care.drainages > 0) {
    return;
  }
  drop_queue(queue);
}

void Router::drop_queue(RoutedQueue& queue) {
  if (queue.is_known_to_store()) note_ticket(journal_.submit(queue::DropQueue{queue.id()}));
  forget_queue(queue);
}

// Whoever still holds something of it has been told before.
void Router::forget_queue(RoutedQueue& queue) {
  end_drain(queue);
  tell_senders(queue, Told::kAll);
  topics_.remove_durable(queue);
  for (const auto& seat : std::vector<Seat*>(queue.consumers())) {
    queue.remove_consumer(*seat);
    seat->subscription->seats.remove(*seat);
  }
  if (!queue.care.counts) uncounted_queues_ -= 1;
  if (queue.care.alarm_ms != 0) alarms_.erase({queue.care.alarm_ms, queue.id().value});
  queues_by_id_.erase(queue.id().value);
  queues_.erase(queues_.find(queue.name()));
}

Consumer* Router::consumer_of(PeerId peer) const {
  const auto found = peers_.find(peer.value);
  return found == peers_.end() ? nullptr : found->second.consumer;
}

void Router::pay(const Debt& debt) {
  if (!debt.owed()) return;
  if (Consumer* consumer = consumer_of(debt.peer)) consumer->receipt_due(debt.receipt);
}

QueueFigures Router::figures_of(const RoutedQueue& queue) {
  QueueFigures figures = queue.figures();
  figures.expired = queue.care.expired;
  figures.dropped = queue.care.dropped;
  figures.takes_letters = queue.care.takes_letters;
  return figures;
}

std::optional<QueueFigures> Router::queue_figures(std::string_view name) const {
  const RoutedQueue* const queue = find_queue(name);
  return queue == nullptr ? std::nullopt : std::optional(figures_of(*queue));
}

std::vector<QueueFigures> Router::queue_figures() const {
  std::vector<QueueFigures> all;
  all.reserve(queues_.size());
  for (const auto& [name, queue] : queues_)
    all.push_back(figures_of(*queue));
  std::sort(all.begin(), all.end(),
            [](const QueueFigures& a, const QueueFigures& b) { return a.name < b.name; });
  return all;
}

RouterFigures Router::figures() const {
  RouterFigures figures = figures_;
  figures.disk_full = disk_full_;
  figures.journal_bytes = journal_.pending_bytes();
  figures.resident_bytes = residence_.total_bytes;
  figures.peers = peers_.size();
  figures.subscriptions = subscriptions_.size() - free_subscriptions_.size();
  figures.scheduled = schedule_.count() + loading_jobs_.size() + unwritten_jobs_.size();
  figures.retained = retained_.count();
  figures.durable_subscriptions = topics_.durable_count();
  return figures;
}

}  // namespace stompbox::routing
