#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/routing/requests.h"
#include "storage/queue/journal.h"

namespace stompbox::routing {

// A message that is to be sent later (fact 2.10). It waits in a hidden queue of the store; how
// often it was sent already is its count of deliveries there, so nothing is written twice.
struct Job {
  queue::MessageId id;  // of the waiting message; what is sent has ids of its own
  queue::Place place;
  Schedule schedule;
  queue::PriorityClass priority;  // of what is sent
  bool has_group = false;
  std::int64_t arrived_ms = 0;
  std::uint32_t sent_count = 0;
  std::size_t message_bytes = 0;
  queue::Persistence persistence = queue::Persistence::kDurable;
  queue::MessagePtr message;  // null: in the store only

  // When it is to be sent next: delay after its arrival, then every period.
  [[nodiscard]] std::int64_t due_ms() const;
  // Counts one sending at `now_ms`, and those that should have been since; false if it was the
  // last.
  [[nodiscard]] bool sent(std::int64_t now_ms);
};

// The first line of a waiting message's block says what its SEND asked for:
// "scheduled-job:DELAY PERIOD REPEATS PRIORITY GROUP\n".
[[nodiscard]] std::string job_line(const Schedule& schedule, queue::PriorityClass priority,
                                   bool has_group);
// The job of a waiting message; nothing if it is none.
[[nodiscard]] std::optional<Job> job_of(const queue::MessagePtr& message, queue::Place place,
                                        std::uint32_t sent_count);
// The block of what is sent: `scheduledJobId`, and the waiting one without job line and
// AMQ_SCHEDULED_ headers.
[[nodiscard]] std::string sent_block(std::string_view waiting_block, queue::MessageId job);
// As `scheduledJobId` has it: EPOCH-COUNTER.
[[nodiscard]] std::string job_text(queue::MessageId job);
[[nodiscard]] std::optional<queue::MessageId> job_id(std::string_view job_text);

// The jobs in order of their time. Bounded by its user. Every step costs the logarithm of their
// number.
class ScheduleClock {
 public:
  void add(Job job);
  [[nodiscard]] std::optional<Job> remove(queue::MessageId id);
  // The next job whose time has come, taken out.
  [[nodiscard]] std::optional<Job> take_due(std::int64_t now_ms);
  [[nodiscard]] std::optional<Job> take_any();
  [[nodiscard]] std::optional<std::int64_t> next_due_ms() const;
  [[nodiscard]] bool contains(queue::MessageId id) const { return jobs_.contains(id); }
  [[nodiscard]] std::size_t count() const { return jobs_.size(); }
  [[nodiscard]] std::size_t resident_bytes() const { return resident_bytes_; }

 private:
  std::map<queue::MessageId, Job> jobs_;
  std::set<std::pair<std::int64_t, queue::MessageId>> by_time_;
  std::size_t resident_bytes_ = 0;  // of the messages that jobs hold
};

}  // namespace stompbox::routing
