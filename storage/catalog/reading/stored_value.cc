#include "storage/catalog/reading/stored_value.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace stompbox::catalog::reading {
namespace {

// YAML's simple keys end at 1024 characters; longer ones need the "? " form.
constexpr std::size_t kSimpleKeyBytesMax = 1000;

enum class RichKind {
  kNone,       // a plain object
  kSensitive,  // content: the clear value
  kScalar,     // content: a string that stands for it
  kDefault,    // no content
  kPairs,      // content: an array key, value, key, value
};

struct Rich {
  RichKind kind = RichKind::kNone;
  const PsonNode* content = nullptr;
};

// Objects of the rich form (facts 8.4); whatever is not one of these stays a plain object.
Rich look_for_rich(const PsonNode& object) {
  const PsonNode* type = nullptr;
  const PsonNode* content = nullptr;
  for (const PsonNode* key = object.first(); key != object.after();) {
    const PsonNode* value = key->after();
    if (key->text() == "__ptype") type = value;
    if (key->text() == "__pvalue") content = value;
    key = value->after();
  }
  if (type == nullptr || !type->is_text()) return {};
  if (type->text() == "Default") return {RichKind::kDefault, nullptr};
  if (content == nullptr) return {};
  if (type->text() == "Sensitive") return {RichKind::kSensitive, content};
  if (type->text() == "Hash" && content->kind == PsonKind::kArray && content->size % 2 == 0) {
    return {RichKind::kPairs, content};
  }
  if (content->is_container() || content->kind == PsonKind::kNull) return {};
  return {RichKind::kScalar, content};
}

Rich rich_of(const PsonNode& value) {
  return value.kind == PsonKind::kObject ? look_for_rich(value) : Rich{};
}

bool is_integer(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

// Digits d1d2d3… and an exponent, as scientific notation has them, in Ruby's layout of a float.
std::string ruby_float(std::string_view sign, std::string_view digits, int exponent) {
  constexpr int kFixedMin = -4;
  constexpr int kFixedMax = 15;
  const auto count = static_cast<int>(digits.size());
  std::string out(sign);
  if (exponent < kFixedMin || exponent > kFixedMax) {
    out.append(digits.substr(0, 1)).append(".");
    out.append(count > 1 ? digits.substr(1) : std::string_view("0"));
    out.append(exponent < 0 ? "e-" : "e+");
    const int size = std::abs(exponent);
    return out.append(size < 10 ? "0" : "").append(std::to_string(size));
  }
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0');
    return out.append(digits);
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  out.append(digits.substr(0, whole));
  if (digits.size() < whole) out.append(whole - digits.size(), '0');
  out.append(".");
  return out.append(digits.size() > whole ? digits.substr(whole) : std::string_view("0"));
}

std::string float_text(std::string_view number) {
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec != std::errc{}) return std::string(number);  // beyond a double: as it stands
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string_view shortest(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  const std::string_view sign = shortest.starts_with('-') ? "-" : "";
  shortest.remove_prefix(sign.size());
  const std::size_t mark = shortest.find('e');
  assert(mark != std::string_view::npos);
  std::string digits(shortest.substr(0, 1));
  if (mark > 2) digits.append(shortest.substr(2, mark - 2));
  const int exponent = std::atoi(std::string(shortest.substr(mark + 1)).c_str());
  return ruby_float(sign, digits, exponent);
}

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4)
    out.push_back(kHex[(code >> shift) & 0xF]);
}

// The code of the character of several bytes at the front if YAML cannot have it raw, else 0: C1
// controls, line and paragraph separator, byte order mark, U+FFFE and U+FFFF.
unsigned unprintable_code(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return byte(1);
  if (byte(0) == 0xE2 && byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9)) {
    return 0x2000U | (byte(2) & 0x3F);
  }
  if (byte(0) != 0xEF) return 0;
  if (byte(1) == 0xBB && byte(2) == 0xBF) return 0xFEFF;
  if (byte(1) == 0xBF && (byte(2) == 0xBE || byte(2) == 0xBF)) return 0xFFC0U | (byte(2) & 0x3F);
  return 0;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\t': out.append("\\t"); return;
    case '\r': out.append("\\r"); return;
    default: append_escape(out, static_cast<unsigned char>(c));
  }
}

// Bytes that may need more than copying.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return byte != 0xC2 && byte != 0xE2 && byte != 0xEF;
  return byte >= 0x20 && byte != 0x7F && c != '"' && c != '\\';
}

}  // namespace

std::string number_text(std::string_view number) {
  if (number == "-0") return "0";
  return is_integer(number) ? std::string(number) : float_text(number);
}

