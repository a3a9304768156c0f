#include "storage/catalog/reading/pson_mend.h"

#include <algorithm>

namespace stompbox::catalog::reading {
namespace {

// Longer digits may be beyond a double; so may any exponent. Both keep their text aside.
constexpr std::size_t kPlainNumberBytesMax = 300;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// The length of the JSON number at the front of `text`, 0 if there is none.
std::size_t number_length(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&at, text] {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at]))
      ++at;
    return at > start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  if (at < text.size() && text[at] == '0') {
    ++at;
  } else if (!digits()) {
    return 0;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return 0;
  }
  return at;
}

class Mender {
 public:
  explicit Mender(std::string_view text) : in_(text) { out_.text.reserve(text.size()); }

  MendedPson run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '"') {
        string();
      } else if (c == '/' && (next_is('*') || next_is('/'))) {
        comment();
      } else if (c == '-' || is_digit(c)) {
        number();
      } else {
        take(1);
      }
    }
    return std::move(out_);
  }

 private:
  bool next_is(char c) const { return at_ + 1 < in_.size() && in_[at_ + 1] == c; }

  void take(std::size_t count) {
    out_.text.append(in_.substr(at_, count));
    at_ += std::min(count, in_.size() - at_);
  }

  // Everything up to a quote, a backslash or the end goes over as it is.
  void string() {
    take(1);
    while (at_ < in_.size()) {
      const std::size_t stop = std::min(in_.find_first_of("\"\\", at_), in_.size());
      take(stop - at_);
      if (at_ == in_.size()) return;
      if (in_[at_] == '"') {
        take(1);
        return;
      }
      escape();
    }
  }

  void escape() {
    if (at_ + 1 >= in_.size()) return take(1);
    const char c = in_[at_ + 1];
    if (std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) return take(2);
    if (c == 'u' && unit_at(at_) >= 0) return unicode();
    if (static_cast<unsigned char>(c) < 0x20) return take(1);  // an error, for the parser to tell
    out_.dropped.push_back(out_.text.size());
    out_.changed = true;
    ++at_;
    take(1);
  }

  // The UTF-16 unit of the \uXXXX at `offset`, or -1.
  int unit_at(std::size_t offset) const {
    if (offset + 6 > in_.size() || in_[offset] != '\\' || in_[offset + 1] != 'u') return -1;
    int unit = 0;
    for (std::size_t i = offset + 2; i < offset + 6; ++i) {
      if (!is_hex(in_[i])) return -1;
      unit = unit * 16 + (is_digit(in_[i]) ? in_[i] - '0' : (in_[i] | 0x20) - 'a' + 10);
    }
    return unit;
  }

  void unicode() {
    const int unit = unit_at(at_);
    const bool high = unit >= 0xD800 && unit <= 0xDBFF;
    const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high) {
      const int second = unit_at(at_ + 6);
      if (second >= 0xDC00 && second <= 0xDFFF) return take(12);
    }
    if (!high && !low) return take(6);
    out_.text.append("\\ufffd");
    at_ += 6;
    out_.changed = true;
  }

  // Becomes blanks; line ends stay. An open /* is left for the parser to refuse.
  void comment() {
    std::size_t end = 0;
    if (next_is('*')) {
      end = in_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return take(in_.size() - at_);
      end += 2;
    } else {
      end = std::min(in_.find_first_of("\r\n", at_), in_.size());
    }
    out_.text.append(end - at_, ' ');
    at_ = end;
    out_.changed = true;
  }

  void number() {
    const std::string_view text = in_.substr(at_, number_length(in_.substr(at_)));
    if (text.empty()) return take(1);
    const bool exponent = text.find_first_of("eE") != std::string_view::npos;
    if (!exponent && text.size() <= kPlainNumberBytesMax) return take(text.size());
    out_.numbers.push_back({out_.text.size(), text});
    out_.text.push_back('0');
    out_.text.append(text.size() - 1, ' ');
    at_ += text.size();
    out_.changed = true;
  }

  const std::string_view in_;
  std::size_t at_ = 0;
  MendedPson out_;
};

}  // namespace

std::size_t MendedPson::original_offset(std::size_t offset) const {
  const auto passed = std::upper_bound(dropped.begin(), dropped.end(), offset);
  return offset + static_cast<std::size_t>(passed - dropped.begin());
}

std::string_view MendedPson::odd_number(std::size_t offset) const {
  const auto found = odd_numbers(offset, offset + 1);
  return found.empty() ? std::string_view() : found.front().text;
}

std::span<const OddNumber> MendedPson::odd_numbers(std::size_t begin, std::size_t end) const {
  const auto first = std::ranges::lower_bound(numbers, begin, {}, &OddNumber::offset);
  const auto last = std::ranges::lower_bound(numbers, end, {}, &OddNumber::offset);
  return {first, last};
}

MendedPson mend_pson(std::string_view text) {
  return Mender(text).run();
}

}  // namespace stompbox::catalog::reading
