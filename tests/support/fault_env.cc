#include "tests/support/fault_env.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

namespace stompbox::test {
namespace {

namespace fs = std::filesystem;

leveldb::Status power_is_off() {
  return leveldb::Status::IOError("the power is off");
}

std::string folder_of(const std::string& name) {
  return fs::path(name).parent_path().string();
}

std::string read_whole(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class FaultFile final : public leveldb::WritableFile {
 public:
  FaultFile(leveldb::WritableFile* file, FaultEnv& env, std::string name)
      : file_(file), env_(env), name_(std::move(name)) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    const FaultEnv::Grant grant = env_.may_append();
    if (grant.half) {
      static_cast<void>(file_->Append(leveldb::Slice(data.data(), data.size() / 2)));
    }
    if (!grant.status.ok()) return grant.status;
    length_ += data.size();
    return file_->Append(data);
  }

  leveldb::Status Close() override { return file_->Close(); }
  leveldb::Status Flush() override { return file_->Flush(); }

  leveldb::Status Sync() override {
    leveldb::Status status = file_->Flush();
    if (status.ok()) status = env_.may_sync(name_, length_);
    return status;
  }

 private:
  const std::unique_ptr<leveldb::WritableFile> file_;
  FaultEnv& env_;
  const std::string name_;
  std::uint64_t length_ = 0;
};

class CountedSequentialFile final : public leveldb::SequentialFile {
 public:
  CountedSequentialFile(leveldb::SequentialFile* file, FaultEnv& env) : file_(file), env_(env) {}

  leveldb::Status Read(std::size_t size, leveldb::Slice* result, char* scratch) override {
    const leveldb::Status status = file_->Read(size, result, scratch);
    if (status.ok()) env_.note_read(result->size());
    return status;
  }
  leveldb::Status Skip(std::uint64_t size) override { return file_->Skip(size); }

 private:
  const std::unique_ptr<leveldb::SequentialFile> file_;
  FaultEnv& env_;
};

class CountedRandomFile final : public leveldb::RandomAccessFile {
 public:
  CountedRandomFile(leveldb::RandomAccessFile* file, FaultEnv& env) : file_(file), env_(env) {}

  leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                       char* scratch) const override {
    const leveldb::Status status = file_->Read(offset, size, result, scratch);
    if (status.ok()) env_.note_read(result->size());
    return status;
  }

 private:
  const std::unique_ptr<leveldb::RandomAccessFile> file_;
  FaultEnv& env_;
};

}  // namespace

void FaultEnv::restore_power() {
  const std::lock_guard lock(mutex_);
  for (auto renaming = renamings_.rbegin(); renaming != renamings_.rend(); ++renaming) {
    fs::rename(renaming->to, renaming->from);
    if (renaming->replaced) {
      std::ofstream(renaming->to, std::ios::binary) << *renaming->replaced;
    }
  }
  for (const std::string& name : new_names_)
    fs::remove(name);
  for (const auto& [name, length] : synced_lengths_) {
    if (fs::exists(name) && fs::file_size(name) > length) fs::resize_file(name, length);
  }
  renamings_.clear();
  new_names_.clear();
  is_off_ = false;
  write_error_ = 0;
  sync_error_ = 0;
  tables_stall_ = false;
}

leveldb::Status FaultEnv::sync_folder(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  if (is_off_) return power_is_off();
  std::erase_if(new_names_, [&folder](const auto& name) { return folder_of(name) == folder; });
  std::erase_if(renamings_,
                [&folder](const auto& renaming) { return folder_of(renaming.to) == folder; });
  return leveldb::Status::OK();
}

std::uint64_t FaultEnv::sync_count() const {
  const std::lock_guard lock(mutex_);
  return sync_count_;
}

std::uint64_t FaultEnv::bytes_read() const {
  const std::lock_guard lock(mutex_);
  return bytes_read_;
}

leveldb::Status FaultEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  std::unique_lock lock(mutex_);
  *file = nullptr;
  const bool is_table = fs::path(name).extension() == ".ldb";
  power_changed_.wait(lock, [&] { return !is_table || !tables_stall_ || is_off_; });
  if (is_off_) return power_is_off();
  const bool is_new = !fs::exists(name);
  leveldb::WritableFile* opened = nullptr;
  const leveldb::Status status = target()->NewWritableFile(name, &opened);
  if (!status.ok()) return status;
  if (is_new) new_names_.insert(name);
  synced_lengths_[name] = 0;
  *file = new FaultFile(opened, *this, name);  // LevelDB deletes it
  return status;
}

leveldb::Status FaultEnv::NewSequentialFile(const std::string& name,
                                            leveldb::SequentialFile** file) {
  leveldb::SequentialFile* opened = nullptr;
  const leveldb::Status status = target()->NewSequentialFile(name, &opened);
  *file = status.ok() ? new CountedSequentialFile(opened, *this) : nullptr;
  return status;
}

leveldb::Status FaultEnv::NewRandomAccessFile(const std::string& name,
                                              leveldb::RandomAccessFile** file) {
  leveldb::RandomAccessFile* opened = nullptr;
  const leveldb::Status status = target()->NewRandomAccessFile(name, &opened);
  *file = status.ok() ? new CountedRandomFile(opened, *this) : nullptr;
  return status;
}

leveldb::Status FaultEnv::RenameFile(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (is_off_) return power_is_off();
  Renaming renaming{from, to, std::nullopt};
  if (fs::exists(to)) renaming.replaced = read_whole(to);
  const leveldb::Status status = target()->RenameFile(from, to);
  if (!status.ok()) return status;
  if (synced_lengths_.contains(from)) synced_lengths_[to] = synced_lengths_.extract(from).mapped();
  new_names_.erase(from);
  renamings_.push_back(std::move(renaming));
  return status;
}

leveldb::Status FaultEnv::RemoveFile(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (is_off_) return power_is_off();
  const leveldb::Status status = target()->RemoveFile(name);
  if (!status.ok()) return status;
  synced_lengths_.erase(name);
  new_names_.erase(name);
  return status;
}

FaultEnv::Grant FaultEnv::may_append() {
  const std::lock_guard lock(mutex_);
  if (is_off_) return {power_is_off(), false};
  if (write_error_ != 0) return {leveldb::Status::IOError(std::strerror(write_error_)), true};
  return {leveldb::Status::OK(), false};
}

leveldb::Status FaultEnv::may_sync(const std::string& name, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  if (is_off_) return power_is_off();
  if (sync_error_ != 0) return leveldb::Status::IOError(std::strerror(sync_error_));
  ++sync_count_;
  synced_lengths_[name] = length;
  // As LevelDB's own files do it: a new manifest makes its folder durable.
  if (name.find("/MANIFEST-") != std::string::npos) {
    std::erase_if(new_names_,
                  [&name](const auto& other) { return folder_of(other) == folder_of(name); });
  }
  return leveldb::Status::OK();
}

void FaultEnv::note_read(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_read_ += bytes;
}

}  // namespace stompbox::test
