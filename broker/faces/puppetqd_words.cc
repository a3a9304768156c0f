#include "broker/faces/puppetqd_words.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

// Switches among Puppet's settings; of others it is not known, and the next word decides.
constexpr std::array<std::string_view, 10> kSwitches = {
    "daemonize", "thin_storeconfigs", "storeconfigs", "async_storeconfigs", "dbmigrate", "trace",
    "color",     "mkusers",           "noop",         "ignorecache"};

class Reading {
 public:
  explicit Reading(std::span<const std::string> words) : words_(words) {}

  storage::Status run() {
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      auto status = word.starts_with("--") ? take_long(word.substr(2)) : take_short(word);
      if (!status) return status;
    }
    return storage::kOk;
  }

  PuppetqdWords result;

 private:
  storage::Status take_long(const std::string& word) {
    const std::size_t sign = word.find('=');
    std::string name = word.substr(0, sign);
    std::replace(name.begin(), name.end(), '-', '_');
    if (take_own(name)) return storage::kOk;
    const bool negated = name.starts_with("no_");
    if (negated || (sign == std::string::npos && is_switch(name))) {
      result.settings[negated ? name.substr(3) : name] = negated ? "false" : "true";
      return storage::kOk;
    }
    std::string value;
    if (sign != std::string::npos) {
      value = word.substr(sign + 1);
    } else if (at_ + 1 < words_.size()) {
      value = words_[++at_];
    } else {
      return missing("--" + word);
    }
    (name == "logdest" ? result.log_destination : result.settings[name]) = value;
    return storage::kOk;
  }

  bool take_own(const std::string& name) {
    if (name == "debug") result.debug = true;
    if (name == "verbose") result.verbose = true;
    if (name == "help") result.asked = PuppetqdWords::Asked::kHelp;
    if (name == "version") result.asked = PuppetqdWords::Asked::kVersion;
    return name == "debug" || name == "verbose" || name == "help" || name == "version";
  }

  bool is_switch(const std::string& name) const {
    return std::find(kSwitches.begin(), kSwitches.end(), name) != kSwitches.end();
  }

  storage::Status take_short(const std::string& word) {
    if (word.size() < 2 || word.front() != '-') {
      return Error{ErrorCode::kInvalid, "unexpected argument: " + word};
    }
    for (std::size_t i = 1; i < word.size(); ++i) {
      switch (word[i]) {
        case 'd': result.debug = true; break;
        case 'v': result.verbose = true; break;
        case 'h': result.asked = PuppetqdWords::Asked::kHelp; break;
        case 'V': result.asked = PuppetqdWords::Asked::kVersion; break;
        case 'l': return take_log(word.substr(i + 1));
        default: return Error{ErrorCode::kInvalid, std::string("invalid option: -") + word[i]};
      }
    }
    return storage::kOk;
  }

  storage::Status take_log(const std::string& rest) {
    if (rest.empty() && at_ + 1 >= words_.size()) return missing("-l");
    result.log_destination = rest.empty() ? words_[++at_] : rest;
    return storage::kOk;
  }

  static storage::Status missing(const std::string& word) {
    return Error{ErrorCode::kInvalid, "missing argument: " + word};
  }

  std::span<const std::string> words_;
  std::size_t at_ = 0;
};

}  // namespace

storage::Result<PuppetqdWords> read_puppetqd_words(std::span<const std::string> words) {
  Reading reading(words);
  if (auto status = reading.run(); !status) return status.error();
  return std::move(reading.result);
}

}  // namespace stompbox::faces
