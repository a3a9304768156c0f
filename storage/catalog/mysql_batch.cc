#include "storage/catalog/mysql_batch.h"

#include <poll.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "storage/catalog/mysql_schema.h"
#include "storage/utf8.h"

namespace stompbox::catalog {
namespace {

// A plan with no more rows writes the host and our own row only, and needs no names.
constexpr std::size_t kRowsOfTouch = 2;

// How often the names of one save are made. Once is enough, unless somebody deletes them meanwhile.
constexpr unsigned kNamesMadeMax = 3;

constexpr std::chrono::milliseconds kFirstPause{5};

void pause(unsigned attempt) {
  const auto time = kFirstPause * (1U << std::min(attempt, 6U));
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(time.count())));
}

// Of what the tables of names do not have.
std::string name_without_row(DatabaseSession& session, const NameSets& wanted) {
  const auto missing = [](NamesTable& table, const std::set<std::string_view>& texts) {
    const auto found = std::ranges::find_if(
        texts, [&table](std::string_view text) { return table.id_of(text) == kNoRow; });
    return found == texts.end() ? std::string_view() : storage::whole_characters(*found, 80);
  };
  const auto sentence = [](std::string_view kind, std::string_view name) {
    return "the name `" + std::string(name) + "` of a " + std::string(kind);
  };
  if (const auto name = missing(session.names.parameters, wanted.parameters); !name.empty()) {
    return sentence("parameter", name);
  }
  if (const auto name = missing(session.names.tags, wanted.tags); !name.empty()) {
    return sentence("tag", name);
  }
  if (const auto name = missing(session.names.files, wanted.files); !name.empty()) {
    return sentence("file", name);
  }
  if (const auto name = missing(session.fact_names, wanted.facts); !name.empty()) {
    return sentence("fact", name);
  }
  return "a name";
}

std::string lock_sql() {
  return "UPDATE " + std::string(kLocksTable) + " SET taken = taken + 1 WHERE name = 'names'";
}

}  // namespace

MysqlBatch::MysqlBatch(DatabaseSession& session, MysqlConnection& db, Limits limits)
    : session_(session), db_(db), limits_(limits), lock_names_(db, lock_sql()) {}

std::vector<std::optional<SaveOutcome>> MysqlBatch::run(
    std::span<const std::unique_ptr<SaveWork>> works) {
  works_ = works;
  outcomes_.assign(works.size(), std::nullopt);
  todo_.resize(works.size());
  std::iota(todo_.begin(), todo_.end(), std::size_t{0});
  sort_by_node();
  lacking_.clear();
  names_made_.assign(works.size(), 0);
  names_alone_ = false;
  attempts_ = 0;
  left_out_ = false;
  while (!todo_.empty() || !lacking_.empty()) {
    const bool done = lacking_.empty() ? save_some() : make_names();
    if (done) {
      attempts_ = 0;
    } else if (!try_again()) {
      break;
    }
  }
  return std::move(outcomes_);
}

bool MysqlBatch::save_some() {
  std::vector<std::optional<SaveOutcome>> outcomes(todo_.size());
  std::vector<std::size_t> lacking;
  std::size_t count = 0;
  begin();
  const auto until = Clock::now() + limits_.transaction_max;
  // What has met somebody else's lock before is tried alone, so that the others get on. REPEATABLE
  // READ looks at one moment only, which has to be later than the lock of the node.
  const bool alone = attempts_ > 0 || db_.server().binlog_statements;
  while (count < todo_.size() && (count == 0 || (!alone && Clock::now() < until))) {
    const Step step = save(*works_[todo_[count]], outcomes[count]);
    if (step == Step::kFailed) return false;
    if (step == Step::kLacksNames) {
      const bool again = names_made_[todo_[count]] < kNamesMadeMax;
      if (again) lacking.push_back(todo_[count]);
      if (!again) outcomes[count] = give_up_names(*works_[todo_[count]]);
    }
    ++count;
  }
  if (!commit()) return false;
  for (std::size_t i = 0; i < count; ++i)
    outcomes_[todo_[i]] = std::move(outcomes[i]);
  todo_.erase(todo_.begin(), todo_.begin() + static_cast<std::ptrdiff_t>(count));
  lacking_ = std::move(lacking);
  return true;
}

MysqlBatch::Step MysqlBatch::save(SaveWork& work, std::optional<SaveOutcome>& outcome) {
  const std::string now = session_.timestamps.now();
  db_.run("SAVEPOINT one_save");
  session_.nodes.lock(work.node(), now);
  work.plan();
  if (db_.failed()) return fail_alone(work, outcome);
  if (!work.writes()) {
    db_.run("ROLLBACK TO SAVEPOINT one_save");  // a node without rows gets none of ours either
    outcome = work.outcome();
    return db_.failed() ? Step::kFailed : Step::kDone;
  }
  return apply(work, now, outcome);
}

