#include "storage/queue/committer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::queue {

namespace {

// Of what stays on the loop's side: so many that a lock costs nothing, so few that the disk's
// thread does not wait for them.
constexpr std::size_t kStagedMax = 64;

}  // namespace

using storage::ErrorCode;
using storage::Status;

Committer::Committer(QueueStore& store, const JournalOptions& options, Callbacks callbacks)
    : store_(store),
      options_(options),
      callbacks_(std::move(callbacks)),
      pending_(options),
      reader_(store, {callbacks_.on_page,
                      [this](std::vector<Discard> found) {
                        take_along(std::move(found), Urgency::kRide);
                      }}),
      sweeper_(store,
               [this](std::vector<Discard> found) { take_along(std::move(found), Urgency::kNow); }),
      thread_([this] { run(); }) {
  if (store_.tidy_due()) sweeper_.wake();
}

Committer::~Committer() {
  stop();
}

void Committer::stop() {
  hand_over();
  reader_.stop();
  sweeper_.stop();
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

template <typename Add>
void Committer::add_pending(const Add& add) {
  const TimePoint now = Clock::now();
  bool must_wake = false;
  {
    const Lock lock(mutex_);
    add(now);
    note_bytes();
    must_wake = pending_.due() < sleeps_until_;
  }
  if (must_wake) wake_.notify_one();
}

// The commonest of a drain: ACK behind ACK, and nothing pending that one of them might refer to.
bool Committer::joins_staged(const Op& op) {
  const auto* next = std::get_if<Erase>(&op);
  if (next == nullptr || staged_.empty() || pending_bytes() > 0) return false;
  auto* run = std::get_if<Erase>(&staged_.back());
  return run != nullptr && joins(*run, *next);
}

Ticket Committer::submit(Op op) {
  if (joins_staged(op)) return last_ticket_;
  staged_bytes_ += append_bytes_of(op);
  staged_.push_back(std::move(op));
  ++last_ticket_.value;
  if (holds_ == 0 || staged_.size() >= kStagedMax) hand_over();
  return last_ticket_;
}

Ticket Committer::submit_together(std::vector<Op> ops) {
  hand_over();
  add_pending([this, &ops](TimePoint now) {
    last_ticket_ =
        state_ == State::kEnded ? pending_.refuse() : pending_.add_group(std::move(ops), now);
  });
  return last_ticket_;
}

void Committer::release() {
  --holds_;
  if (holds_ == 0) hand_over();
}

// The tickets were given out when they were submitted, in the same order.
void Committer::hand_over() {
  if (staged_.empty()) return;
  add_pending([this](TimePoint now) {
    Ticket ticket;
    for (Op& op : staged_)
      ticket = state_ == State::kEnded ? pending_.refuse() : pending_.add(std::move(op), now);
    assert(ticket == last_ticket_);
  });
  staged_.clear();
  staged_bytes_ = 0;
}

void Committer::take_along(std::vector<Discard> discards, Urgency urgency) {
  add_pending([this, &discards, urgency](TimePoint now) {
    if (state_ != State::kEnded) pending_.add_discards(std::move(discards), urgency, now);
  });
}

bool Committer::withdraw(Ticket append) {
  hand_over();
  const Lock lock(mutex_);
  const bool is_gone = pending_.withdraw(append);
  note_bytes();
  return is_gone;
}

void Committer::run() {
  Lock lock(mutex_);
  while (!flushed_) {
    const TimePoint wake = next_wake();
    if (wake > TimePoint::min() && wake > Clock::now()) {
      sleep(lock, wake);
    } else {
      step(lock);
    }
  }
}

Committer::TimePoint Committer::next_wake() const {
  if (stopping_) return TimePoint::min();
  switch (state_) {
    case State::kRunning: return pending_.due();
    case State::kFull: return std::min(pending_.due(), retry_at_);
    case State::kStuck: return retry_at_;
    case State::kEnded: break;
  }
  return TimePoint::max();
}

void Committer::sleep(Lock& lock, TimePoint until) {
  // A stuck or ended committer is not to be woken by submissions.
  const bool can_take = state_ == State::kRunning || state_ == State::kFull;
  sleeps_until_ = can_take ? until : TimePoint::min();
  if (until == TimePoint::max()) {
    wake_.wait(lock);
  } else {
    wake_.wait_until(lock, until);
  }
  sleeps_until_ = TimePoint::min();
}

void Committer::step(Lock& lock) {
  flushed_ = stopping_ && state_ == State::kEnded;
  if (flushed_) return;
  if (state_ == State::kStuck) {
    write_stuck(lock);
    flushed_ = stopping_ && state_ == State::kStuck;
    return;
  }
  if (stopping_) pending_.hurry();
  // At a stop there is no later: what waits may take what is below the floor.
  const bool asks_for_room = !stopping_ && (pending_.has_appends() || state_ == State::kFull);
  const Room room = asks_for_room ? look_for_room(lock) : Room::kEnough;
  const TimePoint now = Clock::now();
  if (room == Room::kFull) {
    state_ = State::kFull;
    retry_at_ = now + options_.full_retry;
  } else if (state_ == State::kFull) {
    state_ = State::kRunning;
    pending_.release_held();
  }
  pending_.take(now, room, taken_);
  flushed_ = stopping_ && taken_.batch.empty();
  write_taken(lock);
}

Room Committer::look_for_room(Lock& lock) {
  lock.unlock();
  const Room room = store_.room();
  // Nothing may be written now that would wake it. (A stuck store compacts nothing.)
  if (room == Room::kFull && store_.tidy_due()) sweeper_.wake();
  lock.lock();
  return room;
}

void Committer::write_taken(Lock& lock) {
  if (taken_.batch.empty()) {
    advance();
    report(lock);
    return;
  }
  taken_bytes_ = taken_.append_bytes;
  const bool synced =
      taken_.durability == Durability::kSynced && options_.sync == SyncPolicy::kBatch;
  lock.unlock();
  const Status written =
      store_.write(taken_.batch, synced ? Durability::kSynced : Durability::kWritten);
  finish_write(lock, written);
}

void Committer::write_stuck(Lock& lock) {
  const bool is_last_try = stopping_;
  lock.unlock();
  Status written = storage::Error{ErrorCode::kFull, {}};
  if (is_last_try || store_.room() == Room::kEnough) written = store_.write_again();
  finish_write(lock, written);
}

// Comes unlocked, leaves locked.
void Committer::finish_write(Lock& lock, const Status& written) {
  if (written) {
    taken_.batch.clear();  // here, because it frees messages
    if (store_.tidy_due()) sweeper_.wake();
  }
  lock.lock();
  if (written) {
    advance();
    taken_bytes_ = 0;
    taken_.clear();
    if (state_ == State::kStuck) state_ = State::kFull;  // the next step looks for room
  } else if (written.error().code == ErrorCode::kFull) {
    state_ = State::kStuck;
    retry_at_ = Clock::now() + options_.full_retry;
  } else {
    state_ = State::kEnded;
    fatal_ = written.error();
  }
  report(lock);
}

void Committer::advance() {
  through_ = std::max(through_, taken_.through);
  removals_through_ = std::max(removals_through_, taken_.removals_through);
}

// Says what has changed since the last report; nothing, if nothing has.
void Committer::report(Lock& lock) {
  note_bytes();
  CommitReport now;
  now.through = through_;
  now.removals_through = removals_through_;
  now.disk_full = state_ == State::kFull || state_ == State::kStuck;
  now.pending_bytes = pending_bytes_;
  now.fatal = fatal_;
  const bool is_news = reported_ ? now.through != reported_->through ||
                                       now.removals_through != reported_->removals_through ||
                                       now.disk_full != reported_->disk_full ||
                                       now.fatal != reported_->fatal
                                 : now.through.value > 0 || now.disk_full || now.fatal;
  if (!is_news) return;
  reported_ = now;
  lock.unlock();
  callbacks_.on_commit(std::move(now));
  lock.lock();
}

}  // namespace stompbox::queue
