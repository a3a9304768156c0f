#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"

// The verbs that change queues. What is deleted was stored, and is gone for good.
namespace stompbox::verbs {

struct PurgeOptions {
  std::string queue;
  std::string pattern;  // of names; in the place of one
  Output output = Output::kTable;
};
[[nodiscard]] Exit purge(const options::Options& options, const PurgeOptions& wanted);

struct MoveOptions {
  std::string from;
  std::string to;
  std::optional<std::uint64_t> count;  // nothing: what waits when it begins
  Output output = Output::kTable;
};
// In portions, so that however many there are, each question to the broker is a short one.
[[nodiscard]] Exit move_messages(const options::Options& options, const MoveOptions& wanted);

[[nodiscard]] Exit delete_queue(const options::Options& options, const std::string& queue,
                                Output output);

enum class Consent : std::uint8_t { kGiven, kMissing };
[[nodiscard]] Exit reset(const options::Options& options, Consent consent, Output output);

}  // namespace stompbox::verbs
