#include "broker/log/log.h"

#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>

#include "broker/log/file_sink.h"
#include "broker/log/syslog_sink.h"

namespace stompbox::log {
namespace {

constexpr std::chrono::seconds kStopPatience{1};

// Everything that a started log consists of. `pool` owns the writing thread.
struct Running {
  std::shared_ptr<FileSink> file;  // null: the system's log
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

std::atomic<Level> level_now{Level::kInfo};
std::atomic<std::uint64_t> lost_before{0};  // by logs that were stopped
std::mutex running_mutex;                   // guards the pointer, never held over I/O
std::shared_ptr<Running> running;

std::shared_ptr<Running> current() {
  const std::lock_guard lock(running_mutex);
  return running;
}

std::shared_ptr<Running> exchange(std::shared_ptr<Running> next) {
  const std::lock_guard lock(running_mutex);
  return std::exchange(running, std::move(next));
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  assert(false);
  return spdlog::level::err;
}

std::uint64_t lost_by(const Running& log) {
  return (log.file ? log.file->lost_lines() : 0) + log.pool->overrun_counter();
}

// Set by the thread that waits for the writing thread; outlives whoever gave up waiting.
struct Ending {
  std::mutex mutex;
  std::condition_variable ended;
  bool has_ended = false;
};

// The pool's destructor writes all lines that wait and joins: with a stuck pipe, never.
void end_pool(std::shared_ptr<Running> log, std::shared_ptr<Ending> ending) {
  log.reset();
  const std::lock_guard lock(ending->mutex);
  ending->has_ended = true;
  ending->ended.notify_all();
}

}  // namespace

std::error_code start(const LogOptions& options) {
  assert(!current());
  auto log = std::make_shared<Running>();
  spdlog::sink_ptr sink;
  if (options.syslog) {
    sink = std::make_shared<SyslogSink>(*options.syslog);
  } else {
    std::error_code error;
    log->file = FileSink::open(options.file, error);
    if (error) return error;
    sink = log->file;
  }
  log->pool = std::make_shared<spdlog::details::thread_pool>(options.queue_lines_max, 1);
  log->logger = std::make_shared<spdlog::async_logger>(
      "stompbox", std::move(sink), log->pool, spdlog::async_overflow_policy::overrun_oldest);
  log->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
  log->logger->set_level(spdlog::level::debug);  // `enabled` is the one filter
  level_now = options.level;
  exchange(std::move(log));
  return {};
}

void stop() {
  std::shared_ptr<Running> log = exchange(nullptr);
  if (!log) return;
  lost_before += lost_by(*log);
  auto ending = std::make_shared<Ending>();
  std::thread(end_pool, std::move(log), ending).detach();
  std::unique_lock lock(ending->mutex);
  ending->ended.wait_for(lock, kStopPatience, [&ending] { return ending->has_ended; });
}

void reopen() {
  if (const auto log = current(); log && log->file) log->file->ask_reopen();
}

void write(Level level, std::string_view event, const Fields& fields) {
  if (!enabled(level)) return;
  const auto log = current();
  if (!log) return;
  std::string line;
  line.reserve(event.size() + fields.text().size());
  line += event;
  line += fields.text();
  log->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

bool is_syslog_facility(std::string_view name) {
  return syslog_facility(name).has_value();
}

bool enabled(Level level) {
  return level >= level_now.load(std::memory_order_relaxed);
}

std::uint64_t lost_lines() {
  const auto log = current();
  return lost_before + (log ? lost_by(*log) : 0);
}

}  // namespace stompbox::log
