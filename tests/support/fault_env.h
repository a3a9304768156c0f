#pragma once

#include <leveldb/env.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stompbox::test {

// Real files in a real folder, on a machine that can lose power, fill up and fail. What was not
// synced is forgotten when the power comes back: the ends of files, new names in a folder,
// renamings. Any thread.
class FaultEnv final : public leveldb::EnvWrapper {
 public:
  FaultEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  // From now on a write brings half of its bytes and this errno; 0: works again.
  void fail_writes(int error) {
    const std::lock_guard lock(mutex_);
    write_error_ = error;
  }
  void fill_disk() { fail_writes(ENOSPC); }
  void make_room() { fail_writes(0); }
  // From now on a sync fails with this errno.
  void fail_syncs(int error) {
    const std::lock_guard lock(mutex_);
    sync_error_ = error;
  }
  // From now on no table can be begun: a compaction hangs until the power is cut.
  void stall_tables() { set(tables_stall_, true); }
  // From now on nothing reaches the disk; close the store, then call restore_power().
  void cut_power() {
    set(is_off_, true);
    power_changed_.notify_all();
  }
  void restore_power();

  // To be given as the store's way of syncing a folder.
  leveldb::Status sync_folder(const std::string& folder);

  [[nodiscard]] std::uint64_t sync_count() const;
  // From all files, since the start.
  [[nodiscard]] std::uint64_t bytes_read() const;

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status NewSequentialFile(const std::string& name,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status RemoveFile(const std::string& name) override;

  // For the files of this environment.
  struct Grant {
    leveldb::Status status;
    bool half = false;  // write half, then fail with `status`
  };
  [[nodiscard]] Grant may_append();
  [[nodiscard]] leveldb::Status may_sync(const std::string& name, std::uint64_t length);
  void note_read(std::uint64_t bytes);

 private:
  struct Renaming {
    std::string from;
    std::string to;
    std::optional<std::string> replaced;  // what stood there
  };

  void set(bool& flag, bool value) {
    const std::lock_guard lock(mutex_);
    flag = value;
  }

  std::condition_variable power_changed_;
  mutable std::mutex mutex_;  // guards what follows
  int write_error_ = 0;
  int sync_error_ = 0;  // 0: syncs work
  bool tables_stall_ = false;
  bool is_off_ = false;
  std::uint64_t sync_count_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::map<std::string, std::uint64_t> synced_lengths_;
  std::set<std::string> new_names_;  // not yet in their folder for good
  std::vector<Renaming> renamings_;
};

}  // namespace stompbox::test
