#include "broker/arrival_stamp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <system_error>

#include "broker/client/dialogue.h"

namespace stompbox {
namespace {

constexpr unsigned kCountBits = 20;
constexpr std::uint64_t kCountMax = (std::uint64_t{1} << kCountBits) - 1;
// Anything below is seconds: as milliseconds it would be in 1973.
constexpr std::int64_t kSecondsMax = 100'000'000'000;
constexpr std::int64_t kLatest = 253'402'300'799'000;  // the end of the year 9999

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<std::int64_t> epoch_ms(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number == 0 || *number > kLatest) return std::nullopt;
  return *number < kSecondsMax ? *number * 1000 : *number;
}

// "2026-11-22T05:04:29Z", with or without decimals of the second; only UTC.
std::optional<std::int64_t> iso_ms(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || !text.ends_with('Z')) {
    return std::nullopt;
  }
  const auto part = [text](std::size_t begin, std::size_t size) {
    return to_number(text.substr(begin, size)).value_or(-1);
  };
  const std::int64_t year_number = part(0, 4), month_number = part(5, 2), day_number = part(8, 2);
  const std::int64_t hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
  if (year_number < 1970 || month_number < 1 || day_number < 1 || hour < 0 || minute < 0 ||
      second < 0) {
    return std::nullopt;
  }
  const year_month_day date{year{static_cast<int>(year_number)},
                            month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::int64_t decimals = 0;
  if (const std::string_view rest = text.substr(19, text.size() - 20); !rest.empty()) {
    std::string digits(rest.substr(1, 3));
    digits.resize(3, '0');
    const auto number = to_number(digits);
    if (rest.front() != '.' || rest.size() < 2 || !number) return std::nullopt;
    decimals = *number;
  }
  const auto days = sys_days(date).time_since_epoch();
  return milliseconds(days).count() + ((hour * 60 + minute) * 60 + second) * 1000 + decimals;
}

std::optional<std::uint64_t> letter_stamp(const protocol::Headers& headers) {
  const auto text = headers.find(kOriginalArrival);
  return text ? ArrivalStamps::read(*text) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> own_time_ms(const protocol::Headers& headers) {
  if (const auto stamp = letter_stamp(headers)) return ArrivalStamps::time_ms(*stamp);
  constexpr std::array<std::string_view, 4> kNames = {"producer-timestamp", client::kArrivalHeader,
                                                      "timestamp_in_ms", "timestamp"};
  for (const std::string_view name : kNames) {
    const auto text = headers.find(name);
    if (!text) continue;
    if (const auto number = epoch_ms(*text)) return number;
    if (const auto date = iso_ms(*text)) return date;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> own_place(const protocol::Headers& headers) {
  if (const auto stamp = letter_stamp(headers)) return *stamp & kCountMax;
  const auto id = headers.find("message-id");
  if (!id || !headers.find(client::kArrivalHeader)) return std::nullopt;
  const std::size_t dash = id->find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto place = to_number(id->substr(dash + 1));
  return place ? std::optional(static_cast<std::uint64_t>(*place)) : std::nullopt;
}

std::uint64_t ArrivalStamps::next(std::optional<std::int64_t> own_ms, std::int64_t wall_ms,
                                  std::optional<std::uint64_t> place) {
  const std::int64_t time = std::min(own_ms.value_or(wall_ms), wall_ms);
  const std::uint64_t count = place.value_or(++count_) & kCountMax;
  return (static_cast<std::uint64_t>(time) << kCountBits) | count;
}

std::string ArrivalStamps::text(std::uint64_t stamp) {
  return std::to_string(time_ms(stamp)) + "-" + std::to_string(stamp & kCountMax);
}

std::optional<std::uint64_t> ArrivalStamps::read(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto time = to_number(text.substr(0, dash));
  const auto count = to_number(text.substr(dash + 1));
  if (!time || !count || *time > kLatest || static_cast<std::uint64_t>(*count) > kCountMax) {
    return std::nullopt;
  }
  return (static_cast<std::uint64_t>(*time) << kCountBits) | static_cast<std::uint64_t>(*count);
}

std::int64_t ArrivalStamps::time_ms(std::uint64_t stamp) {
  return static_cast<std::int64_t>(stamp >> kCountBits);
}

}  // namespace stompbox
