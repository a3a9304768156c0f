#include "storage/catalog/fingerprints.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "storage/catalog/crc32.h"

namespace stompbox::catalog {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd constants with bits all over.
constexpr std::uint64_t kStart = 0x8F1BBCDCBFA53E0B;
constexpr std::uint64_t kFirst = 0xB5026F5AA96619E9;
constexpr std::uint64_t kSecond = 0xC2B2AE3D27D4EB4F;

// Folds 16 bytes with one multiplication of 64 by 64 bits; the old state stays in beside the
// product, which can be zero.
class Hash {
 public:
  void add(std::uint64_t first, std::uint64_t second) {
    const Wide product = static_cast<Wide>(first ^ state_ ^ kFirst) * (second ^ kSecond);
    state_ = std::rotl(state_, 27) +
             (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64));
  }

  // Bounds between texts count.
  void add(std::string_view text) {
    constexpr std::size_t kBlock = 16;
    add(text.size(), kFirst);
    while (text.size() >= kBlock) {
      add(word_at(text, 0), word_at(text, 8));
      text.remove_prefix(kBlock);
    }
    if (text.empty()) return;
    char rest[kBlock] = {};
    std::memcpy(rest, text.data(), text.size());
    const std::string_view padded(rest, kBlock);
    add(word_at(padded, 0), word_at(padded, 8));
  }

  [[nodiscard]] std::uint64_t take() {
    add(state_, kStart);
    return state_;
  }

 private:
  static std::uint64_t word_at(std::string_view text, std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    return word;
  }

  std::uint64_t state_ = kStart;
};

enum Part : std::uint64_t { kParameter = 1, kTag = 2, kNothing = 3, kSomething = 4 };

constexpr std::uint64_t kNoFile = ~0ULL;  // 0 is a file whose name has no row yet

std::uint64_t hash_of(const Parameter& parameter, std::int64_t name_id) {
  Hash hash;
  hash.add(kParameter, static_cast<std::uint64_t>(name_id));
  for (const std::string& value : parameter.values)
    hash.add(value);
  return hash.take();
}

std::uint64_t hash_of_tag(std::int64_t name_id) {
  Hash hash;
  hash.add(kTag, static_cast<std::uint64_t>(name_id));
  return hash.take();
}

constexpr char kVersion = '1';
constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
constexpr unsigned kBitsOfDigit = 6;
constexpr std::size_t kHashDigits = 11, kCrcDigits = 6;

consteval std::array<std::int8_t, 256> values_of_digits() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::int8_t>(i);
  return values;
}
constexpr std::array<std::int8_t, 256> kValues = values_of_digits();

void append_fixed(std::string& text, std::uint64_t number, std::size_t digits) {
  for (std::size_t i = 0; i < digits; ++i, number >>= kBitsOfDigit)
    text += kDigits[number & 63];
}

void append_varying(std::string& text, std::uint64_t number) {
  for (; number >= 32; number >>= 5)
    text += kDigits[(number & 31) | 32];
  text += kDigits[number];
}

// Takes numbers from the front; after a failure only zeros.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}

  std::uint64_t fixed(std::size_t digits) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < digits; ++i)
      number |= next() << (i * kBitsOfDigit);
    return failed_ ? 0 : number;
  }
  std::uint64_t varying() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 5) {
      const std::uint64_t digit = next();
      number |= (digit & 31) << shift;
      if (digit < 32) return failed_ ? 0 : number;
    }
    failed_ = true;
    return 0;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool is_at_end() const { return text_.empty(); }

 private:
  std::uint64_t next() {
    const int value = text_.empty() ? -1 : kValues[static_cast<unsigned char>(text_.front())];
    failed_ = failed_ || value < 0;
    if (failed_) return 0;
    text_.remove_prefix(1);
    return static_cast<std::uint64_t>(value);
  }

  std::string_view text_;
  bool failed_ = false;
};

}  // namespace

std::uint64_t fingerprint_of(const Resource& resource, std::int64_t source_file_id,
                             std::span<const std::int64_t> name_ids) {
  assert(name_ids.size() == resource.parameters.size() + resource.tags.size());
  Hash hash;
  hash.add(resource.type);
  hash.add(resource.title);
  hash.add(resource.exported ? kSomething : kNothing,
           resource.file ? static_cast<std::uint64_t>(source_file_id) : kNoFile);
  hash.add(resource.line ? kSomething : kNothing,
           static_cast<std::uint64_t>(resource.line.value_or(0)));
  std::uint64_t children = 0;  // a sum has no order
  std::size_t at = 0;
  for (const Parameter& parameter : resource.parameters)
    children += hash_of(parameter, name_ids[at++]);
  for (std::size_t i = 0; i < resource.tags.size(); ++i)
    children += hash_of_tag(name_ids[at++]);
  hash.add(children, name_ids.size());
  return hash.take();
}

std::uint64_t fingerprint_bond(std::int64_t host_id, std::string_view digest,
                               std::string_view witness) {
  Hash hash;
  hash.add(static_cast<std::uint64_t>(host_id), kSomething);
  hash.add(digest);
  hash.add(witness);
  return hash.take();
}

std::string to_text(std::vector<Fingerprint> fingerprints, std::uint64_t bond) {
  std::ranges::sort(fingerprints, {}, &Fingerprint::resource_id);
  std::string text(1, kVersion);
  text.reserve(fingerprints.size() * (kHashDigits + 2) + 64);
  append_fixed(text, bond, kHashDigits);
  append_varying(text, fingerprints.size());
  std::int64_t last = 0;
  for (const Fingerprint& fingerprint : fingerprints) {
    append_varying(text, static_cast<std::uint64_t>(fingerprint.resource_id - last));
    append_fixed(text, fingerprint.hash, kHashDigits);
    last = fingerprint.resource_id;
  }
  append_fixed(text, crc32(text), kCrcDigits);
  return text.size() <= kFingerprintsBytesMax ? text : std::string();
}

std::optional<std::vector<Fingerprint>> fingerprints_in(std::string_view text, std::uint64_t bond) {
  if (text.size() < 1 + kHashDigits + kCrcDigits || text.front() != kVersion) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - kCrcDigits);
  Digits digits(body.substr(1));
  if (digits.fixed(kHashDigits) != bond) return std::nullopt;
  if (Digits(text.substr(body.size())).fixed(kCrcDigits) != crc32(body)) return std::nullopt;
  const std::uint64_t count = digits.varying();
  if (count > body.size()) return std::nullopt;
  std::vector<Fingerprint> fingerprints(count);
  std::int64_t last = 0;
  for (Fingerprint& fingerprint : fingerprints) {
    fingerprint.resource_id =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(last) + digits.varying());
    fingerprint.hash = digits.fixed(kHashDigits);
    if (digits.failed() || fingerprint.resource_id <= last) return std::nullopt;
    last = fingerprint.resource_id;
  }
  if (!digits.is_at_end()) return std::nullopt;
  return fingerprints;
}

}  // namespace stompbox::catalog
