#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

// What a selector computes with: three truth values, numbers, text.
namespace stompbox::routing {

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

[[nodiscard]] Truth negate(Truth truth);
[[nodiscard]] inline Truth truth_of(bool holds) {
  return holds ? Truth::kTrue : Truth::kFalse;
}

// Whole numbers stay exact (ids, milliseconds) as long as they fit; then they are doubles.
class Number {
 public:
  Number() = default;
  explicit Number(std::int64_t whole) : whole_(whole), is_whole_(true) {}
  explicit Number(double real) : real_(real), is_whole_(false) {}

  // All of `text`: 12, -1.5, .5, 1e3. Nothing for any other text.
  [[nodiscard]] static std::optional<Number> read(std::string_view text);

  [[nodiscard]] double real() const { return is_whole_ ? static_cast<double>(whole_) : real_; }
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] std::int64_t whole() const { return whole_; }
  // Unordered beside what is no number.
  friend std::partial_ordering operator<=>(const Number& left, const Number& right);

 private:
  std::int64_t whole_ = 0;
  double real_ = 0;
  bool is_whole_ = true;
};

enum class Arithmetic : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide };

// Two whole numbers give a whole one, as in Java (7 / 2 is 3), unless it does not fit; nothing for
// a division by zero.
[[nodiscard]] std::optional<Number> compute(Arithmetic operation, Number left, Number right);

// TRUE for "true", FALSE for "false", in any case of letters; else unknown.
[[nodiscard]] Truth read_truth(std::string_view text);

}  // namespace stompbox::routing
