#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/selector_value.h"
#include "storage/result.h"

namespace stompbox::routing {

enum class TokenKind : std::uint8_t {
  kEnd,
  kName,
  kText,
  kNumber,
  kAnd,
  kOr,
  kNot,
  kBetween,
  kIn,
  kLike,
  kEscape,
  kIs,
  kNull,
  kTrue,
  kFalse,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kPlus,
  kMinus,
  kTimes,
  kDivide,
  kOpen,
  kClose,
  kComma,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t position = 0;  // of its first byte in the selector, from 0
  std::string_view text;     // as it stands there
  Number number;             // of kNumber
};

// The words of a selector; the last is kEnd. kInvalid where something is no word.
[[nodiscard]] storage::Result<std::vector<Token>> read_tokens(std::string_view selector);

// What a kText token stands for: without its quotes, doubled ones single.
[[nodiscard]] std::string unquoted(const Token& token);

// "the selector makes no sense at character 9: ...", with `position` from 0.
[[nodiscard]] storage::Error selector_error(std::size_t position, std::string_view what);

// The word for an error sentence: quoted, cut short, without control characters.
[[nodiscard]] std::string shown(const Token& token);

}  // namespace stompbox::routing
