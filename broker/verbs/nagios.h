#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace stompbox::verbs {

// From which value on a state begins; nothing: never.
struct Threshold {
  std::optional<std::uint64_t> warning;
  std::optional<std::uint64_t> critical;
};

struct Thresholds {
  Threshold depth{1'000, 10'000};     // catalogs that wait for the database
  Threshold age_seconds{600, 3'600};  // of the oldest of them
  Threshold dead_letters{1, std::nullopt};
};

// What is looked at.
struct Health {
  std::uint64_t catalogs_unstored = 0;
  std::uint64_t oldest_seconds = 0;
  std::uint64_t dead_letters = 0;
  bool disk_full = false;
  bool database_in_trouble = false;
  bool contested = false;  // somebody else takes catalogs from the queue
  std::string last_error;
};

// The exit codes of a Nagios plug-in.
enum class NagiosState : std::uint8_t { kOk = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };

struct Verdict {
  NagiosState state = NagiosState::kOk;
  std::string line;  // "STOMPBOX OK - sentence | figures", with its newline
};

[[nodiscard]] Verdict judge(const Health& health, const Thresholds& thresholds);
// For a broker that could not be asked.
[[nodiscard]] Verdict judge_silence(NagiosState state, const std::string& reason);

}  // namespace stompbox::verbs
