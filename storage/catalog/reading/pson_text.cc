#include "storage/catalog/reading/pson_text.h"

#include <algorithm>
#include <cstdint>

#include "storage/utf8.h"

namespace stompbox::catalog::reading {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_continuation(std::string_view bytes, std::size_t at) {
  return at < bytes.size() && (byte_at(bytes, at) & 0xC0) == 0x80;
}

bool is_surrogate(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) == 0xED && is_continuation(bytes, at + 1) &&
         byte_at(bytes, at + 1) > 0x9F && is_continuation(bytes, at + 2);
}

std::string replace_invalid(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 8);
  while (!bytes.empty()) {
    const std::size_t good = storage::utf8_prefix(bytes);
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
  const bool foreign = high >= 0x80 && !storage::is_utf8(text);
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
  if (storage::is_utf8(bytes)) return std::string(bytes);
  const std::string text = mend_surrogates(bytes);
  if (storage::is_utf8(text)) return text;
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

}  // namespace stompbox::catalog::reading
