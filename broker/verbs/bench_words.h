#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "broker/verbs/latencies.h"
#include "storage/result.h"

// What the processes of a `bench` tell the one that started them, through a pipe each. Moments are
// those of the monotonic clock, which they share.
namespace stompbox::verbs {

using BenchClock = std::chrono::steady_clock;

struct IsReady {};
struct HasDone {
  std::uint64_t messages = 0;  // in all
  BenchClock::time_point last;
};
using BenchWord = std::variant<IsReady, HasDone, Latencies, storage::Error>;

[[nodiscard]] std::string to_bytes(const BenchWord& word);

// Bytes of one pipe, however they are cut, to words.
class BenchWords {
 public:
  void feed(std::string_view bytes) { bytes_ += bytes; }
  // The next whole one; nothing until more is fed, or if that is no word.
  [[nodiscard]] std::optional<BenchWord> next();

 private:
  std::string bytes_;
};

}  // namespace stompbox::verbs
