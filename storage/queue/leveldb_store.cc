#include "storage/queue/leveldb_store.h"

#include <leveldb/iterator.h>

#include <algorithm>
#include <cassert>
#include <random>
#include <string_view>
#include <utility>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_open.h"
#include "storage/queue/leveldb_page.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"

namespace stompbox::queue {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

constexpr std::uint32_t kEpochMax = (1U << (64 - MessageId::kCounterBits)) - 1;
constexpr std::size_t kIdentityBytes = 16;
// Of loaded messages that were let go, to be used again: two pages.
constexpr std::size_t kPooledBytesMax = 2 * 1024 * 1024;

std::string random_identity() {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string identity;
  for (std::size_t i = 0; i < 2 * kIdentityBytes; ++i)
    identity.push_back(kHex[random() % 16]);
  return identity;
}

std::string range_start(KeyRange range) {
  return std::string(1, static_cast<char>(range));
}

}  // namespace

Result<std::unique_ptr<QueueStore>> open_leveldb_store(const StoreOptions& options) {
  auto opened = LeveldbStore::open(options, {});
  if (!opened) return opened.error();
  return std::unique_ptr<QueueStore>(std::move(opened.value()));
}

Result<std::unique_ptr<LeveldbStore>> LeveldbStore::open(const StoreOptions& options,
                                                         LeveldbSeams seams) {
  std::unique_ptr<LeveldbStore> store(new LeveldbStore(options, std::move(seams)));
  Status started = store->start();
  if (!started) return started.error();
  return store;
}

LeveldbStore::LeveldbStore(const StoreOptions& options, LeveldbSeams seams)
    : options_(options),
      pool_(MessagePool::make(kPooledBytesMax)),
      database_(options, std::move(seams)) {}

Status LeveldbStore::start() {
  Status done = database_.open();
  if (done) done = read_store_record();
  if (done) done = begin_epoch();
  if (done) done = read_queues();
  if (done) done = read_dropped();
  if (done) done = read_damaged();
  if (!done) return done;
  encoder_.emplace(ledger_, BodyLimits{options_.inline_body_bytes_max, record_.inline_bytes_least});
  state_.identity = record_.identity;
  state_.epoch = record_.epoch;
  state_.last_queue = ledger_.last_queue();
  state_.queues = ledger_.states();
  for (const auto& [queue, count] : ledger_.stale())
    stale_.push_back({queue, count, {}});
  sweeping_ = !stale_.empty();
  note_tidy_due();
  return kOk;
}

Status LeveldbStore::read_store_record() {
  std::string bytes;
  const leveldb::Status status =
      database_.db().Get(leveldb::ReadOptions(), slice(store_key()), &bytes);
  if (status.IsNotFound()) {
    const std::unique_ptr<leveldb::Iterator> any(
        database_.db().NewIterator(leveldb::ReadOptions()));
    any->SeekToFirst();
    if (any->Valid()) {
      return Error{ErrorCode::kInvalid, database_.folder() +
                                            " holds a LevelDB database of another program: name "
                                            "another folder for the queue store"};
    }
    record_.identity = random_identity();
    record_.inline_bytes_least = options_.inline_body_bytes_max;
    return kOk;
  }
  if (!status.ok()) return database_.explain(status, "read");
  const std::optional<StoreRecord> found = decode_store(bytes);
  if (!found) return unreadable("store record");
  if (found->format > kStoreFormat) {
    return Error{ErrorCode::kVersion, "The queue store in " + database_.folder() + " has format " +
                                          std::to_string(found->format) +
                                          ", written by a newer version; this one " +
                                          "reads formats up to " + std::to_string(kStoreFormat) +
                                          ": start the newer version, or name another folder"};
  }
  record_ = *found;
  return upgrade();
}

// Prepares the way from an older format, which begin_epoch() writes in one batch with the new
// number. Format 1 had names without attributes, no expiry and no queue that was dropped; format 2
// had nothing deferred, and its meta records are read as they are.
Status LeveldbStore::upgrade() {
  const bool has_bare_names = record_.format == 1;
  record_.format = kStoreFormat;
  if (!has_bare_names) return kOk;
  const std::unique_ptr<leveldb::Iterator> names(
      database_.db().NewIterator(leveldb::ReadOptions()));
  const std::string first = range_start(KeyRange::kName);
  std::string bytes;
  for (names->Seek(first); names->Valid() && view(names->key()).starts_with(first); names->Next()) {
    bytes.clear();
    encode_name({names->value().ToString(), {}}, bytes);
    batch_.Put(names->key(), bytes);
  }
  if (!names->status().ok()) return database_.explain(names->status(), "read");
  return kOk;
}

