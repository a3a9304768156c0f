#include "broker/routing/schedule.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace stompbox::routing {
namespace {

constexpr std::string_view kJobWord = "scheduled-job:";
constexpr std::string_view kForeignWord = "AMQ_SCHEDULED_";
// Ten years: no time that is added to another overflows.
constexpr std::int64_t kSpanMax = std::int64_t{3650} * 24 * 3600 * 1000;

// Takes the first line off, its line feed included.
std::string_view take_line(std::string_view& block) {
  const std::size_t end = block.find('\n');
  const std::size_t length = end == std::string_view::npos ? block.size() : end + 1;
  const std::string_view line = block.substr(0, length);
  block.remove_prefix(length);
  return line;
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return number;
}

std::int64_t bounded(std::chrono::milliseconds span) {
  return std::clamp<std::int64_t>(span.count(), 0, kSpanMax);
}

}  // namespace

std::int64_t Job::due_ms() const {
  const auto times = static_cast<std::int64_t>(sent_count);
  const std::int64_t period = bounded(schedule.period);
  const std::int64_t since = period == 0 ? 0 : std::min(times, kSpanMax / period) * period;
  return arrived_ms + bounded(schedule.delay) + since;
}

bool Job::sent(std::int64_t now_ms) {
  const std::int64_t period = std::max<std::int64_t>(bounded(schedule.period), 1);
  const std::int64_t missed = std::max<std::int64_t>(now_ms - due_ms(), 0) / period;
  const std::int64_t count = sent_count + 1 + missed;
  sent_count = static_cast<std::uint32_t>(std::min<std::int64_t>(count, UINT32_MAX));
  if (schedule.period.count() <= 0) return false;
  return schedule.repeats < 0 || static_cast<std::int64_t>(sent_count) <= schedule.repeats;
}

std::string job_line(const Schedule& schedule, queue::PriorityClass priority, bool has_group) {
  std::string line(kJobWord);
  for (const std::int64_t number :
       {schedule.delay.count(), schedule.period.count(), schedule.repeats,
        static_cast<std::int64_t>(priority.value), static_cast<std::int64_t>(has_group ? 1 : 0)}) {
    line.append(std::to_string(number)).push_back(' ');
  }
  line.back() = '\n';
  return line;
}

std::optional<Job> job_of(const queue::MessagePtr& message, queue::Place place,
                          std::uint32_t sent_count) {
  std::string_view block = message->header_block;
  std::string_view line = take_line(block);
  if (!line.starts_with(kJobWord)) return std::nullopt;
  line.remove_prefix(kJobWord.size());
  std::array<std::int64_t, 5> numbers{};
  for (std::int64_t& number : numbers) {
    const auto taken = take_number(line);
    if (!taken) return std::nullopt;
    number = *taken;
  }
  Job job;
  job.id = message->id;
  job.place = place;
  job.schedule = {std::chrono::milliseconds(numbers[0]), std::chrono::milliseconds(numbers[1]),
                  numbers[2]};
  job.priority = {static_cast<std::uint8_t>(
      std::clamp<std::int64_t>(numbers[3], 0, queue::kPriorityClassCount - 1))};
  job.has_group = numbers[4] != 0;
  job.arrived_ms = message->arrived_ms;
  job.sent_count = sent_count;
  job.message_bytes = message->bytes();
  job.persistence = message->persistence;
  job.message = message;
  return job;
}

std::string sent_block(std::string_view waiting_block, queue::MessageId job) {
  std::string block = "scheduledJobId:" + job_text(job) + "\n";
  while (!waiting_block.empty()) {
    const std::string_view line = take_line(waiting_block);
    if (!line.starts_with(kJobWord) && !line.starts_with(kForeignWord)) block.append(line);
  }
  return block;
}

std::string job_text(queue::MessageId job) {
  return std::to_string(job.epoch()) + "-" + std::to_string(job.counter());
}

std::optional<queue::MessageId> job_id(std::string_view text) {
  const auto epoch = take_number(text);
  const auto counter = take_number(text);
  if (!epoch || !counter || *epoch < 0 || *counter < 0) return std::nullopt;
  return queue::MessageId::make(static_cast<std::uint32_t>(*epoch),
                                static_cast<std::uint64_t>(*counter));
}

void ScheduleClock::add(Job job) {
  if (job.message != nullptr) resident_bytes_ += job.message_bytes;
  by_time_.emplace(job.due_ms(), job.id);
  const queue::MessageId id = job.id;
  const bool is_new = jobs_.emplace(id, std::move(job)).second;
  assert(is_new);
}

std::optional<Job> ScheduleClock::remove(queue::MessageId id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  Job job = std::move(found->second);
  jobs_.erase(found);
  by_time_.erase({job.due_ms(), id});
  if (job.message != nullptr) resident_bytes_ -= job.message_bytes;
  return job;
}

std::optional<Job> ScheduleClock::take_due(std::int64_t now_ms) {
  if (by_time_.empty() || by_time_.begin()->first > now_ms) return std::nullopt;
  return remove(by_time_.begin()->second);
}

std::optional<Job> ScheduleClock::take_any() {
  if (by_time_.empty()) return std::nullopt;
  return remove(by_time_.begin()->second);
}

std::optional<std::int64_t> ScheduleClock::next_due_ms() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

}  // namespace stompbox::routing
