#include "broker/verbs/progress.h"

#include <algorithm>

#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

std::string bar(std::uint64_t done, std::uint64_t total) {
  constexpr std::uint64_t kWidth = 20;
  const auto filled = static_cast<std::size_t>(done * kWidth / total);
  return "[" + std::string(filled, '#') + std::string(kWidth - filled, '-') + "]";
}

}  // namespace

std::string progress_line(const ProgressState& state) {
  if (state.total == 0) return state.what + "  " + with_commas(state.done) + " " + state.unit;
  const std::uint64_t done = std::min(state.done, state.total);
  std::string line = state.what + "  " + bar(done, state.total) + "  " +
                     std::to_string(done * 100 / state.total) + " %  " + with_commas(done) +
                     " of " + with_commas(state.total) + " " + state.unit;
  // Before that a guess is worth nothing.
  if (done * 50 < state.total || done == state.total) return line;
  const auto left = static_cast<std::uint64_t>(state.elapsed.count()) * (state.total - done) / done;
  return line + ", " + show_age(static_cast<std::int64_t>(left)) + " left";
}

}  // namespace stompbox::verbs
