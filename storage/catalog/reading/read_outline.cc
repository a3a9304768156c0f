#include "storage/catalog/reading/read_outline.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "storage/catalog/reading/pson_parse.h"
#include "storage/catalog/reading/read_body.h"
#include "storage/catalog/reading/read_digest.h"

namespace stompbox::catalog::reading {
namespace {

// The place of the first byte of `text` from `at` on that is a quote or a backslash; the size if
// there is none. Eight bytes at a time: the lowest set bit of `found` is exact.
std::size_t end_of_plain(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  const auto zero_bytes = [](std::uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t found =
        zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
    if (found == 0) continue;
    if constexpr (std::endian::native == std::endian::little) {
      return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    break;
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\')
    ++at;
  return at;
}

// What a byte outside strings may be a part of.
enum class Outside : std::uint8_t { kNothing, kScalar, kBetween };

constexpr std::array<Outside, 256> kOutside = [] {
  std::array<Outside, 256> table{};
  for (const unsigned char c : std::string_view("0123456789+-.eEtrufalsn"))
    table[c] = Outside::kScalar;
  for (const unsigned char c : std::string_view(" \n\r\t,:"))
    table[c] = Outside::kBetween;
  return table;
}();

constexpr Outside outside(char c) {
  return kOutside[static_cast<unsigned char>(c)];
}

// Walks over JSON text. Each step says whether the text was as it has to be; after a false one
// there is nothing more to do.
class Scan {
 public:
  Scan(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char next() const { return at_end() ? '\0' : text_[at_]; }

  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_]))
      ++at_;
  }
  [[nodiscard]] bool take(char wanted) {
    skip_blanks();
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  // The inside of a string without escapes.
  [[nodiscard]] std::optional<std::string_view> plain_string() {
    if (!take('"')) return std::nullopt;
    const std::size_t end = end_of_plain(text_, at_);
    if (end >= text_.size() || text_[end] != '"') return std::nullopt;
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }
  [[nodiscard]] bool skip_value() {
    skip_blanks();
    if (next() == '"') return skip_string();
    if (next() == '{' || next() == '[') return skip_container();
    const std::size_t start = at_;
    while (outside(next()) == Outside::kScalar)
      ++at_;
    return at_ > start;
  }
  [[nodiscard]] bool skip_container() {
    constexpr std::size_t kStackBits = 64;
    std::uint64_t objects = 0;  // a bit an open container, the innermost is the lowest
    std::size_t depth = 0;
    do {
      const char c = next();
      if (c == '"') {
        if (!skip_string()) return false;
        continue;
      }
      if (c == '{' || c == '[') {
        if (++depth > std::min(depth_max_, kStackBits)) return false;
        objects = (objects << 1) | (c == '{' ? 1U : 0U);
      } else if (c == '}' || c == ']') {
        if (((objects & 1U) != 0) != (c == '}')) return false;
        objects >>= 1;
        --depth;
      } else if (outside(c) == Outside::kNothing) {
        return false;  // the end, or a slash: a comment may hide brackets and quotes
      }
      ++at_;
    } while (depth > 0);
    return true;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  [[nodiscard]] bool skip_string() {
    for (++at_; (at_ = end_of_plain(text_, at_)) < text_.size(); at_ += 2) {
      if (text_[at_] != '"') continue;  // a backslash and what it escapes
      ++at_;
      return true;
    }
    return false;
  }

  const std::string_view text_;
  const std::size_t depth_max_;
  std::size_t at_ = 0;
};

class Outline {
 public:
  Outline(std::string_view text, const ReadOptions& options)
      : text_(text), options_(options), scan_(text, reader_depth(options) - 2) {}

  [[nodiscard]] std::optional<Catalog> read() {
    if (!object(Level::kTop)) return std::nullopt;
    scan_.skip_blanks();
    if (!scan_.at_end() || catalog_.node.empty() || digest_.empty()) return std::nullopt;
    catalog_.digest = catalog_digest(options_, catalog_.node, catalog_.environment, digest_);
    return std::move(catalog_);
  }

 private:
  enum class Level : std::uint8_t { kTop, kData };

  [[nodiscard]] bool object(Level level) {
    if (!scan_.take('{')) return false;
    if (scan_.take('}')) return true;
    do {
      const auto key = scan_.plain_string();
      if (!key || !scan_.take(':') || !member(*key, level)) return false;
    } while (scan_.take(','));
    return scan_.take('}');
  }

  [[nodiscard]] bool member(std::string_view key, Level level) {
    scan_.skip_blanks();
    if (key == "data" && level == Level::kTop) {
      const bool first = !in_data_;
      in_data_ = true;
      catalog_ = {};
      digest_.clear();
      return first && scan_.next() == '{' && object(Level::kData);
    }
    if (key == "values" || key == "certname") return false;
    if (in_data_ && level == Level::kTop)
      return scan_.skip_value();  // beside `data` nothing counts
    if (key == "name") return text(catalog_.node);
    if (key == "environment") return text(catalog_.environment);
    return key == "resources" ? resources() : scan_.skip_value();
  }

  // What a closer look might read in another way is not taken.
  [[nodiscard]] bool text(std::string& target) {
    if (scan_.next() == 'n') {
      target.clear();
      return scan_.skip_value();
    }
    const auto plain = scan_.plain_string();
    if (!plain) return false;
    target = *plain;
    return std::ranges::all_of(target, [](char c) { return c >= 0x20 && c < 0x7F; });
  }

  [[nodiscard]] bool resources() {
    if (scan_.next() != '[') return false;
    const std::size_t start = scan_.at() + 1;  // as read_catalog() has it
    if (!scan_.skip_container()) return false;
    ReadDigest digest;
    digest.add(text_.substr(start, scan_.at() - start));
    digest_ = digest.bytes();
    return true;
  }

  const std::string_view text_;
  const ReadOptions& options_;
  Scan scan_;
  Catalog catalog_;
  std::string digest_;  // of the resources
  bool in_data_ = false;
};

}  // namespace

std::optional<Catalog> read_outline(std::string_view body, const ReadOptions& options) {
  constexpr std::size_t kLevels = 2;  // above the deepest that is skipped
  if (!check_size(body, options) || reader_depth(options) <= kLevels) return std::nullopt;
  return Outline(trim_pson_end(body), options).read();
}

}  // namespace stompbox::catalog::reading
