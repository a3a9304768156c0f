#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/options/options.h"

// What a foreign command line and its files come to: values, nothing has been done yet.
namespace stompbox::faces {

enum class Ground : std::uint8_t { kForeground, kBackground };

// What surrounds the server, as its users' init scripts expect it. All paths are absolute.
struct ProcessPlan {
  Ground ground = Ground::kForeground;
  std::vector<std::string> folders;  // made one after the other, each without those above it
  std::string working_folder;        // a daemon goes there
  std::string pid_file;              // empty: none
  std::string output_file;           // of a daemon's standard output; empty: nowhere
  std::string user;                  // name or number; empty: stays who it is
  std::string group;
  std::optional<std::uint32_t> file_mask;
};

struct Notice {
  enum class Weight : std::uint8_t { kInfo, kWarning };
  Weight weight = Weight::kWarning;
  std::string text;  // one sentence
};

// What it stands for: a broker, or a consumer of one.
enum class Service : std::uint8_t { kBroker, kDrain };

struct Plan {
  Service service = Service::kBroker;
  options::Options options;
  ProcessPlan process;
  std::string old_storage;        // where StompServer may have left queues; empty: nowhere
  std::vector<Notice> notices;    // for the log
  std::string database_password;  // empty: none was read
};

// The command line asked for a text, or cannot be understood: print it and end.
struct Answer {
  std::string text;   // ends with a line feed
  int exit_code = 0;  // 0: for standard output, else for standard error
};

using Outcome = std::variant<Plan, Answer>;

}  // namespace stompbox::faces
