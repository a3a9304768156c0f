#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/temporary.h"

// Messages that are to be sent later (fact 2.10). They wait in a queue of the store that nobody
// sees; in memory there is a clock with their places, and as many bodies as fit.
namespace stompbox::routing {
namespace {

constexpr std::size_t kJobsOfAPage = 256;
// The page that brings back all jobs after a start; any other tag is one job's.
constexpr std::uint64_t kFindJobs = UINT64_MAX;

}  // namespace

storage::Status Router::check_schedule(const Draft& draft,
                                       const std::vector<Destination>& targets) const {
  const bool has_wildcards = std::any_of(targets.begin(), targets.end(),
                                         [](const Destination& one) { return one.has_wildcards; });
  if (has_wildcards || targets.empty()) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "a message cannot be sent to a name with wildcards"};
  }
  const auto is_temporary_kind = [](const Destination& one) {
    return one.kind == DestinationKind::kTempQueue || one.kind == DestinationKind::kTempTopic;
  };
  if (std::any_of(targets.begin(), targets.end(), is_temporary_kind)) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "a message to a temporary destination cannot be scheduled"};
  }
  (void)draft;
  if (schedule_.count() < options_.scheduled_count_max) return storage::kOk;
  return storage::Error{storage::ErrorCode::kFull,
                        "there are as many scheduled messages as the option "
                        "routing.scheduled_count_max allows"};
}

void Router::add_job(Batch& batch, Draft draft) {
  if (schedule_queue_.value == 0) {
    schedule_queue_ = {++last_queue_};
    last_job_seq_ = 0;
    batch.ops.emplace_back(queue::CreateQueue{schedule_queue_, std::string(kScheduleQueue)});
  }
  draft.header_block =
      job_line(*draft.schedule, draft.priority, draft.has_group) + draft.header_block;
  const queue::Place place{{}, {++last_job_seq_}};
  const queue::MessagePtr message = make_message(std::move(draft), nullptr);
  batch.ops.emplace_back(queue::Append{schedule_queue_, place, message, queue::Urgency::kNow});
  keep_job(*job_of(message, place, 0));
}

void Router::keep_job(Job job) {
  const bool fits = schedule_.resident_bytes() + job.message_bytes <= options_.resident_bytes_max;
  if (!fits) job.message = nullptr;
  const auto before = schedule_.next_due_ms();
  schedule_.add(std::move(job));
  const bool is_first = !before || *schedule_.next_due_ms() < *before;
  if (is_first && tell_earlier_event_) tell_earlier_event_();
}

void Router::find_jobs(queue::Place from) {
  journal_.load({schedule_queue_, from, kJobsOfAPage, options_.resident_bytes_max, kFindJobs,
                 queue::kBehindAll});
}

void Router::on_jobs_found(queue::LoadedPage page) {
  if (page.error) figures_.last_load_error = page.error->text;
  queue::Place next = page.from;
  for (queue::LoadedMessage& loaded : page.messages) {
    next = {loaded.place.priority, {loaded.place.seq.value + 1}};
    const queue::MessageId id = loaded.message->id;
    auto job = job_of(loaded.message, loaded.place, loaded.deliveries);
    if (!job || id.epoch() >= epoch_ || schedule_.contains(id)) continue;
    keep_job(std::move(*job));
    const auto [first, last] = unfound_jobs_.equal_range(id);
    for (auto at = first; at != last; ++at)
      remove_job(id, at->second);
    unfound_jobs_.erase(first, last);
  }
  finding_jobs_ = page.more;
  if (!finding_jobs_) {
    for (const auto& [id, debt] : std::exchange(unfound_jobs_, {}))
      pay(debt);
  }
  if (page.more) find_jobs(next);
  do_due_jobs();
}

void Router::do_due_jobs() {
  while (!out_of_room()) {
    auto job = schedule_.take_due(now_ms_);
    if (!job) return;
    if (job->message != nullptr) {
      do_job(std::move(*job));
      continue;
    }
    const std::uint64_t tag = ++last_load_;
    const queue::Place place = job->place;
    loading_jobs_.emplace(tag, std::move(*job));
    journal_.load({schedule_queue_,
                   place,
                   1,
                   options_.resident_bytes_max,
                   tag,
                   {place.priority, {place.seq.value + 1}}});
  }
}

// One that is not in the store yet waits for the next commit.
void Router::on_job_page(queue::LoadedPage page) {
  const auto found = loading_jobs_.find(page.tag);
  if (found == loading_jobs_.end()) return;
  Job job = std::move(found->second);
  loading_jobs_.erase(found);
  if (page.messages.empty()) {
    if (page.error) figures_.last_load_error = page.error->text;
    unwritten_jobs_.push_back(std::move(job));
    return;
  }
  job.message = page.messages.front().message;
  do_job(std::move(job));
}

