#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "broker/faces/command_words.h"
#include "storage/result.h"

// What StompServer and stompserver_ng can be told, under the names of their flags and of their
// configuration file (facts 3.1, 3.2, 3.7), and four keys of our own.
namespace stompbox::faces {

enum class Dialect : std::uint8_t { kStompserver, kStompserverNg };

struct StompserverSettings {
  std::string config;  // -C
  std::string host = "127.0.0.1";
  std::uint32_t port = 61613;
  std::string queue = "memory";
  std::string working_dir = ".";
  std::string storage = ".stompserver";  // this and the next are relative to the working folder
  std::string logdir = "log";
  std::string etcdir = "etc";
  std::string logfile = "stompserver.log";  // relative to the log folder
  std::string pidfile = "stompserver.pid";
  std::string user;  // empty: who starts it
  std::string group;
  std::string log_level;  // empty: as the dialect has it
  std::string dbyml;
  std::uint32_t checkpoint = 0;
  std::uint32_t session_cache = 0;
  bool daemon = false;
  bool auth = false;
  bool debug = false;
  // Ours, in the file only.
  std::string catalog_store = "none";
  std::string control_socket = "auto";
  std::string monitor_fields;  // empty: as the dialect has it
  std::string stompbox_config;
};

using SettingMember =
    std::variant<std::string StompserverSettings::*, std::uint32_t StompserverSettings::*,
                 bool StompserverSettings::*>;

struct SettingRow {
  std::string_view key;  // in the file, without the colons
  SettingMember member;
};

// Of a key of the file, whatever the dialect; null for a key that does not exist.
[[nodiscard]] const SettingRow* find_setting(std::string_view key);
// The flags of a dialect; a flag's name is the key of its setting, but for `queuetype` and `help`.
[[nodiscard]] std::span<const SwitchRow> switch_rows(Dialect dialect);
[[nodiscard]] std::string_view key_of(const SwitchRow& row);

// yes, no, true, false, on, off and y, n are understood. On kInvalid nothing has changed; the error
// is the end of a sentence that begins with the option's name.
[[nodiscard]] storage::Status set_setting(StompserverSettings& settings, const SettingRow& row,
                                          std::string_view text);

}  // namespace stompbox::faces