MysqlBatch::Step MysqlBatch::apply(SaveWork& work, std::string_view now,
                                   std::optional<SaveOutcome>& outcome) {
  if (work.row_count() > kRowsOfTouch) {
    NameSets wanted;
    work.add_names(wanted);
    if (!session_.has_names(wanted)) {
      db_.run("ROLLBACK TO SAVEPOINT one_save");
      return db_.failed() ? Step::kFailed : Step::kLacksNames;
    }
  }
  work.apply(now);
  if (db_.failed()) return fail_alone(work, outcome);
  outcome = work.outcome();
  return Step::kDone;
}

// A failure that is the message's own undoes this save and no other. It has made no names.
MysqlBatch::Step MysqlBatch::fail_alone(SaveWork& work, std::optional<SaveOutcome>& outcome) {
  if (db_.blame() != MysqlBlame::kMessage) return Step::kFailed;
  const storage::Error error = db_.error();
  db_.clear_failure();
  db_.run("ROLLBACK TO SAVEPOINT one_save");
  session_.writer.discard();
  session_.set_unknown(work.node());
  outcome = SaveOutcome{SaveStatus::kPermanent, error, {}};
  return db_.failed() ? Step::kFailed : Step::kDone;
}

void MysqlBatch::begin() {
  db_.run("START TRANSACTION");
  session_.look();
  if (db_.server().is_cluster) static_cast<void>(db_.look_at_id_step());
}

bool MysqlBatch::commit() {
  if (db_.server().is_cluster && !db_.look_at_id_step() && !db_.failed()) {
    db_.note(kMysqlDeadlock, "auto_increment_increment has changed");
  }
  db_.run("COMMIT");
  return !db_.failed();
}

SaveOutcome MysqlBatch::give_up_names(const SaveWork& work) {
  NameSets wanted;
  work.add_names(wanted);
  return {SaveStatus::kPermanent,
          {storage::ErrorCode::kInvalid,
           name_without_row(session_, wanted) + " of " + work.node() +
               " does not come back from the catalog database " + db_.place() +
               " as it was written: look at the character set, the type and the triggers of the "
               "tables of names"},
          {}};
}

void MysqlBatch::sort_by_node() {
  std::ranges::sort(todo_, {}, [this](std::size_t i) { return works_[i]->node(); });
}

bool MysqlBatch::make_names() {
  const std::size_t count = names_alone_ ? 1 : lacking_.size();
  const std::span<const std::size_t> now(lacking_.data(), count);
  NameSets wanted;
  for (const std::size_t i : now)
    works_[i]->add_names(wanted);
  db_.run("START TRANSACTION");
  lock_names_.run();
  session_.look();
  if (db_.server().is_cluster) static_cast<void>(db_.look_at_id_step());
  session_.create_names(wanted, session_.timestamps.now());
  if (!commit()) return db_.blame() == MysqlBlame::kMessage && single_out_names();
  for (const std::size_t i : now)
    ++names_made_[i];
  todo_.insert(todo_.begin(), now.begin(), now.end());
  sort_by_node();
  lacking_.erase(lacking_.begin(), lacking_.begin() + static_cast<std::ptrdiff_t>(count));
  names_alone_ = names_alone_ && !lacking_.empty();
  return true;
}

bool MysqlBatch::single_out_names() {
  const storage::Error error = db_.error();
  db_.clear_failure();
  db_.roll_back();
  session_.forget_rolled_back();
  if (std::exchange(names_alone_, true)) {  // alone, and with all names read anew
    outcomes_[lacking_.front()] = SaveOutcome{SaveStatus::kPermanent, error, {}};
    lacking_.erase(lacking_.begin());
    names_alone_ = !lacking_.empty();
  }
  return !db_.failed();
}

bool MysqlBatch::try_again() {
  if (db_.blame() != MysqlBlame::kRetry) return false;
  if (++attempts_ >= limits_.attempts_max && !leave_out()) return false;
  db_.clear_failure();
  db_.roll_back();
  if (lacking_.empty()) {
    session_.writer.discard();
  } else {
    session_.forget_rolled_back();
  }
  pause(attempts_);
  return true;
}

bool MysqlBatch::leave_out() {
  if (!lacking_.empty() || std::exchange(left_out_, true)) return false;
  outcomes_[todo_.front()] = SaveOutcome{SaveStatus::kTransient, db_.error(), {}};
  todo_.erase(todo_.begin());
  attempts_ = 0;
  return true;
}

}  // namespace stompbox::catalog