// What is sent and what remains of the job are one group: it is sent neither twice nor never.
void Router::do_job(Job job) {
  const queue::Message& waiting = *job.message;
  Draft draft;
  draft.destination = waiting.destination;
  draft.header_block = sent_block(waiting.header_block, job.id);
  draft.block_is_plain = waiting.block_is_plain;
  draft.body = waiting.body;
  draft.persistence = waiting.persistence;
  draft.priority = job.priority;
  draft.expires_ms = waiting.expires_ms;
  draft.has_group = job.has_group;
  Batch batch;
  std::vector<Target> targets;
  if (const auto found = find_targets({}, draft, targets)) {
    add_send(batch, {}, targets, std::move(draft));
  } else {
    forget_targets({targets});
    Entry entry;
    entry.message = job.message;
    bury(batch, std::move(entry), {"undeliverable", found.error().text});
  }
  if (job.sent(now_ms_)) {
    batch.ops.emplace_back(queue::Return{schedule_queue_, job.place, job.sent_count});
    keep_job(std::move(job));
  } else {
    batch.ops.emplace_back(erase_of(job));
  }
  submit(std::move(batch));
}

queue::Op Router::erase_of(const Job& job) const {
  return queue::Erase{schedule_queue_,   job.place,       job.id,
                      job.message_bytes, job.persistence, queue::Urgency::kNow};
}

// SEND to the management topic: REMOVE with `scheduledJobId`, or REMOVEALL. A job that has gone
// meanwhile is no error.
storage::Status Router::manage_schedule(const Draft& draft, const Debt& debt) {
  queue::Message message;
  message.header_block = draft.header_block;
  message.block_is_plain = draft.block_is_plain;
  std::string scratch;
  const std::string action(find_header(message, "AMQ_SCHEDULER_ACTION", scratch).value_or(""));
  if (action == "REMOVEALL") {
    forget_all_jobs();
    settle(debt.peer, last_submitted_, Contents::kRemovals, debt.receipt);
    return storage::kOk;
  }
  if (action != "REMOVE") {
    return storage::Error{
        storage::ErrorCode::kInvalid,
        "AMQ_SCHEDULER_ACTION has to be REMOVE or REMOVEALL here, not '" + action + "'"};
  }
  const auto name = find_header(message, "scheduledJobId", scratch);
  if (!name) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "AMQ_SCHEDULER_ACTION REMOVE needs the header scheduledJobId"};
  }
  const auto id = job_id(*name);
  if (id) {
    remove_job(*id, debt);
  } else {
    pay(debt);
  }
  return storage::kOk;
}

// The waiting ones are a queue of the store, wherever the clock stands with each.
void Router::forget_all_jobs() {
  while (schedule_.take_any()) {
  }
  loading_jobs_.clear();
  unwritten_jobs_.clear();
  finding_jobs_ = false;
  if (schedule_queue_.value != 0) {
    std::vector<queue::Op> drop;
    drop.emplace_back(queue::DropQueue{std::exchange(schedule_queue_, {})});
    note_ticket(journal_.submit_together(std::move(drop)));
  }
  for (const auto& [id, debt] : std::exchange(unfound_jobs_, {}))
    settle(debt.peer, last_submitted_, Contents::kRemovals, debt.receipt);
}

// From wherever it is.
std::optional<Job> Router::take_job(queue::MessageId id) {
  if (auto job = schedule_.remove(id)) return job;
  const auto loading = std::find_if(loading_jobs_.begin(), loading_jobs_.end(),
                                    [id](const auto& item) { return item.second.id == id; });
  if (loading != loading_jobs_.end()) {
    Job job = std::move(loading->second);
    loading_jobs_.erase(loading);
    return job;
  }
  const auto unwritten = std::find_if(unwritten_jobs_.begin(), unwritten_jobs_.end(),
                                      [id](const Job& job) { return job.id == id; });
  if (unwritten == unwritten_jobs_.end()) return std::nullopt;
  Job job = std::move(*unwritten);
  unwritten_jobs_.erase(unwritten);
  return job;
}

// One that is not found yet after a start goes when its page comes.
void Router::remove_job(queue::MessageId id, const Debt& debt) {
  Batch batch;
  if (const auto job = take_job(id)) {
    batch.ops.push_back(erase_of(*job));
  } else if (finding_jobs_ && id.epoch() < epoch_ &&
             unfound_jobs_.size() < options_.scheduled_count_max) {
    unfound_jobs_.emplace(id, debt);
    return;
  }
  batch.debts.push_back(debt);
  submit(std::move(batch));
}

}  // namespace stompbox::routing
