#include "broker/routing/selector_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace stompbox::routing {
namespace {

constexpr std::size_t kShownBytesMax = 40;

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

constexpr std::array<Spelling, 11> kWords = {{
    {"AND", TokenKind::kAnd},
    {"OR", TokenKind::kOr},
    {"NOT", TokenKind::kNot},
    {"BETWEEN", TokenKind::kBetween},
    {"IN", TokenKind::kIn},
    {"LIKE", TokenKind::kLike},
    {"ESCAPE", TokenKind::kEscape},
    {"IS", TokenKind::kIs},
    {"NULL", TokenKind::kNull},
    {"TRUE", TokenKind::kTrue},
    {"FALSE", TokenKind::kFalse},
}};
constexpr std::array<Spelling, 13> kSigns = {{
    // Longer ones first.
    {"<>", TokenKind::kNotEqual},
    {"<=", TokenKind::kLessOrEqual},
    {">=", TokenKind::kGreaterOrEqual},
    {"=", TokenKind::kEqual},
    {"<", TokenKind::kLess},
    {">", TokenKind::kGreater},
    {"+", TokenKind::kPlus},
    {"-", TokenKind::kMinus},
    {"*", TokenKind::kTimes},
    {"/", TokenKind::kDivide},
    {"(", TokenKind::kOpen},
    {")", TokenKind::kClose},
    {",", TokenKind::kComma},
}};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool is_hex(char c) {
  return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F');
}

bool begins_name(char c) {
  return (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || is_digit(c);
}

bool same_word(std::string_view text, std::string_view upper_case) {
  return std::equal(text.begin(), text.end(), upper_case.begin(), upper_case.end(),
                    [](char letter, char expected) { return upper(letter) == expected; });
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // The next token; nothing and error() where there is none.
  std::optional<Token> next() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
    if (at_ == text_.size()) return token(TokenKind::kEnd, 0);
    const char first = text_[at_];
    if (first == '\'') return quoted();
    if (begins_name(first)) return name();
    if (is_digit(first) || (first == '.' && is_digit(peek(1)))) return number();
    return sign();
  }

  [[nodiscard]] const storage::Error& error() const { return error_; }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  template <typename Belongs>
  std::size_t skip(std::size_t size, const Belongs& belongs) const {
    while (at_ + size < text_.size() && belongs(text_[at_ + size]))
      ++size;
    return size;
  }

  Token token(TokenKind kind, std::size_t size) {
    const Token made{kind, at_, text_.substr(at_, size), {}};
    at_ += size;
    return made;
  }

  std::nullopt_t fail(std::string_view what) {
    error_ = selector_error(at_, what);
    return std::nullopt;
  }

  std::optional<Token> quoted() {
    std::size_t size = 1;
    while (true) {
      const std::size_t quote = text_.find('\'', at_ + size);
      if (quote == std::string_view::npos) return fail("the text that begins here has no end");
      size = quote + 1 - at_;
      if (peek(size) != '\'') return token(TokenKind::kText, size);
      ++size;
    }
  }

  // A '-' or '.' belongs to a name only between its letters.
  std::optional<Token> name() {
    std::size_t size = skip(1, continues_name);
    while ((peek(size) == '-' || peek(size) == '.') && continues_name(peek(size + 1)))
      size = skip(size + 1, continues_name);
    Token made = token(TokenKind::kName, size);
    for (const Spelling& word : kWords) {
      if (same_word(made.text, word.text)) made.kind = word.kind;
    }
    return made;
  }

  std::optional<Token> number() {
    const bool is_hexadecimal = peek(0) == '0' && upper(peek(1)) == 'X' && is_hex(peek(2));
    const std::size_t size = is_hexadecimal ? skip(2, is_hex) : decimal_size();
    const auto value = is_hexadecimal ? hexadecimal(text_.substr(at_ + 2, size - 2))
                                      : Number::read(text_.substr(at_, size));
    // Java's L, F and D say what a number is anyway.
    const bool has_suffix =
        std::string_view("LFD").find(upper(peek(size))) != std::string_view::npos;
    const std::size_t whole_size = has_suffix ? size + 1 : size;
    if (!value) return fail("the number that begins here is too large");
    if (continues_name(peek(whole_size)) || peek(whole_size) == '.')
      return fail("the number that begins here ends in letters");
    Token made = token(TokenKind::kNumber, whole_size);
    made.number = *value;
    return made;
  }

  [[nodiscard]] std::size_t decimal_size() const {
    std::size_t size = skip(0, is_digit);
    if (peek(size) == '.') size = skip(size + 1, is_digit);
    if (upper(peek(size)) != 'E') return size;
    const std::size_t sign_size = peek(size + 1) == '+' || peek(size + 1) == '-' ? 1 : 0;
    return is_digit(peek(size + 1 + sign_size)) ? skip(size + 1 + sign_size, is_digit) : size;
  }

  static std::optional<Number> hexadecimal(std::string_view digits) {
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, value, 16);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return Number(value);
  }

  std::optional<Token> sign() {
    const std::string_view rest = text_.substr(at_);
    const auto* const found =
        std::find_if(kSigns.begin(), kSigns.end(),
                     [rest](const Spelling& sign) { return rest.starts_with(sign.text); });
    if (found != kSigns.end()) return token(found->kind, found->text.size());
    if (rest.starts_with("!=")) return fail("write <> for unequal");
    if (rest.starts_with('"')) return fail("text stands in single quotes");
    return fail(shown({TokenKind::kName, at_, rest.substr(0, 1), {}}) + " has no meaning here");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  storage::Error error_;
};

}  // namespace

storage::Result<std::vector<Token>> read_tokens(std::string_view selector) {
  Reader reader(selector);
  std::vector<Token> tokens;
  while (tokens.empty() || tokens.back().kind != TokenKind::kEnd) {
    const std::optional<Token> token = reader.next();
    if (!token) return reader.error();
    tokens.push_back(*token);
  }
  return tokens;
}

std::string unquoted(const Token& token) {
  std::string text;
  const std::string_view inside = token.text.substr(1, token.text.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    text += inside[i];
    if (inside[i] == '\'') ++i;
  }
  return text;
}

storage::Error selector_error(std::size_t position, std::string_view what) {
  std::string sentence = "the selector makes no sense at character ";
  sentence.append(std::to_string(position + 1)).append(": ").append(what);
  return {storage::ErrorCode::kInvalid, std::move(sentence)};
}

std::string shown(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "the end";
  std::string text(token.text.substr(0, kShownBytesMax));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return token.kind == TokenKind::kText ? text : "'" + text + "'";
}

}  // namespace stompbox::routing