Status LeveldbStore::begin_epoch() {
  if (record_.epoch >= kEpochMax) {
    return Error{ErrorCode::kInvalid, "The queue store in " + database_.folder() +
                                          " has been started as often as message ids allow: drain "
                                          "it and begin with a new folder"};
  }
  ++record_.epoch;
  record_.inline_bytes_least =
      std::min<std::uint64_t>(record_.inline_bytes_least, options_.inline_body_bytes_max);
  std::string bytes;
  encode_store(record_, bytes);
  batch_.Put(slice(store_key()), bytes);
  leveldb::WriteOptions write_options;
  write_options.sync = true;
  const leveldb::Status status = database_.db().Write(write_options, &batch_);
  if (!status.ok()) return database_.explain(status, "written");
  return kOk;
}

Status LeveldbStore::read_queues() {
  const std::unique_ptr<leveldb::Iterator> names(
      database_.db().NewIterator(leveldb::ReadOptions()));
  const std::string first = range_start(KeyRange::kName);
  for (names->Seek(first); names->Valid() && view(names->key()).starts_with(first); names->Next()) {
    const std::optional<QueueId> queue = read_queue_key(KeyRange::kName, view(names->key()));
    if (!queue) return unreadable("name of a queue");
    Status done = read_queue(*queue, view(names->value()));
    if (!done) return done;
  }
  if (!names->status().ok()) return database_.explain(names->status(), "read");
  return kOk;
}

Status LeveldbStore::read_queue(QueueId queue, std::string_view name_bytes) {
  std::optional<QueueName> name = decode_name(name_bytes);
  if (!name) return unreadable("name of a queue");
  std::string bytes;
  const leveldb::Status status =
      database_.db().Get(leveldb::ReadOptions(), slice(queue_key(KeyRange::kMeta, queue)), &bytes);
  if (!status.ok() && !status.IsNotFound()) return database_.explain(status, "read");
  const std::optional<QueueMeta> meta = status.ok() ? decode_meta(bytes) : QueueMeta{};
  if (!meta) return unreadable("meta record of queue " + name->name);
  ledger_.restore(queue, std::move(*name), *meta);
  return kOk;
}

// What a crash, or a stop, has left of the sweeper's work on dropped queues.
Status LeveldbStore::read_dropped() {
  std::string bytes;
  const leveldb::Status status =
      database_.db().Get(leveldb::ReadOptions(), slice(single_key(KeyRange::kLast)), &bytes);
  if (!status.ok() && !status.IsNotFound()) return database_.explain(status, "read");
  const std::optional<QueueId> last = status.ok() ? decode_last_queue(bytes) : QueueId{};
  if (!last) return unreadable("record of the last queue");
  ledger_.restore_last(*last);
  const std::unique_ptr<leveldb::Iterator> dropped(
      database_.db().NewIterator(leveldb::ReadOptions()));
  const std::string first = range_start(KeyRange::kDropped);
  for (dropped->Seek(first); dropped->Valid() && view(dropped->key()).starts_with(first);
       dropped->Next()) {
    const std::optional<QueueId> queue = read_queue_key(KeyRange::kDropped, view(dropped->key()));
    const std::optional<QueueMeta> meta = decode_meta(view(dropped->value()));
    if (!queue || !meta) return unreadable("record of a dropped queue");
    drop_sweep_.add({*queue, *meta});
  }
  if (!dropped->status().ok()) return database_.explain(dropped->status(), "read");
  drop_left_ = !drop_sweep_.idle();
  return kOk;
}

// Which queues have damaged records, one look each.
Status LeveldbStore::read_damaged() {
  const std::unique_ptr<leveldb::Iterator> damaged(
      database_.db().NewIterator(leveldb::ReadOptions()));
  damaged->Seek(range_start(KeyRange::kDamaged));
  while (damaged->Valid()) {
    const auto found = read_place_key(KeyRange::kDamaged, view(damaged->key()));
    if (!found) break;
    ledger_.restore_damaged(found->queue);
    damaged->Seek(slice(queue_key(KeyRange::kDamaged, QueueId{found->queue.value + 1})));
  }
  if (!damaged->status().ok()) return database_.explain(damaged->status(), "read");
  return kOk;
}

Error LeveldbStore::unreadable(const std::string& what) const {
  return {ErrorCode::kCorrupt, "The queue store in " + database_.folder() +
                                   " could not be read (the " + what +
                                   " is damaged): move the folder away and keep it; the broker "
                                   "then starts with empty queues"};
}

