#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <functional>
#include <string>

namespace stompbox::queue {

// Makes a folder's entries durable.
using SyncFolder = std::function<leveldb::Status(const std::string& folder)>;
[[nodiscard]] leveldb::Status sync_folder_now(const std::string& folder);

// Closes the gaps that LevelDB leaves between its own syncs:
// - a new log file is in the folder for good before anything is written to it;
// - a log file that is left for the next one is synced first, so that only the newest can end
// early;
// - the renaming of CURRENT is durable;
// - a failed sync is remembered, and every write after it fails: the log is not known any more.
class DurableEnv final : public leveldb::EnvWrapper {
 public:
  // `base` outlives this.
  DurableEnv(leveldb::Env* base, SyncFolder sync_folder);

  // Any thread.
  [[nodiscard]] bool sync_failed() const { return sync_failed_.load(); }
  void note_sync_failure() { sync_failed_.store(true); }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

 private:
  const SyncFolder sync_folder_;
  std::atomic<bool> sync_failed_{false};
};

}  // namespace stompbox::queue
