#include "storage/queue/leveldb_patient_env.h"

#include <memory>
#include <utility>

namespace stompbox::queue {
namespace {

bool is_log(const std::string& name) {
  return name.ends_with(".log");
}

}  // namespace

PatientEnv::PatientEnv(leveldb::Env* base, Limits limits)
    : leveldb::EnvWrapper(base), limits_(limits) {}

void PatientEnv::begin(std::function<int()> tables) {
  const std::lock_guard lock(mutex_);
  tables_ = std::move(tables);
}

void PatientEnv::end() {
  {
    const std::lock_guard lock(mutex_);
    tables_ = nullptr;
  }
  moved_.notify_all();
}

void PatientEnv::set_hurry(bool hurries) {
  {
    const std::lock_guard lock(mutex_);
    hurries_ = hurries;
  }
  moved_.notify_all();
}

void PatientEnv::Schedule(void (*work)(void*), void* argument) {
  struct Job {
    PatientEnv* env;
    void (*work)(void*);
    void* argument;
  };
  const auto run = [](void* scheduled) {
    const std::unique_ptr<Job> job(static_cast<Job*>(scheduled));
    job->env->wait_for_rest();
    job->work(job->argument);
  };
  target()->Schedule(run, new Job{this, work, argument});
}

void PatientEnv::wait_for_rest() {
  const Clock::time_point until = Clock::now() + limits_.longest;
  std::unique_lock lock(mutex_);
  while (may_wait() && Clock::now() < until) {
    const std::function<int()> tables = tables_;
    lock.unlock();
    const bool too_many = tables() >= limits_.tables_max;
    lock.lock();
    if (too_many) return;
    if (may_wait()) moved_.wait_for(lock, limits_.rest);
  }
}

bool PatientEnv::may_wait() const {
  const Clock::duration since_read(now() - last_read_.load());
  return tables_ != nullptr && !hurries_ && logs_.size() < 2 && since_read < limits_.rest;
}

leveldb::Status PatientEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  leveldb::Status status = target()->NewWritableFile(name, file);
  if (!status.ok() || !is_log(name)) return status;
  {
    const std::lock_guard lock(mutex_);
    logs_.insert(name);
  }
  moved_.notify_all();
  return status;
}

leveldb::Status PatientEnv::RemoveFile(const std::string& name) {
  leveldb::Status status = target()->RemoveFile(name);
  if (!status.ok() || !is_log(name)) return status;
  const std::lock_guard lock(mutex_);
  logs_.erase(name);
  return status;
}

}  // namespace stompbox::queue
