#include "storage/catalog/sqlite_batch.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "storage/catalog/sqlite_errors.h"

namespace stompbox::catalog {

SqliteBatch::SqliteBatch(SqliteConnection& db, DatabaseSession& session,
                         std::chrono::milliseconds lock_max,
                         std::optional<SqliteNeighbours> neighbours)
    : db_(db),
      session_(session),
      neighbours_(std::move(neighbours)),
      courtesy_(lock_max,
                neighbours_ ? SqliteCourtesy::Stops::kReadersToo : SqliteCourtesy::Stops::kWriters),
      lock_max_(lock_max),
      begin_read_(db, "BEGIN"),
      begin_write_(db, "BEGIN IMMEDIATE"),
      commit_(db, "COMMIT"),
      savepoint_(db, "SAVEPOINT one_save"),
      release_(db, "RELEASE one_save"),
      roll_back_to_(db, "ROLLBACK TO one_save") {}

std::vector<SaveOutcome> SqliteBatch::run(std::span<const std::unique_ptr<SaveWork>> works) {
  assert(!open_ && !db_.failed());
  durable_.clear();
  courtesy_.ask(Clock::now());
  for (const auto& work : works) {
    if (!db_.failed()) plan(*work);
  }
  for (const auto& work : works) {
    if (!db_.failed()) save(*work);
  }
  if (open_ && !db_.failed()) commit();
  if (db_.failed()) {
    roll_back();
  } else {
    std::ranges::move(std::exchange(pending_, {}), std::back_inserter(durable_));
  }
  pending_.clear();
  return std::move(durable_);
}

// A snapshot of its own for each work: in a database without WAL a reader stops others' commits.
// So there they are waited for here, too, once for all works.
void SqliteBatch::plan(SaveWork& work) {
  if (neighbours_) wait_for_others();
  begin_read_.run();
  look();
  work.plan();
  commit_.run();
}

void SqliteBatch::save(SaveWork& work) {
  if (!work.writes()) {
    pending_.push_back(work.outcome());
    return;
  }
  if (open_ && !fits(work)) commit();
  if (!open_) begin();
  if (!db_.failed() && !work.is_current()) work.plan();
  if (db_.failed()) return;
  if (work.writes()) return store(work);
  pending_.push_back(work.outcome());
}

void SqliteBatch::store(SaveWork& work) {
  const std::string now = session_.timestamps.now();
  savepoint_.run();
  work.apply(now);
  if (db_.failed()) return fail_alone();
  release_.run();
  rows_ += work.row_count();
  pending_.push_back(work.outcome());
}

// A failure that is the message's own undoes this save and no other.
void SqliteBatch::fail_alone() {
  if (sqlite_error_row(db_.failure()).blame == SqliteBlame::kDatabase) return;
  const storage::Error error = db_.error();
  db_.clear_failure();
  if (db_.in_transaction()) {
    roll_back_to_.run();
    release_.run();
  } else {
    lose_transaction(error);
  }
  session_.forget_rolled_back();
  pending_.push_back({SaveStatus::kPermanent, error, {}});
}

// A trigger may give up the whole transaction: then the saves before have to be made again.
void SqliteBatch::lose_transaction(const storage::Error& error) {
  open_ = false;
  for (SaveOutcome& outcome : pending_) {
    const bool wrote =
        outcome.status == SaveStatus::kStored || outcome.status == SaveStatus::kUnchanged;
    if (wrote) outcome = {SaveStatus::kTransient, error, {}};
  }
}

bool SqliteBatch::fits(const SaveWork& work) const {
  const auto held = Clock::now() - locked_at_;
  const auto more = row_cost_ * static_cast<Clock::rep>(work.row_count());
  return held + more + commit_cost_ <= lock_max_;
}

void SqliteBatch::look() {
  const std::uint64_t before = session_.epoch();
  session_.look();
  const bool first = before == 0;
  if (!first && session_.epoch() != before) courtesy_.note_others(Clock::now());
}

void SqliteBatch::wait_for_others() {
  constexpr std::chrono::milliseconds kStep{2};
  while (!db_.failed()) {
    look();
    if (neighbours_ && neighbours_->hold_locks()) courtesy_.note_others(Clock::now());
    const auto left = courtesy_.wait_left(Clock::now());
    if (left <= Clock::duration::zero()) return;
    const auto step =
        std::chrono::ceil<std::chrono::milliseconds>(std::min<Clock::duration>(left, kStep));
    sqlite3_sleep(static_cast<int>(step.count()));
  }
}

void SqliteBatch::begin() {
  courtesy_.ask(Clock::now());
  wait_for_others();
  begin_write_.run();
  if (db_.failed()) return;
  open_ = true;
  locked_at_ = Clock::now();
  rows_ = 0;
  look();
}

void SqliteBatch::commit() {
  const auto before = Clock::now();
  commit_.run();
  if (db_.failed()) return;
  open_ = false;
  const auto after = Clock::now();
  courtesy_.note_held(locked_at_, after);
  commit_cost_ = after - before;
  if (rows_ > 0) row_cost_ = (before - locked_at_) / static_cast<Clock::rep>(rows_);
  std::ranges::move(std::exchange(pending_, {}), std::back_inserter(durable_));
}

void SqliteBatch::roll_back() {
  open_ = false;
  if (db_.in_transaction()) {
    sqlite3_exec(db_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace stompbox::catalog
