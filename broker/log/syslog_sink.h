#pragma once

#include <mutex>
#include <optional>
#include <string_view>

#include <spdlog/sinks/base_sink.h>

#include "broker/log/log.h"

namespace stompbox::log {

// Where lines go: the system's log, one entry a line, with the level as its priority. Its daemon
// puts the time, the name and the process id before it. What it does not take is lost uncounted,
// for syslog(3) does not tell. One at a time in a process.
class SyslogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit SyslogSink(SyslogOptions options);
  ~SyslogSink() override;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  const SyslogOptions options_;  // its name is in use until closelog()
};

// LOG_DAEMON for "daemon", and so on; nothing for what is none.
[[nodiscard]] std::optional<int> syslog_facility(std::string_view name);

}  // namespace stompbox::log
