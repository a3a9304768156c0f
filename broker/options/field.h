#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/options/options.h"
#include "storage/result.h"

// The kinds of values that an option can have: where it lives in Options, how it is read and shown.
namespace stompbox::options {

// Each names a member of Options.
template <typename T>
using MemberOf = T& (*)(Options&);

struct SwitchField {
  MemberOf<bool> member;
};
struct TextField {
  MemberOf<std::string> member;
  std::string_view placeholder;
};
struct OptionalTextField {  // empty text: not set
  MemberOf<std::optional<std::string>> member;
  std::string_view placeholder;
};
struct ListField {  // the flag may be repeated; the file has an array
  MemberOf<std::vector<std::string>> member;
  std::string_view placeholder;
};
struct Bounds {
  std::uint64_t least = 1;
  std::uint64_t most = UINT64_MAX;
};
struct SizeField {
  MemberOf<std::size_t> member;
  Bounds bounds = {};
};
struct CountField {
  MemberOf<std::size_t> member;
  Bounds bounds = {};
};
struct SmallCountField {
  MemberOf<std::uint32_t> member;
  Bounds bounds = {1, UINT32_MAX};
};
struct ModeField {
  MemberOf<std::uint32_t> member;
};
// In milliseconds: what ends at once is mostly a loop that never rests, and what is much longer
// than any broker runs does not fit into the clock.
inline constexpr std::uint64_t kLongestTime = 10ULL * 365 * 24 * 3600 * 1000;
struct DurationField {
  MemberOf<std::chrono::milliseconds> member;
  Bounds bounds = {1, kLongestTime};
};
struct FactorField {  // a number that is 1 at least, with decimals
  MemberOf<double> member;
};
struct ChoiceField {  // an enumeration: the value's number is its place among the words
  std::span<const std::string_view> words;
  std::size_t (*get)(const Options&);
  void (*set)(Options&, std::size_t);
};

using Field =
    std::variant<SwitchField, TextField, OptionalTextField, ListField, SizeField, CountField,
                 SmallCountField, ModeField, DurationField, FactorField, ChoiceField>;

// Sets the value from its text form. On failure nothing has changed, and the error is the end of a
// sentence that the caller begins with the option's name. A ListField takes the list as a whole.
[[nodiscard]] storage::Status set_field(const Field& field, Options& options,
                                        std::span<const std::string> texts);

// The text forms of the value: one, but for a ListField.
[[nodiscard]] std::vector<std::string> show_field(const Field& field, const Options& options);

// Whether the value stands in TOML without quotes.
[[nodiscard]] bool is_bare(const Field& field);

// What stands for the value in a help text: "SIZE", "batch|never"; empty for a switch.
[[nodiscard]] std::string placeholder_of(const Field& field);

}  // namespace stompbox::options
