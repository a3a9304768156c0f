#include "protocol/heart_beat.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "protocol/blanks.h"

namespace stompbox::protocol {
namespace {

constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);

std::optional<std::chrono::milliseconds> parse_interval(std::string_view text) {
  text = trimmed(text);
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  const std::uint64_t longest = static_cast<std::uint64_t>(kLongest.count());
  if (error == std::errc::result_out_of_range || number > longest) return kLongest;
  return std::chrono::milliseconds(number);
}

std::chrono::milliseconds agree_one_way(std::chrono::milliseconds sends_every,
                                        std::chrono::milliseconds wants_every) {
  if (sends_every.count() == 0 || wants_every.count() == 0) return std::chrono::milliseconds(0);
  return std::max(sends_every, wants_every);
}

}  // namespace

std::optional<HeartBeat> parse_heart_beat(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto sends_every = parse_interval(text.substr(0, comma));
  const auto wants_every = parse_interval(text.substr(comma + 1));
  if (!sends_every || !wants_every) return std::nullopt;
  return HeartBeat{.sends_every = *sends_every, .wants_every = *wants_every};
}

std::string to_text(const HeartBeat& heart_beat) {
  return std::to_string(heart_beat.sends_every.count()) + "," +
         std::to_string(heart_beat.wants_every.count());
}

AgreedBeats agree(const HeartBeat& client, const HeartBeat& server) {
  return {.from_client = agree_one_way(client.sends_every, server.wants_every),
          .to_client = agree_one_way(server.sends_every, client.wants_every)};
}

}  // namespace stompbox::protocol
