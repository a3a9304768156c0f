#include "protocol/frame.h"

#include <array>

namespace stompbox::protocol {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 15> kCommandTexts{
    "CONNECT", "STOMP", "SEND",       "SUBSCRIBE", "UNSUBSCRIBE", "ACK",     "NACK",  "BEGIN",
    "COMMIT",  "ABORT", "DISCONNECT", "CONNECTED", "MESSAGE",     "RECEIPT", "ERROR",
};
static_assert(kCommandTexts.size() == static_cast<std::size_t>(Command::kError) + 1);

}  // namespace

std::string_view to_text(Command command) {
  return kCommandTexts[static_cast<std::size_t>(command)];
}

std::optional<Command> parse_command(std::string_view text) {
  for (std::size_t i = 0; i < kCommandTexts.size(); ++i) {
    if (kCommandTexts[i] == text) return static_cast<Command>(i);
  }
  return std::nullopt;
}

void Headers::add(std::string_view name, std::string_view value) {
  const std::size_t begin = bytes_.size();
  bytes_.append(name);
  bytes_.push_back(':');
  bytes_.append(value);
  add_entry(begin, begin + name.size() + 1);
}

void Headers::clear() {
  bytes_.clear();
  entries_.clear();
}

void Headers::reserve(std::size_t count, std::size_t bytes) {
  entries_.reserve(count);
  bytes_.reserve(bytes);
}

}  // namespace stompbox::protocol
