#include <algorithm>
#include <map>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/browse.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"

// Looking at a queue without taking anything.
namespace stompbox::routing {
namespace {

constexpr std::size_t kMessagesOfAPage = 64;

}  // namespace

void Router::browse(std::string_view name, queue::Place from, std::size_t count_max,
                    std::function<void(BrowsePage)> done) {
  const RoutedQueue* queue = find_queue(name);
  if (queue == nullptr) {
    BrowsePage page;
    page.error = storage::Error{storage::ErrorCode::kNotFound,
                                "there is no queue '" + std::string(name) + "'"};
    done(std::move(page));
    return;
  }
  if (queue->nothing_paged()) {
    done(browse_memory(*queue, from, count_max));
    return;
  }
  const std::uint64_t tag = ++last_load_;
  auto browse = std::make_unique<Browse>();
  *browse = Browse{queue->id(), from, count_max, std::move(done)};
  browses_.emplace(tag, std::move(browse));
  journal_.load({.queue = queue->id(),
                 .from = from,
                 .count_max = count_max,
                 .bytes_max = options_.resident_bytes_max,
                 .tag = tag});
}

// What is in memory may not be in the store yet, or never will be; what is paged is in the store
// only.
BrowsePage Router::browse_memory(const RoutedQueue& queue, queue::Place from,
                                 std::size_t count_max) const {
  std::map<queue::Place, BrowsedMessage> found;
  const auto note = [this, &found, from](const Entry& entry, bool in_flight) {
    if (entry.place < from || entry.visible_after > committed_through_) return;
    found.emplace(entry.place,
                  BrowsedMessage{entry.place, entry.message, entry.deliveries, in_flight});
  };
  queue.for_each_waiting([&note](const Entry& entry) { note(entry, false); });
  for (const Seat* seat : queue.consumers()) {
    seat->subscription->in_flight.for_each([&note, &queue](const Entry& entry) {
      if (entry.home == &queue) note(entry, true);
    });
  }
  BrowsePage page;
  for (auto& [place, message] : found) {
    if (page.messages.size() == count_max) {
      page.next = place;
      break;
    }
    page.messages.push_back(std::move(message));
  }
  return page;
}

void Router::finish_browse(std::uint64_t tag, queue::LoadedPage loaded) {
  const auto found = browses_.find(tag);
  if (found == browses_.end()) return;
  const std::unique_ptr<Browse> browse = std::move(found->second);
  browses_.erase(found);
  const RoutedQueue* const queue = find_queue(browse->queue);
  if (queue == nullptr) {  // it was dropped meanwhile
    browse->done({});
    return;
  }
  BrowsePage page = browse_memory(*queue, browse->from, browse->count_max);
  page.error = std::move(loaded.error);
  std::map<queue::Place, BrowsedMessage> all;
  for (BrowsedMessage& message : page.messages) {
    const queue::Place place = message.place;
    all.emplace(place, std::move(message));
  }
  std::optional<queue::Place> end = page.next;
  for (queue::LoadedMessage& message : loaded.messages) {
    all.emplace(message.place, BrowsedMessage{message.place, std::move(message.message),
                                              message.deliveries, false});
  }
  if (loaded.more && !loaded.messages.empty()) {
    queue::Place after = loaded.messages.back().place;
    after.seq.value += 1;
    if (!end || after < *end) end = after;
  }
  page.messages.clear();
  page.next = end;
  for (auto& [place, message] : all) {
    if (end && !(place < *end)) break;
    if (page.messages.size() == browse->count_max) {
      page.next = place;
      break;
    }
    page.messages.push_back(std::move(message));
  }
  browse->done(std::move(page));
}

void Router::start_browser(const SubscribeRequest& request, Subscription& subscription) {
  auto browser = std::make_unique<Browser>();
  RoutedQueue& queue = routed(*subscription.seats.front().queue);
  browser->queue = queue.id();
  browser->browsing = request.browsing;
  const bool only_what_comes = request.browse_from == UINT64_MAX;
  browser->seq_min = only_what_comes ? 0 : request.browse_from;
  browser->shows_old = !only_what_comes;
  if (request.browsing == Browsing::kFollow) queue.care.followers.push_back(subscription.id);
  browsers_.emplace(subscription.id.value, std::move(browser));
}

// The next page is asked for when all of the last one is in the consumer's hands and it has credit
// for more; what came meanwhile follows the last.
void Router::pump_browser(Subscription& subscription) {
  const auto found = browsers_.find(subscription.id.value);
  if (found == browsers_.end()) return;
  Browser& browser = *found->second;
  while (!browser.page.empty() && subscription.has_credit()) {
    const BrowsedMessage shown = std::move(browser.page.front());
    browser.page.pop_front();
    Entry entry;
    entry.place = shown.place;
    entry.message = shown.message;
    entry.deliveries = shown.deliveries;
    hand_out(subscription, std::move(entry));
  }
  if (!browser.page.empty() || browser.loading || !subscription.started) return;
  if (browser.at_end) {
    if (!std::exchange(browser.told_end, true)) subscription.consumer->browse_end(subscription.tag);
    pump_backlog(subscription);
    return;
  }
  if (!subscription.has_credit()) return;
  const RoutedQueue* const queue = find_queue(browser.queue);
  if (queue == nullptr || !browser.shows_old) {
    on_browser_page(subscription.id, {});
    return;
  }
  browser.loading = true;
  browse(queue->name(), browser.next, kMessagesOfAPage,
         [this, id = subscription.id](BrowsePage page) { on_browser_page(id, std::move(page)); });
}

void Router::on_browser_page(SubscriptionId id, BrowsePage page) {
  Subscription* const subscription = find(id);
  const auto found = browsers_.find(id.value);
  if (subscription == nullptr || found == browsers_.end()) return;
  Browser& browser = *found->second;
  browser.loading = false;
  if (page.error) figures_.last_load_error = page.error->text;
  for (BrowsedMessage& message : page.messages) {
    const bool is_wanted =
        subscription->selector == nullptr || subscription->selector->matches(*message.message);
    if (!is_wanted || message.place.seq.value < browser.seq_min) continue;
    if (is_expired(*message.message)) continue;
    browser.page.push_back(std::move(message));
  }
  browser.at_end = !page.next;
  browser.next = page.next.value_or(queue::kBehindAll);
  pump_browser(*subscription);
}

// What a transaction brings is hidden until it is synced (promise P5), and what comes behind it
// waits with it.
void Router::tell_followers(RoutedQueue& queue, const Entry& entry) {
  const auto of_queue = [&queue](const HiddenShow& show) { return show.queue == queue.id(); };
  const bool is_hidden = entry.visible_after > committed_through_;
  if (!is_hidden && std::none_of(hidden_shows_.begin(), hidden_shows_.end(), of_queue)) {
    show_followers(queue, entry);
    return;
  }
  Entry shown;
  shown.place = entry.place;
  shown.message = entry.message;
  const queue::Ticket ticket = is_hidden ? entry.visible_after : hidden_shows_.back().ticket;
  hidden_shows_.push_back({ticket, queue.id(), std::move(shown)});
}

void Router::release_hidden_shows() {
  while (!hidden_shows_.empty() && hidden_shows_.front().ticket <= committed_through_) {
    const HiddenShow show = std::move(hidden_shows_.front());
    hidden_shows_.pop_front();
    if (RoutedQueue* const queue = find_queue(show.queue)) show_followers(*queue, show.entry);
  }
}

// Those who follow see what comes, unless a later page will show it anyway.
void Router::show_followers(RoutedQueue& queue, const Entry& entry) {
  const TopicLimits limits{options_.topic_policy.backlog_count_max,
                           options_.topic_policy.backlog_bytes_max,
                           options_.topic_policy.when_slow};
  for (const SubscriptionId id : queue.care.followers) {
    Subscription* const subscription = find(id);
    const Browser& browser = *browsers_.at(id.value);
    if (!browser.at_end && !(entry.place < browser.next)) continue;
    if (subscription->selector != nullptr && !subscription->selector->matches(*entry.message)) {
      continue;
    }
    Entry shown;
    shown.place = entry.place;
    shown.message = entry.message;
    offer(*subscription, shown, limits);
  }
}

void Router::end_browser(Subscription& subscription) {
  const auto found = browsers_.find(subscription.id.value);
  if (found == browsers_.end()) return;
  if (RoutedQueue* queue = find_queue(found->second->queue)) {
    std::erase(queue->care.followers, subscription.id);
  }
  browsers_.erase(found);
}

}  // namespace stompbox::routing
