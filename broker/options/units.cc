#include "broker/options/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace stompbox::options {
namespace {

using storage::Error;
using storage::ErrorCode;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest last: showing takes the largest that divides.
constexpr std::array kSizeUnits = {Unit{"B", 1}, Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20},
                                   Unit{"GiB", 1ULL << 30}};
constexpr std::array kTimeUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"min", 60'000},
                                   Unit{"h", 3'600'000}};
// Read only, so that the files that we show stay as they were.
constexpr Unit kDays{"d", 86'400'000};
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

struct Split {
  std::uint64_t number = 0;
  std::string_view rest;
};

std::optional<Split> split_number(std::string_view text, int base) {
  Split split;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, split.number, base);
  if (error != std::errc()) return std::nullopt;
  split.rest = text.substr(static_cast<std::size_t>(stop - text.data()));
  return split;
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t factor) {
  if (number > kLargest / factor) return std::nullopt;
  return number * factor;
}

std::optional<std::uint64_t> parse_with(std::span<const Unit> units, std::string_view text) {
  const auto split = split_number(text, 10);
  if (!split) return std::nullopt;
  for (const Unit& unit : units) {
    if (split->rest == unit.name) return times(split->number, unit.factor);
  }
  return std::nullopt;
}

std::string show_with(std::span<const Unit> units, std::uint64_t value) {
  const Unit* largest = units.data();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) largest = &unit;
  }
  return std::to_string(value / largest->factor).append(largest->name);
}

Error wrong(std::string_view text, std::string_view what) {
  return Error{ErrorCode::kInvalid, "'" + std::string(text) + "' is not " + std::string(what)};
}

}  // namespace

storage::Result<std::uint64_t> parse_size(std::string_view text) {
  const auto plain = split_number(text, 10);
  if (plain && plain->rest.empty() && plain->number <= kLargest) return plain->number;
  if (const auto bytes = parse_with(kSizeUnits, text)) return *bytes;
  return wrong(text, "a size; write bytes like 4096, 64KiB, 64MiB or 2GiB");
}

std::string show_size(std::uint64_t bytes) {
  return show_with(kSizeUnits, bytes);
}

storage::Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (const auto value = parse_with(kTimeUnits, text)) return std::chrono::milliseconds(*value);
  if (const auto value = parse_with({&kDays, 1}, text)) return std::chrono::milliseconds(*value);
  return wrong(text, "a time; write it like 1500ms, 10s, 5min, 2h or 30d");
}

std::string show_duration(std::chrono::milliseconds duration) {
  return show_with(kTimeUnits, static_cast<std::uint64_t>(duration.count()));
}

storage::Result<std::uint64_t> parse_count(std::string_view text) {
  const auto split = split_number(text, 10);
  if (split && split->rest.empty() && split->number <= kLargest) return split->number;
  return wrong(text, "a whole number");
}

storage::Result<double> parse_factor(std::string_view text) {
  constexpr double kMost = 1000;
  double factor = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, factor, std::chars_format::fixed);
  const bool is_number = error == std::errc() && stop == end;
  if (is_number && factor >= 1 && factor <= kMost) return factor;
  return wrong(text, "a factor from 1 to 1000; write it like 2 or 1.5");
}

std::string show_factor(double factor) {
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), factor, std::chars_format::fixed)
          .ptr;
  return {digits.data(), end};
}

storage::Result<std::uint32_t> parse_mode(std::string_view text) {
  constexpr std::uint64_t kModeMax = 07777;
  const auto split = split_number(text, 8);
  if (split && split->rest.empty() && split->number <= kModeMax) {
    return static_cast<std::uint32_t>(split->number);
  }
  return wrong(text, "a file mode; write it in octal like 0640");
}

std::string show_mode(std::uint32_t mode) {
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), mode, 8).ptr;
  return "0" + std::string(digits.data(), end);
}

}  // namespace stompbox::options
