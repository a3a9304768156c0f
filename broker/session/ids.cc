#include "broker/session/ids.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace stompbox::session {
namespace {

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_pair(std::string_view text,
                                                                  char separator) {
  const std::size_t middle = text.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(text.substr(0, middle));
  const auto second = parse_number(text.substr(middle + 1));
  if (!first || !second || *first > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return std::pair(*first, *second);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_message_id(std::string& out, queue::MessageId id) {
  append_number(out, id.epoch());
  out.push_back('-');
  append_number(out, id.counter());
}

std::optional<queue::MessageId> parse_message_id(std::string_view text) {
  constexpr std::uint64_t kEpochMax =
      (std::uint64_t{1} << (64 - queue::MessageId::kCounterBits)) - 1;
  constexpr std::uint64_t kCounterMax = (std::uint64_t{1} << queue::MessageId::kCounterBits) - 1;
  const auto parts = parse_pair(text, '-');
  if (!parts || parts->first > kEpochMax || parts->second > kCounterMax) return std::nullopt;
  return queue::MessageId::make(static_cast<std::uint32_t>(parts->first), parts->second);
}

void append_ack_id(std::string& out, const AckId& id) {
  append_number(out, id.tag);
  out.push_back('.');
  append_number(out, id.delivery.value);
}

std::optional<AckId> parse_ack_id(std::string_view text) {
  const auto parts = parse_pair(text, '.');
  if (!parts) return std::nullopt;
  return AckId{.tag = static_cast<std::uint32_t>(parts->first), .delivery = {parts->second}};
}

}  // namespace stompbox::session
