#include "broker/routing/selector_value.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace stompbox::routing {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

template <typename T>
bool read_all(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

bool equals_word(std::string_view text, std::string_view lower_case) {
  const auto same = [](char letter, char lower) {
    return (letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter) == lower;
  };
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same);
}

bool compute_whole(Arithmetic operation, std::int64_t left, std::int64_t right,
                   std::int64_t& result) {
  switch (operation) {
    case Arithmetic::kAdd: return !__builtin_add_overflow(left, right, &result);
    case Arithmetic::kSubtract: return !__builtin_sub_overflow(left, right, &result);
    case Arithmetic::kMultiply: return !__builtin_mul_overflow(left, right, &result);
    case Arithmetic::kDivide:
      if (left == std::numeric_limits<std::int64_t>::min() && right == -1) return false;
      result = left / right;
      return true;
  }
  return false;
}

double compute_real(Arithmetic operation, double left, double right) {
  switch (operation) {
    case Arithmetic::kAdd: return left + right;
    case Arithmetic::kSubtract: return left - right;
    case Arithmetic::kMultiply: return left * right;
    case Arithmetic::kDivide: return left / right;
  }
  return 0;
}

}  // namespace

Truth negate(Truth truth) {
  if (truth == Truth::kUnknown) return truth;
  return truth == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
}

std::optional<Number> Number::read(std::string_view text) {
  // from_chars() knows no plus, and reads "inf" and "nan", which are names.
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  const std::string_view unsigned_text = text.substr(text.starts_with('-') ? 1 : 0);
  if (unsigned_text.empty()) return std::nullopt;
  if (!is_digit(unsigned_text.front()) && unsigned_text.front() != '.') return std::nullopt;
  std::int64_t whole = 0;
  if (read_all(text, whole)) return Number(whole);
  double real = 0;
  if (read_all(text, real)) return Number(real);
  return std::nullopt;
}

std::partial_ordering operator<=>(const Number& left, const Number& right) {
  if (left.is_whole_ && right.is_whole_) return left.whole_ <=> right.whole_;
  return left.real() <=> right.real();
}

std::optional<Number> compute(Arithmetic operation, Number left, Number right) {
  if (operation == Arithmetic::kDivide && right.real() == 0) return std::nullopt;
  std::int64_t whole = 0;
  if (left.is_whole() && right.is_whole() &&
      compute_whole(operation, left.whole(), right.whole(), whole)) {
    return Number(whole);
  }
  return Number(compute_real(operation, left.real(), right.real()));
}

Truth read_truth(std::string_view text) {
  if (equals_word(text, "true")) return Truth::kTrue;
  return equals_word(text, "false") ? Truth::kFalse : Truth::kUnknown;
}

}  // namespace stompbox::routing