bool needs_yaml(std::string_view text) {
  constexpr std::string_view kMark = "--- ";
  if (text.find('\0') != std::string_view::npos) return true;
  for (std::size_t at = text.find(kMark); at != std::string_view::npos;
       at = text.find(kMark, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return true;
  }
  return false;
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_plain(text[at])) continue;
    const bool ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const unsigned code = ascii ? 0 : unprintable_code(text.substr(at));
    if (!ascii && code == 0) continue;
    out.append(text.substr(from, at - from));
    if (ascii) {
      append_ascii(out, text[at]);
    } else {
      append_escape(out, code);
      at += code < 0x100 ? 1 : 2;
    }
    from = at + 1;
  }
  out.append(text.substr(from)).push_back('"');
}

std::vector<std::string> StoredValues::rows(const PsonNode& value, TextRule rule) {
  const Rich rich = rich_of(value);
  if (rich.kind == RichKind::kSensitive) {
    if (sensitive_ == SensitivePolicy::kWithhold) return {};
    return rows(*rich.content, rule);
  }
  std::vector<std::string> rows;
  if (value.kind != PsonKind::kArray) {
    add_row(value, rule, rows);
    return rows;
  }
  rows.reserve(value.size);
  for (const PsonNode* element = value.first(); element != value.after();
       element = element->after()) {
    add_row(*element, rule, rows);
  }
  return rows;
}

std::string StoredValues::scalar(const PsonNode& value) {
  switch (value.kind) {
    case PsonKind::kNull: return {};
    case PsonKind::kFalse: return "false";
    case PsonKind::kTrue: return "true";
    case PsonKind::kNumber: return number_text(value.text());
    default: break;
  }
  assert(value.is_text());
  return text_.value(value.text());
}

void StoredValues::add_row(const PsonNode& value, TextRule rule, std::vector<std::string>& rows) {
  if (value.kind == PsonKind::kNull) return;
  const Rich rich = rich_of(value);
  if (rich.kind == RichKind::kSensitive && sensitive_ == SensitivePolicy::kStore) {
    return add_row(*rich.content, rule, rows);
  }
  if (rich.kind == RichKind::kSensitive) {
    rows.emplace_back(kWithheld);
  } else if (rich.kind == RichKind::kDefault) {
    rows.emplace_back("default");
  } else if (rich.kind == RichKind::kScalar) {
    add_row(*rich.content, rule, rows);
  } else if (value.is_container()) {
    append_flow(rows.emplace_back("--- "), value);
  } else if (!value.is_text()) {
    rows.push_back(scalar(value));
  } else {
    std::string text = rule == TextRule::kFact ? text_.name(value.text()) : scalar(value);
    if (rule == TextRule::kParameter && text_.may_need_yaml() && needs_yaml(text)) {
      append_quoted(rows.emplace_back("--- "), text);
    } else {
      rows.push_back(std::move(text));
    }
  }
}

// Depth is bounded by the reader's limit.
void StoredValues::append_flow(std::string& out, const PsonNode& value) {
  switch (value.kind) {
    case PsonKind::kNull: out.append("null"); return;
    case PsonKind::kString: return append_quoted(out, scalar(value));
    case PsonKind::kArray: return append_array(out, value);
    case PsonKind::kObject: return append_object(out, value);
    default: out.append(scalar(value));
  }
}

void StoredValues::append_array(std::string& out, const PsonNode& array) {
  out.push_back('[');
  for (const PsonNode* element = array.first(); element != array.after();
       element = element->after()) {
    if (element != array.first()) out.append(", ");
    append_flow(out, *element);
  }
  out.push_back(']');
}

void StoredValues::append_object(std::string& out, const PsonNode& object) {
  const Rich rich = look_for_rich(object);
  switch (rich.kind) {
    case RichKind::kDefault: return append_quoted(out, "default");
    case RichKind::kScalar: return append_quoted(out, scalar(*rich.content));
    case RichKind::kPairs: return append_pairs(out, *rich.content);
    case RichKind::kSensitive:
      if (sensitive_ == SensitivePolicy::kStore) return append_flow(out, *rich.content);
      return append_quoted(out, kWithheld);
    case RichKind::kNone: break;
  }
  append_pairs(out, object);
}

// The children of `pairs` are key, value, key, value: those of an object or of a rich Hash.
void StoredValues::append_pairs(std::string& out, const PsonNode& pairs) {
  out.push_back('{');
  for (const PsonNode* key = pairs.first(); key != pairs.after();) {
    const PsonNode* value = key->after();
    if (key != pairs.first()) out.append(", ");
    append_key(out, *key);
    append_flow(out, *value);
    key = value->after();
  }
  out.push_back('}');
}

void StoredValues::append_key(std::string& out, const PsonNode& key) {
  const std::size_t start = out.size();
  append_quoted(out, key_text(key));
  if (out.size() - start > kSimpleKeyBytesMax) out.insert(start, "? ");
  out.append(": ");
}

std::string StoredValues::key_text(const PsonNode& key) {
  if (!key.is_container()) return scalar(key);
  const Rich rich = rich_of(key);
  if (rich.kind == RichKind::kDefault) return "default";
  if (rich.kind == RichKind::kScalar) return scalar(*rich.content);
  std::string flow;
  append_flow(flow, key);
  return flow;
}

}  // namespace stompbox::catalog::reading
