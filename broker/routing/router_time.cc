#include <algorithm>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"

// What happens because time passes: expiry, delayed returns, scheduled messages, idle queues. Each
// queue has one alarm at most, so a turn of the clock costs what is due and not what is there.
namespace stompbox::routing {
namespace {

constexpr std::int64_t kRestAfterMs = 10'000;

}  // namespace

void Router::on_time(std::int64_t now_ms) {
  set_clock(now_ms);
  while (!alarms_.empty() && alarms_.begin()->first <= now_ms_) {
    RoutedQueue& queue = *queues_by_id_.at(alarms_.begin()->second);
    alarms_.erase(alarms_.begin());
    queue.care.alarm_ms = 0;
    look_after(queue);
  }
  do_due_jobs();
}

std::optional<std::int64_t> Router::next_event_ms() const {
  std::optional<std::int64_t> next = schedule_.next_due_ms();
  if (!alarms_.empty() && (!next || alarms_.begin()->first < *next)) next = alarms_.begin()->first;
  return next;
}

void Router::set_clock(std::int64_t now_ms) {
  const bool is_first = now_ms_ == 0;
  now_ms_ = std::max(now_ms_, now_ms);
  if (is_first && now_ms_ != 0) start_clock();
}

// Nothing of what was found is older than the first time that is told.
void Router::start_clock() {
  for (const auto& [name, queue] : queues_) {
    queue->care.last_use_ms = now_ms_;
    arm(*queue);
  }
  if (schedule_queue_.value != 0) find_jobs({});
}

void Router::arm(RoutedQueue& queue) {
  if (now_ms_ == 0) return;
  if (const auto next = queue.next_event_ms()) arm_at(queue, *next);
  const bool may_rest =
      queue.care.restless_since_ms != 0 && queue.consumers().empty() && queue.resident_count() > 0;
  if (may_rest) arm_at(queue, queue.care.restless_since_ms + kRestAfterMs);
  if (queue.care.stays || queue.care.alarm_ms != 0) return;
  arm_at(queue, queue.care.last_use_ms + queue.care.policy.idle_max.count());
}

void Router::arm_at(RoutedQueue& queue, std::int64_t at_ms) {
  QueueCare& care = queue.care;
  const std::int64_t alarm_ms = std::max(at_ms, now_ms_ + 1);
  if (care.alarm_ms != 0 && care.alarm_ms <= alarm_ms) return;
  if (care.alarm_ms != 0) alarms_.erase({care.alarm_ms, queue.id().value});
  care.alarm_ms = alarm_ms;
  const auto added = alarms_.emplace(alarm_ms, queue.id().value).first;
  if (added == alarms_.begin() && tell_earlier_event_) tell_earlier_event_();
}

void Router::look_after(RoutedQueue& queue) {
  if (is_idle(queue)) {
    drop_queue(queue);
    return;
  }
  if (queue.subscription_count > 0 || queue.waiting_count() > 0) queue.care.last_use_ms = now_ms_;
  expire(queue);
  let_rest(queue);
  pump(queue);
}

// Nobody has come for its messages for a while: what the store holds need not be in memory.
void Router::let_rest(RoutedQueue& queue) {
  std::int64_t& since_ms = queue.care.restless_since_ms;
  if (since_ms == 0 || since_ms + kRestAfterMs > now_ms_ || !queue.consumers().empty()) return;
  queue.release_memory(committed_through_);
  const bool is_early =
      queue.in_flight > 0 || queue.delayed_count() > 0 || last_submitted_ > committed_through_;
  since_ms = is_early ? now_ms_ : 0;
}

bool Router::is_idle(const RoutedQueue& queue) const {
  const QueueCare& care = queue.care;
  return !care.stays && care.drainages == 0 && queue.subscription_count == 0 &&
         queue.waiting_count() == 0 && queue.in_flight == 0 &&
         care.last_use_ms + care.policy.idle_max.count() <= now_ms_;
}

}  // namespace stompbox::routing
