#include "protocol/frame.h"

#include <array>
#include <cassert>
#include <limits>

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

bool is_login(Command command) {
  return command == Command::kConnect || command == Command::kStomp ||
         command == Command::kConnected;
}

void Headers::add(std::string_view name, std::string_view value) {
  const std::size_t begin = bytes_.size();
  bytes_.append(name);
  bytes_.push_back(':');
  bytes_.append(value);
  add_entry(begin, begin + name.size() + 1);
}

void Headers::add_line(std::string_view line, std::size_t colon) {
  assert(colon < line.size() && line[colon] == ':');
  const std::size_t begin = bytes_.size();
  bytes_.append(line);
  add_entry(begin, begin + colon + 1);
}

void Headers::add_entry(std::size_t name_begin, std::size_t value_begin) {
  assert(bytes_.size() <= std::numeric_limits<std::uint32_t>::max());
  entries_.push_back({.name_begin = static_cast<std::uint32_t>(name_begin),
                      .value_begin = static_cast<std::uint32_t>(value_begin),
                      .value_end = static_cast<std::uint32_t>(bytes_.size())});
}

void Headers::clear() {
  bytes_.clear();
  entries_.clear();
}

void Headers::reserve(std::size_t count, std::size_t bytes) {
  entries_.reserve(count);
  bytes_.reserve(bytes);
}

Headers::View Headers::at(std::size_t index) const {
  assert(index < entries_.size());
  const Entry& entry = entries_[index];
  const std::string_view bytes = bytes_;
  return {.name = bytes.substr(entry.name_begin, entry.value_begin - 1 - entry.name_begin),
          .value = bytes.substr(entry.value_begin, entry.value_end - entry.value_begin)};
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const View header = at(i);
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

}  // namespace stompbox::protocol
