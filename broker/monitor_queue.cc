#include "broker/monitor_queue.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "broker/net/connections.h"

namespace stompbox {
namespace {

constexpr std::string_view kDestination = "/queue/monitor";
constexpr std::int64_t kEveryMs = 5000;
// How soon a new listener gets its first report.
constexpr std::chrono::milliseconds kLookEvery{250};
constexpr std::int64_t kMsPerSecond = 1000;

void add_line(std::string& text, std::string_view name, std::uint64_t value) {
  text.append(name).append(": ").append(std::to_string(value)).append("\n");
}

void add_block(std::string& text, const routing::QueueFigures& queue, options::MonitorFields fields,
               std::int64_t now_ms) {
  const std::uint64_t dequeued = queue.acknowledged + queue.in_flight;
  text.append("Queue: ").append(queue.name.starts_with('/') ? "" : "/queue/");
  text.append(queue.name).append("\n");
  add_line(text, "size", queue.waiting);
  add_line(text, "enqueued", std::max(queue.enqueued, queue.waiting + dequeued));
  add_line(text, "dequeued", dequeued);
  if (fields != options::MonitorFields::kStandard) add_line(text, "exceptions", queue.returned);
  if (fields == options::MonitorFields::kAll) {
    const std::int64_t age_ms = now_ms - queue.oldest_arrived_ms.value_or(now_ms);
    add_line(text, "consumers", queue.consumers);
    add_line(text, "oldest",
             static_cast<std::uint64_t>(std::max<std::int64_t>(age_ms, 0)) / kMsPerSecond);
  }
  text += "\n";
}

}  // namespace

std::string monitor_report(std::vector<routing::QueueFigures> queues, options::MonitorFields fields,
                           std::int64_t now_ms) {
  std::sort(queues.begin(), queues.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  std::string text;
  for (const routing::QueueFigures& queue : queues)
    add_block(text, queue, fields, now_ms);
  return text;
}

MonitorQueue::MonitorQueue(asio::io_context& io, routing::Router& router,
                           options::MonitorFields fields)
    : router_(router), fields_(fields), peer_(router.attach(*this)), timer_(io) {
  await_look();
}

MonitorQueue::~MonitorQueue() {
  router_.detach(peer_);
}

void MonitorQueue::await_look() {
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this](std::error_code cancelled) {
    if (cancelled) return;
    look();
    await_look();
  });
}

void MonitorQueue::look() {
  const bool had_listeners = std::exchange(
      has_listeners_, router_.exists(peer_, {routing::DestinationKind::kTopic, kDestination}));
  if (!has_listeners_) return;
  const std::int64_t now_ms = net::clock_now().wall_ms;
  const bool clock_went_back = next_report_ms_ - now_ms > kEveryMs;
  if (had_listeners && now_ms < next_report_ms_ && !clock_went_back) return;
  next_report_ms_ = now_ms + kEveryMs;
  publish();
}

void MonitorQueue::publish() {
  const std::int64_t now_ms = net::clock_now().wall_ms;
  routing::Draft draft;
  draft.destination = kDestination;
  draft.body = monitor_report(router_.queue_figures(), fields_, now_ms);
  if (draft.body.empty()) return;
  draft.persistence = queue::Persistence::kVolatile;
  draft.expires_ms = now_ms + kEveryMs;
  // A report that finds no room is not missed: the next one is newer.
  if (router_.admit(peer_, draft, false) != routing::Admission::kAccept) return;
  [[maybe_unused]] const auto published = router_.publish(peer_, std::move(draft), now_ms, {});
}

}  // namespace stompbox