Status LeveldbStore::write(const StoreBatch& batch, Durability durability) {
  if (end_) return *end_;
  batch_sweeps_ =
      std::any_of(batch.discards.begin(), batch.discards.end(), [](const Discard& discard) {
        return discard.reason == Discard::Reason::kDropped ||
               discard.reason == Discard::Reason::kDeferred;
      });
  {
    const std::lock_guard lock(ledger_mutex_);
    // In memory what is put off would take the room of messages.
    const bool may_defer = !options_.in_memory && !full_;
    encoder_->encode(batch, may_defer ? Deferring::kAllowed : Deferring::kForbidden, batch_);
  }
  return write_kept(durability);
}

Status LeveldbStore::write_kept(Durability durability) {
  leveldb::WriteOptions write_options;
  write_options.sync = durability == Durability::kSynced;
  const leveldb::Status status = database_.db().Write(write_options, &batch_);
  if (!status.ok()) {
    Error error = database_.explain(status, "written");
    if (error.code != ErrorCode::kFull) end_ = error;
    return error;
  }
  {
    const std::lock_guard lock(ledger_mutex_);
    ledger_.batch_committed();
  }
  if (batch_sweeps_) found_ = false;
  note_tidy_due();
  return kOk;
}

// LevelDB's log is not usable after a write to it has failed, nor is the database after a failed
// compaction; recovery tolerates the torn end. Puts and deletes of the batch may be repeated.
Status LeveldbStore::write_again() {
  if (end_) return *end_;
  {
    const std::unique_lock lock(database_mutex_);
    database_.close();
    const Status opened = database_.open();
    if (!opened) {
      if (opened.error().code != ErrorCode::kFull) end_ = opened.error();
      return opened;
    }
  }
  return write_kept(Durability::kSynced);
}

Room LeveldbStore::room() {
  const bool enough = database_.has_room();
  if (full_.exchange(!enough) == enough) {
    enough ? database_.background().calm() : database_.background().hurry();
  }
  if (!enough) note_tidy_due();
  return enough ? Room::kEnough : Room::kFull;
}

void LeveldbStore::note_tidy_due() {
  const std::lock_guard lock(ledger_mutex_);
  const bool left = drop_left_ || span_left_ || ledger_.has_dropped() ||
                    ledger_.deferred_due(full_ ? Room::kFull : Room::kEnough);
  tidy_due_ = sweeping_ || (left && !found_) || ledger_.dead_due() || ledger_.names_due() ||
              (full_ && ledger_.erased_since_tidy() > 0);
}

LoadedPage LeveldbStore::load(const LoadRequest& request, std::vector<Discard>& discards) {
  const std::shared_lock database_lock(database_mutex_);
  LoadedPage page;
  page.queue = request.queue;
  page.from = request.from;
  if (!database_.is_open()) {
    page.error = Error{ErrorCode::kFull, "The queue store in " + database_.folder() +
                                             " is closed until there is room on the disk"};
    return page;
  }
  std::optional<SeekPlan> plan;
  {
    const std::lock_guard lock(ledger_mutex_);
    plan = ledger_.plan(request.queue, request.from.priority);
  }
  if (!plan) return page;  // nothing of that queue was committed yet
  database_.background().note_read();
  PageFinds finds;
  page = read_page(database_.db(), *plan, request, state_.epoch, *pool_, finds);
  discards.insert(discards.end(), std::make_move_iterator(finds.discards.begin()),
                  std::make_move_iterator(finds.discards.end()));
  const std::lock_guard lock(ledger_mutex_);
  for (const PageFinds::Dead& dead : finds.dead) {
    ledger_.learn_dead(request.queue, dead.priority, dead.range);
  }
  note_read(page);
  return page;
}

// The last of each class says how far. Under the lock of the ledger.
void LeveldbStore::note_read(const LoadedPage& page) {
  const std::vector<LoadedMessage>& messages = page.messages;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Place place = messages[i].place;
    const bool is_last =
        i + 1 == messages.size() || messages[i + 1].place.priority != place.priority;
    if (is_last) ledger_.note_read(page.queue, place.priority, place.seq.value + 1);
  }
}

// Compacting an empty range: LevelDB first writes its memory to a table, so that the next start has
// no log to replay, and then finds nothing to compact.
void LeveldbStore::settle() {
  if (options_.in_memory || end_ || !database_.is_open()) return;
  database_.compact("~", "~");
}

}  // namespace stompbox::queue
