#include "broker/faces/stompserver_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace stompbox::faces {
namespace {

using Settings = StompserverSettings;
using storage::Error;
using storage::ErrorCode;

constexpr std::array<SettingRow, 24> kSettings = {{
    {"config", &Settings::config},
    {"configfile", &Settings::config},
    {"host", &Settings::host},
    {"port", &Settings::port},
    {"queue", &Settings::queue},
    {"working_dir", &Settings::working_dir},
    {"storage", &Settings::storage},
    {"logdir", &Settings::logdir},
    {"etcdir", &Settings::etcdir},
    {"logfile", &Settings::logfile},
    {"pidfile", &Settings::pidfile},
    {"user", &Settings::user},
    {"group", &Settings::group},
    {"log_level", &Settings::log_level},
    {"dbyml", &Settings::dbyml},
    {"checkpoint", &Settings::checkpoint},
    {"session_cache", &Settings::session_cache},
    {"daemon", &Settings::daemon},
    {"auth", &Settings::auth},
    {"debug", &Settings::debug},
    {"catalog_store", &Settings::catalog_store},
    {"control_socket", &Settings::control_socket},
    {"monitor_fields", &Settings::monitor_fields},
    {"stompbox_config", &Settings::stompbox_config},
}};

constexpr SwitchRow kConfig{'C', "config", "FILE", "Configuration file [stompserver.conf]"};
constexpr SwitchRow kPort{'p', "port", "PORT", "Port to listen on [61613]"};
constexpr SwitchRow kHost{'b', "host", "ADDR", "Address to listen on [127.0.0.1]"};
constexpr SwitchRow kQueue{'q', "queuetype", "TYPE",
                           "memory, or file, dbm, activerecord: kept on the disk [memory]"};
constexpr SwitchRow kWorkingDir{'w', "working_dir", "DIR", "Folder of all others [.]"};
constexpr SwitchRow kStorage{'s', "storage", "DIR", "Folder of the queues [.stompserver]"};
constexpr SwitchRow kDebug{'d', "debug", "", "Tell more in the log"};
constexpr SwitchRow kAuth{'a', "auth", "", "Ask for login and passcode, from etc/.passwd"};
constexpr SwitchRow kCheckpoint{'c', "checkpoint", "SECONDS",
                                "Has no effect: what has a receipt is on the disk"};
constexpr SwitchRow kHelp{'h', "help", "", "Show this"};

constexpr std::array<SwitchRow, 10> kSwitches = {kConfig,  kPort,  kHost, kQueue,      kWorkingDir,
                                                 kStorage, kDebug, kAuth, kCheckpoint, kHelp};

constexpr std::array<SwitchRow, 17> kNgSwitches = {{
    kConfig,
    kPort,
    kHost,
    kQueue,
    kWorkingDir,
    kStorage,
    kDebug,
    kAuth,
    kCheckpoint,
    kHelp,
    {'D', "logdir", "DIR", "Folder of log and pid file [log]"},
    {'l', "log_level", "LEVEL", "debug, info, warn or error [error]"},
    {'L', "logfile", "FILE", "Log file of a daemon [stompserver.log]"},
    {'P', "pidfile", "FILE", "Pid file [stompserver.pid]"},
    {'S', "session_cache", "SIZE", "Has no effect: session ids cost nothing"},
    {'y', "dbyml", "FILE", "Has no effect: there is one kind of store on the disk"},
    {'z', "daemon", "", "Run in the background"},
}};

std::optional<bool> to_switch(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kYes = {"true", "yes", "on", "y"};
  static constexpr std::array<std::string_view, 4> kNo = {"false", "no", "off", "n"};
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (std::find(kYes.begin(), kYes.end(), small) != kYes.end()) return true;
  if (std::find(kNo.begin(), kNo.end(), small) != kNo.end()) return false;
  return std::nullopt;
}

// The sign of a symbol (`:memory`) is not of its text.
std::string_view without_colon(std::string_view text) {
  const bool symbol = text.size() > 1 && text[0] == ':' && text.find(':', 1) == text.npos &&
                      text[1] >= 'a' && text[1] <= 'z';
  return symbol ? text.substr(1) : text;
}

struct Assign {
  Settings& settings;
  std::string_view text;

  storage::Status operator()(std::string Settings::*member) const {
    settings.*member = without_colon(text);
    return storage::kOk;
  }
  storage::Status operator()(bool Settings::*member) const {
    const auto value = to_switch(text);
    if (!value) return Error{ErrorCode::kInvalid, "is not true or false: " + std::string(text)};
    settings.*member = *value;
    return storage::kOk;
  }
  storage::Status operator()(std::uint32_t Settings::*member) const {
    std::uint32_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::uint32_t most = member == &Settings::port ? 65535 : UINT32_MAX;
    if (fault != std::errc() || end != text.data() + text.size() || number > most) {
      return Error{ErrorCode::kInvalid,
                   "is not a number up to " + std::to_string(most) + ": " + std::string(text)};
    }
    settings.*member = number;
    return storage::kOk;
  }
};

}  // namespace

const SettingRow* find_setting(std::string_view key) {
  const auto* const found = std::find_if(kSettings.begin(), kSettings.end(),
                                         [key](const SettingRow& row) { return row.key == key; });
  return found == kSettings.end() ? nullptr : found;
}

std::span<const SwitchRow> switch_rows(Dialect dialect) {
  if (dialect == Dialect::kStompserverNg) return kNgSwitches;
  return kSwitches;
}

std::string_view key_of(const SwitchRow& row) {
  return row.name == "queuetype" ? std::string_view("queue") : row.name;
}

storage::Status set_setting(Settings& settings, const SettingRow& row, std::string_view text) {
  return std::visit(Assign{settings, text}, row.member);
}

}  // namespace stompbox::faces
