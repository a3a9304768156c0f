#pragma once

#include <span>
#include <string>

#include "broker/faces/puppetqd_conf.h"
#include "storage/result.h"

namespace stompbox::faces {

// puppetqd's command line.
struct PuppetqdWords {
  enum class Asked { kService, kHelp, kVersion };
  Asked asked = Asked::kService;
  bool debug = false;
  bool verbose = false;
  std::string log_destination;      // empty: not given
  PuppetSettings::Values settings;  // "true" or "false" for a switch
};

// Any long option is a setting: `--name VALUE`, `--name=VALUE`, and `--name` or `--no-name` for a
// switch. `-` and `_` are alike. kInvalid with OptionParser's words.
[[nodiscard]] storage::Result<PuppetqdWords> read_puppetqd_words(
    std::span<const std::string> words);

}  // namespace stompbox::faces
