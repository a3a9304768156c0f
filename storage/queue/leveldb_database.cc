#include "storage/queue/leveldb_database.h"

#include <leveldb/helpers/memenv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/queue/leveldb_log_tail.h"
#include "storage/queue/lock_holder.h"

namespace stompbox::queue {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Status;

namespace fs = std::filesystem;

constexpr int kOpenFilesMax = 500;
// Messages are read in order, many at a time: fewer blocks cost a page a fifth less than LevelDB's
// own 4 KiB (measured with 1 KiB messages).
constexpr std::size_t kBlockBytes = 16 * 1024;
constexpr std::size_t kMemoryWriteBufferMax = 8 * 1024 * 1024;

bool says(const std::string& text, int error) {
  return text.find(std::strerror(error)) != std::string::npos;
}

ErrorCode code_of(const leveldb::Status& status, const std::string& text) {
  if (status.IsCorruption()) return ErrorCode::kCorrupt;
  if (says(text, ENOSPC) || says(text, EDQUOT)) return ErrorCode::kFull;
  if (says(text, EACCES) || says(text, EROFS) || says(text, EPERM)) return ErrorCode::kDenied;
  return ErrorCode::kIo;
}

std::string_view remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCorrupt:
      return "move the folder away and keep it; the broker then starts with empty queues";
    case ErrorCode::kFull: return "make room on the disk";
    case ErrorCode::kDenied:
      return "give the broker's user the right to write in the folder and to all files in it";
    default: return "look after the disk, then start the broker again";
  }
}

Error folder_error(const std::string& path, const std::error_code& reason) {
  const ErrorCode code =
      reason == std::errc::no_space_on_device ? ErrorCode::kFull
      : reason == std::errc::permission_denied || reason == std::errc::read_only_file_system
          ? ErrorCode::kDenied
          : ErrorCode::kIo;
  return {code, "The folder " + path + " for the queue store could not be made (" +
                    reason.message() + ")"};
}

Status make_folder(const std::string& path) {
  std::error_code error;
  const fs::file_status found = fs::status(path, error);
  if (fs::is_directory(found)) return kOk;
  if (fs::exists(found)) {
    return Error{ErrorCode::kInvalid, "The queue store needs a folder, but " + path +
                                          " is a file: name another place or move the file away"};
  }
  const fs::path parent = fs::path(path).parent_path();
  fs::create_directories(parent, error);
  if (error) return folder_error(path, error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return folder_error(path, std::error_code(errno, std::generic_category()));
  }
  const leveldb::Status synced = sync_folder_now(parent.string());
  if (!synced.ok()) return Error{ErrorCode::kIo, synced.ToString()};
  return kOk;
}

// Those of level 0.
int unmerged_tables(leveldb::DB& db) {
  std::string count;
  return db.GetProperty("leveldb.num-files-at-level0", &count) ? std::atoi(count.c_str()) : 0;
}

// One spelling for one folder, so that LevelDB sees when this process opens it twice.
std::string one_spelling(const std::string& path) {
  std::error_code error;
  fs::path whole = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return path;
  if (!whole.has_filename()) whole = whole.parent_path();
  return whole.string();
}

}  // namespace

LeveldbDatabase::LeveldbDatabase(const StoreOptions& options, LeveldbSeams seams)
    : options_(options),
      seams_(std::move(seams)),
      path_(options.in_memory ? "/memory" : one_spelling(options.path)) {
  leveldb::Env* base = seams_.env != nullptr ? seams_.env : &machine_;
  SyncFolder sync_folder = seams_.sync_folder ? seams_.sync_folder : sync_folder_now;
  if (options_.in_memory) {
    memory_.reset(leveldb::NewMemEnv(base));
    base = memory_.get();
    sync_folder = [](const std::string&) { return leveldb::Status::OK(); };
    options_.write_buffer_bytes = std::min(options_.write_buffer_bytes, kMemoryWriteBufferMax);
  }
  patient_ = std::make_unique<PatientEnv>(base);
  env_ = std::make_unique<DurableEnv>(patient_.get(), std::move(sync_folder));
  cache_.reset(leveldb::NewLRUCache(options_.block_cache_bytes));
}

