#include "storage/queue/leveldb_patient_env.h"

#include <memory>
#include <utility>

namespace stompbox::queue {
namespace {

bool is_log(const std::string& name) {
  return name.ends_with(".log");
}

bool is_table(const std::string& name) {
  return name.ends_with(".ldb");
}

}  // namespace

// A table on its way to the disk: of merging, or of a memory table, for which nothing waits.
class PatientEnv::TableFile final : public leveldb::WritableFile {
 public:
  TableFile(std::unique_ptr<leveldb::WritableFile> file, PatientEnv& env)
      : file_(std::move(file)), env_(env) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    env_.wait_for_rest(env_.limits_.tables_max_within);
    return file_->Append(data);
  }
  leveldb::Status Close() override { return file_->Close(); }
  leveldb::Status Flush() override { return file_->Flush(); }
  leveldb::Status Sync() override { return file_->Sync(); }

 private:
  const std::unique_ptr<leveldb::WritableFile> file_;
  PatientEnv& env_;
};

PatientEnv::PatientEnv(leveldb::Env* base, Limits limits, std::function<Clock::time_point()> now)
    : leveldb::EnvWrapper(base), limits_(limits), now_(std::move(now)) {}

void PatientEnv::begin(std::function<int()> tables) {
  const std::lock_guard lock(mutex_);
  tables_ = std::move(tables);
}

void PatientEnv::end() {
  {
    const std::lock_guard lock(mutex_);
    tables_ = nullptr;
    logs_.clear();
  }
  moved_.notify_all();
}

void PatientEnv::hurry() {
  {
    const std::lock_guard lock(mutex_);
    ++hurries_;
  }
  moved_.notify_all();
}

void PatientEnv::calm() {
  const std::lock_guard lock(mutex_);
  --hurries_;
}

void PatientEnv::Schedule(void (*work)(void*), void* argument) {
  struct Job {
    PatientEnv* env;
    void (*work)(void*);
    void* argument;
  };
  const auto run = [](void* scheduled) {
    const std::unique_ptr<Job> job(static_cast<Job*>(scheduled));
    job->env->wait_for_rest(job->env->limits_.tables_max);
    job->work(job->argument);
  };
  target()->Schedule(run, new Job{this, work, argument});
}

void PatientEnv::wait_for_rest(int tables_max) {
  std::unique_lock lock(mutex_);
  while (may_wait()) {
    const std::function<int()> tables = tables_;
    lock.unlock();
    const bool too_many = tables() >= tables_max;
    lock.lock();
    if (too_many || !may_wait()) return;
    const Clock::time_point begin = now_();
    moved_.wait_for(lock, limits_.rest);
    waited_ += now_() - begin;
  }
}

bool PatientEnv::may_wait() {
  const Clock::time_point now = now_();
  if (now - period_begin_ >= limits_.period) {
    period_begin_ = now;
    waited_ = {};
  }
  const Clock::duration since_read = now.time_since_epoch() - Clock::duration(last_read_.load());
  return tables_ != nullptr && hurries_ == 0 && logs_.size() < 2 && since_read < limits_.rest &&
         waited_ < limits_.longest;
}

leveldb::Status PatientEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  leveldb::Status status = target()->NewWritableFile(name, file);
  if (!status.ok()) return status;
  if (is_table(name)) *file = new TableFile(std::unique_ptr<leveldb::WritableFile>(*file), *this);
  if (!is_log(name)) return status;
  {
    const std::lock_guard lock(mutex_);
    logs_.insert(name);
  }
  moved_.notify_all();
  return status;
}

leveldb::Status PatientEnv::RemoveFile(const std::string& name) {
  leveldb::Status status = target()->RemoveFile(name);
  if (!is_log(name) || !(status.ok() || status.IsNotFound())) return status;
  const std::lock_guard lock(mutex_);
  logs_.erase(name);
  return status;
}

}  // namespace stompbox::queue
