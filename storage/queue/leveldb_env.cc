#include "storage/queue/leveldb_env.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

namespace stompbox::queue {
namespace {

bool ends_with(std::string_view name, std::string_view end) {
  return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
}

std::string folder_of(const std::string& name) {
  return std::filesystem::path(name).parent_path().string();
}

// One file of LevelDB on its way to the disk. A log is synced before it is closed.
class DurableFile final : public leveldb::WritableFile {
 public:
  DurableFile(std::unique_ptr<leveldb::WritableFile> file, DurableEnv& env, bool is_log)
      : file_(std::move(file)), env_(env), is_log_(is_log) {}

  ~DurableFile() override {
    if (!closed_) static_cast<void>(Close());  // a failure is kept in the environment
  }

  leveldb::Status Append(const leveldb::Slice& data) override {
    if (env_.sync_failed()) return after_failed_sync();
    unsynced_ = true;
    return watch(file_->Append(data));
  }

  leveldb::Status Flush() override { return watch(file_->Flush()); }

  leveldb::Status Sync() override {
    if (env_.sync_failed()) return after_failed_sync();
    // Apart, so that a full disk on the way is not taken for a failed sync.
    leveldb::Status status = Flush();
    if (!status.ok()) return status;
    status = file_->Sync();
    if (status.ok()) {
      unsynced_ = false;
    } else {
      env_.note_sync_failure();
    }
    return status;
  }

  leveldb::Status Close() override {
    closed_ = true;
    leveldb::Status synced;
    if (is_log_ && unsynced_ && !write_failed_) synced = Sync();
    const leveldb::Status status = file_->Close();
    return synced.ok() ? status : synced;
  }

 private:
  static leveldb::Status after_failed_sync() {
    return leveldb::Status::IOError("an earlier sync failed");
  }

  leveldb::Status watch(leveldb::Status status) {
    if (!status.ok()) write_failed_ = true;
    return status;
  }

  const std::unique_ptr<leveldb::WritableFile> file_;
  DurableEnv& env_;
  const bool is_log_;
  bool unsynced_ = false;
  bool write_failed_ = false;  // the end of the file is torn: recovery decides
  bool closed_ = false;
};

}  // namespace

leveldb::Status sync_folder_now(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return leveldb::Status::IOError(folder, std::strerror(errno));
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) return leveldb::Status::IOError(folder, std::strerror(failed));
  return leveldb::Status::OK();
}

DurableEnv::DurableEnv(leveldb::Env* base, SyncFolder sync_folder)
    : leveldb::EnvWrapper(base), sync_folder_(std::move(sync_folder)) {}

leveldb::Status DurableEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  *file = nullptr;
  leveldb::WritableFile* opened = nullptr;
  leveldb::Status status = target()->NewWritableFile(name, &opened);
  if (!status.ok()) return status;
  const bool is_log = ends_with(name, ".log");
  auto durable =
      std::make_unique<DurableFile>(std::unique_ptr<leveldb::WritableFile>(opened), *this, is_log);
  if (is_log) status = sync_folder_(folder_of(name));
  if (!status.ok()) return status;
  *file = durable.release();
  return status;
}

leveldb::Status DurableEnv::RenameFile(const std::string& from, const std::string& to) {
  const leveldb::Status status = target()->RenameFile(from, to);
  if (!status.ok() || !ends_with(to, "/CURRENT")) return status;
  return sync_folder_(folder_of(to));
}

}  // namespace stompbox::queue
