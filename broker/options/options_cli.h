#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/options/options.h"
#include "storage/result.h"

namespace CLI {
class App;
}

namespace stompbox::options {

// What was given on the command line, as text. Lives as long as the App that writes into it.
struct GivenFlags {
  struct Flag {
    std::string_view key;  // of the option table
    std::vector<std::string> texts;
  };
  std::string config_file;
  std::deque<Flag> flags;  // a place for every option; no texts: not given
};

// Adds --config and a flag for every option but those of [source]. Data folder and --ephemeral
// exclude each other.
void add_serve_flags(CLI::App& app, GivenFlags& given);

// The same for the drain stage alone: what it has a use for, [source] among them.
void add_drain_flags(CLI::App& app, GivenFlags& given);

// The same for verbs that only need to know where things are: --config, --data, --control-socket,
// --catalog-store.
void add_place_flags(CLI::App& app, GivenFlags& given);

// Defaults, then the file, then the flags; checked as a whole. Every mistake is
// a line of the error.
[[nodiscard]] storage::Result<Options> resolve(const GivenFlags& given);

}  // namespace stompbox::options