LeveldbDatabase::~LeveldbDatabase() {
  close();
}

Status LeveldbDatabase::open() {
  if (!options_.in_memory) {
    Status made = make_folder(path_);
    if (!made) return made;
  }
  leveldb::Status status = open_once();
  if (status.IsCorruption() && !options_.in_memory) {
    const Status cut = cut_torn_log_tail(path_);
    if (cut) status = open_once();
  }
  if (!status.ok()) return explain_open(status);
  return kOk;
}

void LeveldbDatabase::close() {
  patient_->end();
  db_.reset();
}

void LeveldbDatabase::compact(const leveldb::Slice& from, const leveldb::Slice& to) {
  patient_->hurry();
  db_->CompactRange(&from, &to);
  patient_->calm();
}

leveldb::Options LeveldbDatabase::leveldb_options() {
  leveldb::Options options;
  options.create_if_missing = true;
  // Damage is refused; an end that is cut short is still taken for what a crash leaves.
  options.paranoid_checks = true;
  options.env = env_.get();
  options.write_buffer_size = options_.write_buffer_bytes;
  options.max_file_size = options_.table_bytes;
  options.max_open_files = kOpenFilesMax;
  options.block_cache = cache_.get();
  options.block_size = kBlockBytes;
  options.reuse_logs = false;
  if (seams_.comparator != nullptr) options.comparator = seams_.comparator;
  return options;
}

leveldb::Status LeveldbDatabase::open_once() {
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(leveldb_options(), path_, &opened);
  db_.reset(opened);
  if (status.ok()) patient_->begin([opened] { return unmerged_tables(*opened); });
  return status;
}

bool LeveldbDatabase::has_room() const {
  if (options_.in_memory) return memory_bytes() < options_.memory_bytes_max;
  if (seams_.free_bytes) return seams_.free_bytes() >= options_.free_bytes_floor;
  struct statvfs numbers = {};
  // When it cannot be told, the write itself will tell.
  if (::statvfs(path_.c_str(), &numbers) != 0) return true;
  const auto free_bytes = static_cast<std::uint64_t>(numbers.f_bavail) * numbers.f_frsize;
  return free_bytes >= options_.free_bytes_floor;
}

std::uint64_t LeveldbDatabase::memory_bytes() const {
  std::vector<std::string> names;
  if (!memory_->GetChildren(path_, &names).ok()) return 0;
  std::uint64_t sum = 0;
  for (const std::string& name : names) {
    std::uint64_t bytes = 0;
    if (memory_->GetFileSize(path_ + "/" + name, &bytes).ok()) sum += bytes;
  }
  return sum;
}

Error LeveldbDatabase::explain(const leveldb::Status& status, std::string_view doing) const {
  const std::string text = status.ToString();
  // After a failed sync nobody knows what is on the disk: that is never just a full one.
  const ErrorCode code = env_->sync_failed() ? ErrorCode::kIo : code_of(status, text);
  std::string sentence =
      "The queue store in " + path_ + " could not be " + std::string(doing) + " (" + text + "): ";
  sentence += remedy(code);
  return {code, std::move(sentence)};
}

Error LeveldbDatabase::explain_open(const leveldb::Status& status) const {
  const std::string text = status.ToString();
  if (text.find("already held by process") != std::string::npos) {
    return {ErrorCode::kBusy, "The queue store in " + path_ + " is already open in this process"};
  }
  const std::string lock_file = path_ + "/LOCK";
  const bool is_lock = text.find("lock " + lock_file) != std::string::npos;
  if (is_lock && (says(text, EAGAIN) || says(text, EACCES))) {
    return {ErrorCode::kBusy, "The queue store in " + path_ + " is in use by " +
                                  describe_lock_holder(lock_file) +
                                  ": stop it first, or name another folder"};
  }
  return explain(status, "opened");
}

}  // namespace stompbox::queue
