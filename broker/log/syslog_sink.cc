#include "broker/log/syslog_sink.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace stompbox::log {
namespace {

struct Facility {
  std::string_view name;
  int number;
};

constexpr std::array<Facility, 18> kFacilities = {{{"auth", LOG_AUTH},
                                                   {"authpriv", LOG_AUTHPRIV},
                                                   {"cron", LOG_CRON},
                                                   {"daemon", LOG_DAEMON},
                                                   {"lpr", LOG_LPR},
                                                   {"mail", LOG_MAIL},
                                                   {"news", LOG_NEWS},
                                                   {"syslog", LOG_SYSLOG},
                                                   {"user", LOG_USER},
                                                   {"uucp", LOG_UUCP},
                                                   {"local0", LOG_LOCAL0},
                                                   {"local1", LOG_LOCAL1},
                                                   {"local2", LOG_LOCAL2},
                                                   {"local3", LOG_LOCAL3},
                                                   {"local4", LOG_LOCAL4},
                                                   {"local5", LOG_LOCAL5},
                                                   {"local6", LOG_LOCAL6},
                                                   {"local7", LOG_LOCAL7}}};

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return LOG_DEBUG;
    case spdlog::level::info: return LOG_INFO;
    case spdlog::level::warn: return LOG_WARNING;
    default: return LOG_ERR;
  }
}

}  // namespace

std::optional<int> syslog_facility(std::string_view name) {
  const auto* const found = std::find_if(kFacilities.begin(), kFacilities.end(),
                                         [name](const Facility& f) { return f.name == name; });
  return found == kFacilities.end() ? std::nullopt : std::optional(found->number);
}

SyslogSink::SyslogSink(SyslogOptions options) : options_(std::move(options)) {
  if (options_.write) return;
  ::openlog(options_.name.c_str(), LOG_PID | LOG_NDELAY,
            syslog_facility(options_.facility).value_or(LOG_DAEMON));
}

SyslogSink::~SyslogSink() {
  if (!options_.write) ::closelog();
}

void SyslogSink::sink_it_(const spdlog::details::log_msg& message) {
  const std::string line(message.payload.data(), message.payload.size());
  const int priority = priority_of(message.level);
  if (options_.write) return options_.write(priority, line);
  ::syslog(priority, "%s", line.c_str());
}

}  // namespace stompbox::log
