#include "storage/catalog/pson_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace stompbox::catalog {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_continuation(std::string_view bytes, std::size_t at) {
  return at < bytes.size() && (byte_at(bytes, at) & 0xC0) == 0x80;
}

// The bytes from `at` on that are ASCII, eight at a time.
std::size_t ascii_run(std::string_view bytes, std::size_t at) {
  const std::size_t start = at;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < bytes.size() && byte_at(bytes, at) < 0x80)
    ++at;
  return at - start;
}

// The length of the well-formed sequence of several bytes at `at`, 0 if there is none.
std::size_t sequence_length(std::string_view bytes, std::size_t at) {
  const unsigned char lead = byte_at(bytes, at);
  if (lead < 0xC2 || lead > 0xF4 || !is_continuation(bytes, at + 1)) return 0;
  if (lead < 0xE0) return 2;
  const unsigned char second = byte_at(bytes, at + 1);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  if (!is_continuation(bytes, at + 2)) return 0;
  if (lead < 0xF0) return 3;
  return is_continuation(bytes, at + 3) ? 4 : 0;
}

bool is_surrogate(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) == 0xED && is_continuation(bytes, at + 1) &&
         byte_at(bytes, at + 1) > 0x9F && is_continuation(bytes, at + 2);
}

std::string replace_invalid(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 8);
  while (!bytes.empty()) {
    const std::size_t good = utf8_prefix(bytes);
    out.append(bytes.substr(0, good));
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    out.append(kReplacement);
    bytes.remove_prefix(1);
  }
  return out;
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + (count == 1 ? " string " : " strings ") + what;
}

}  // namespace

std::size_t utf8_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (true) {
    at += ascii_run(bytes, at);
    if (at == bytes.size()) return at;
    const std::size_t length = sequence_length(bytes, at);
    if (length == 0) return at;
    at += length;
  }
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return out;
}

PsonTraits find_traits(std::string_view text) {
  // A plain loop without branches or carried bytes: the compiler makes vector code of it.
  constexpr std::size_t kAhead = 3;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  unsigned char high = 0;
  unsigned char surrogate = 0;
  unsigned char ascii = 0;
  unsigned char mark = 0;
  for (std::size_t i = 0; i + kAhead < text.size(); ++i) {
    const auto escape = static_cast<unsigned char>((bytes[i] == '\\') & (bytes[i + 1] == 'u'));
    high |= bytes[i];
    surrogate |= static_cast<unsigned char>(escape & ((bytes[i + 2] | 0x20) == 'd'));
    ascii |= static_cast<unsigned char>(escape & (bytes[i + 2] == '0') & (bytes[i + 3] == '0'));
    mark |= static_cast<unsigned char>((bytes[i] == '-') & (bytes[i + 1] == '-') &
                                       (bytes[i + 2] == '-') & (bytes[i + 3] == ' '));
  }
  for (const char c : text.substr(text.size() - std::min(text.size(), kAhead))) {
    high |= static_cast<unsigned char>(c);
  }
  const bool foreign = high >= 0x80 && utf8_prefix(text) < text.size();
  return {foreign, surrogate != 0, ascii != 0, mark != 0};
}

void PsonText::restart() {
  seen_ = {};
  foreign_count_ = surrogate_count_ = nul_count_ = 0;
}

void PsonText::expect(const PsonTraits& traits) {
  seen_.foreign_bytes |= traits.foreign_bytes;
  seen_.surrogate_escapes |= traits.surrogate_escapes;
  seen_.ascii_escapes |= traits.ascii_escapes;
  seen_.yaml_marks |= traits.yaml_marks;
}

std::string PsonText::name(std::string_view bytes) {
  std::string text = value(bytes);
  if (!seen_.ascii_escapes) return text;
  std::size_t at = text.find('\0');
  if (at == std::string::npos) return text;
  ++nul_count_;
  for (; at != std::string::npos; at = text.find('\0', at))
    text.replace(at, 1, kReplacement);
  return text;
}

std::string PsonText::checked(std::string_view bytes) {
  if (utf8_prefix(bytes) == bytes.size()) return std::string(bytes);
  const std::string text = mend_surrogates(bytes);
  if (utf8_prefix(text) == text.size()) return text;
  ++foreign_count_;
  return mend_bytes(text);
}

// The parser leaves a lone low surrogate as three bytes.
std::string PsonText::mend_surrogates(std::string_view bytes) {
  std::string out;
  bool found = false;
  for (std::size_t at = 0; at < bytes.size();) {
    if (is_surrogate(bytes, at)) {
      out.append(kReplacement);
      at += 3;
      found = true;
    } else {
      out.push_back(bytes[at++]);
    }
  }
  if (found) ++surrogate_count_;
  return out;
}

std::string PsonText::mend_bytes(std::string_view bytes) {
  switch (policy_) {
    case BytePolicy::kLatin1: return latin1_to_utf8(bytes);
    case BytePolicy::kReplace: return replace_invalid(bytes);
    case BytePolicy::kKeep: break;
  }
  return std::string(bytes);
}

std::vector<std::string> PsonText::findings() const {
  std::vector<std::string> out;
  if (foreign_count_ > 0) {
    const char* what = policy_ == BytePolicy::kLatin1    ? "not UTF-8, taken for Latin-1"
                       : policy_ == BytePolicy::kReplace ? "not UTF-8, wrong bytes replaced"
                                                         : "not UTF-8, kept as it came";
    out.push_back(counted(foreign_count_, what));
  }
  if (surrogate_count_ > 0) {
    out.push_back(counted(surrogate_count_, "with half a surrogate pair, replaced by U+FFFD"));
  }
  if (nul_count_ > 0) {
    out.push_back(counted(nul_count_, "used as a name with a NUL, replaced by U+FFFD"));
  }
  return out;
}

}  // namespace stompbox::catalog
