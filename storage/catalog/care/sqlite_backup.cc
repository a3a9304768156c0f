#include "storage/catalog/care/sqlite_backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "storage/catalog/sqlite_connection.h"

namespace stompbox::catalog::care {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

constexpr int kPagesFirst = 64;  // of a step; doubled whenever somebody's commit began it anew
constexpr int kPagesMax = 1 << 20;
constexpr std::chrono::milliseconds kBusyTimeout{250};
constexpr std::chrono::milliseconds kPause{2};  // between steps, without WAL

Error io_error(const std::string& what, const std::string& path, int code) {
  return {code == ENOSPC ? ErrorCode::kFull : ErrorCode::kIo,
          "cannot " + what + " " + path + ": " + std::generic_category().message(code)};
}

Error sqlite_failure(sqlite3* db, const std::string& path) {
  const int code = sqlite3_errcode(db) & 0xff;
  return {code == SQLITE_FULL ? ErrorCode::kFull : ErrorCode::kIo,
          "cannot copy to " + path + ": " + sqlite3_errmsg(db)};
}

// The file that is written to; gone unless it was kept.
class Draft {
 public:
  explicit Draft(const std::string& target) : path_(target + ".unfinished") {}
  ~Draft() {
    if (!kept_) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] Status make(const std::string& original) {
    struct stat like {};
    if (::stat(original.c_str(), &like) != 0) return io_error("look at", original, errno);
    ::unlink(path_.c_str());
    const int file =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, like.st_mode & 0777);
    if (file < 0) return io_error("write", path_, errno);
    const int moded = ::fchmod(file, like.st_mode & 0777);
    const int code = errno;
    ::close(file);
    return moded == 0 ? Status(kOk) : io_error("set the mode of", path_, code);
  }

  // Onto stable storage under its name.
  [[nodiscard]] Status keep_as(const std::string& target, Existing existing) {
    if (const Status synced = sync(path_); !synced) return synced;
    if (existing == Existing::kKeep) {
      if (::link(path_.c_str(), target.c_str()) != 0) return io_error("make", target, errno);
    } else if (::rename(path_.c_str(), target.c_str()) != 0) {
      return io_error("make", target, errno);
    } else {
      kept_ = true;
    }
    const std::string folder = std::filesystem::absolute(target).parent_path().string();
    return sync(folder);
  }

 private:
  static Status sync(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return io_error("open", path, errno);
    const int synced = ::fsync(file);
    const int code = errno;
    ::close(file);
    return synced == 0 ? Status(kOk) : io_error("sync", path, code);
  }

  const std::string path_;
  bool kept_ = false;  // under another name
};

// One run of SQLite's own copying.
class Copy {
 public:
  Copy(SqliteConnection& from, sqlite3* to, CareWatch& watch)
      : to_(to),
        watch_(watch),
        pauses_(text_of(from, "PRAGMA journal_mode") != "wal"),
        raw_(sqlite3_backup_init(to, "main", from.raw(), "main")) {}
  ~Copy() { sqlite3_backup_finish(raw_); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  [[nodiscard]] Status run(const std::string& target) {
    if (raw_ == nullptr) return sqlite_failure(to_, target);
    int result = SQLITE_OK;
    while (result != SQLITE_DONE) {
      const int before = sqlite3_backup_remaining(raw_);
      result = sqlite3_backup_step(raw_, pages_);
      const bool busy = result == SQLITE_BUSY || result == SQLITE_LOCKED;
      if (result != SQLITE_OK && result != SQLITE_DONE && !busy) {
        return Error{(result & 0xff) == SQLITE_FULL ? ErrorCode::kFull : ErrorCode::kIo,
                     "cannot copy to " + target + ": " + sqlite3_errstr(result)};
      }
      const int left = sqlite3_backup_remaining(raw_);
      if (before > 0 && left > before - 1 && pages_ < kPagesMax) pages_ *= 2;
      const int all = sqlite3_backup_pagecount(raw_);
      watch_.on_progress("pages", static_cast<std::uint64_t>(all - left),
                         static_cast<std::uint64_t>(all));
      if (pauses_ && result != SQLITE_DONE) watch_.rest(kPause);
    }
    return kOk;
  }

 private:
  sqlite3* const to_;
  CareWatch& watch_;
  const bool pauses_;
  sqlite3_backup* const raw_;
  int pages_ = kPagesFirst;
};

Status copy(SqliteConnection& from, const std::string& target, CareWatch& watch) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(target.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> to(raw, sqlite3_close);
  if (opened != SQLITE_OK) return sqlite_failure(raw, target);
  // A crash leaves no file of the name that counts: nothing has to be undone.
  sqlite3_exec(raw, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  return Copy(from, raw, watch).run(target);
}

}  // namespace

Result<Backup> backup_sqlite(const std::string& path, const std::string& target, Existing existing,
                             CareWatch& watch) {
  if (existing == Existing::kKeep && ::access(target.c_str(), F_OK) == 0) {
    return Error{ErrorCode::kInvalid,
                 "the file " + target + " exists: name another one, or say --force"};
  }
  auto from = SqliteConnection::open(path, SqliteAccess::kRead, kBusyTimeout);
  if (!from) return from.error();
  Draft draft(target);
  if (const Status made = draft.make(path); !made) return made.error();
  SqliteConnection& db = **from;
  // With WAL the moment that is copied is held; without it this would hold up all others.
  const bool wal = text_of(db, "PRAGMA journal_mode") == "wal";
  if (wal) db.run("BEGIN");
  if (wal) static_cast<void>(text_of(db, "SELECT name FROM sqlite_master LIMIT 1"));
  if (db.failed()) return db.error();
  const Status copied = copy(db, draft.path(), watch);
  if (!copied) return copied.error();
  if (const Status kept = draft.keep_as(target, existing); !kept) return kept.error();
  std::error_code ignored;
  return Backup{static_cast<std::uint64_t>(std::filesystem::file_size(target, ignored))};
}

}  // namespace stompbox::catalog::care
