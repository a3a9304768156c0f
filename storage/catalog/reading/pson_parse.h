#pragma once

#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "storage/catalog/reading/pson_mend.h"
#include "storage/catalog/reading/pson_text.h"
#include "storage/result.h"

// The one place that drives RapidJSON: PSON text in, events out.
namespace stompbox::catalog::reading {

// UTF-8 for RapidJSON, unchecked, with strings taken eight bytes at a time. (RAPIDJSON_SSE2 is
// slower on strings as short as these, and overlooks 0x1A to 0x1F.)
struct PsonBytes : rapidjson::UTF8<char> {};

// What a handler may ask about the text under the events. Strings of events point into a buffer
// that lives as long as the parse; offsets are those of `text`.
class PsonSource {
 public:
  PsonSource(std::string_view text, PsonTraits traits, const MendedPson* mended, const char* buffer,
             const rapidjson::InsituStringStream& stream)
      : text_(text), traits_(traits), mended_(mended), buffer_(buffer), stream_(stream) {}

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] const PsonTraits& traits() const { return traits_; }
  // Of the next unread byte, in the event that opens or closes a container.
  [[nodiscard]] std::size_t offset() const { return stream_.src_ - stream_.head_; }
  // A number as it stands in the message.
  [[nodiscard]] std::string_view number(std::string_view text) const {
    if (mended_ == nullptr || mended_->numbers.empty()) return text;
    const auto odd = mended_->odd_number(static_cast<std::size_t>(text.data() - buffer_));
    return odd.empty() ? text : odd;
  }
  // Those whose digits `text()` does not have, from `begin` up to `end` of it.
  [[nodiscard]] std::span<const OddNumber> odd_numbers(std::size_t begin, std::size_t end) const {
    return mended_ == nullptr ? std::span<const OddNumber>() : mended_->odd_numbers(begin, end);
  }

 private:
  const std::string_view text_;
  const PsonTraits traits_;
  const MendedPson* const mended_;
  const char* const buffer_;
  const rapidjson::InsituStringStream& stream_;
};

// One sentence for a text that is no PSON. `offset` is the original one.
[[nodiscard]] storage::Error pson_error(rapidjson::ParseErrorCode code, std::size_t offset,
                                        std::string_view text);
// Faults that are better told before any parsing: nothing there, YAML, UTF-16, a byte order mark.
[[nodiscard]] storage::Status check_pson_start(std::string_view text);
// Without the blanks and NULs that some senders leave at the end.
[[nodiscard]] std::string_view trim_pson_end(std::string_view text);

// Moves the front of a string from `from` to `to` (before it or the same), up to its quote, a
// backslash or a control character. Reads up to seven bytes beyond those.
inline void move_plain_bytes(char*& from, char*& to) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  while (true) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    // The lowest high bit marks the first byte that is 0x22, 0x5C or below 0x20; higher ones may
    // lie.
    const std::uint64_t stops = (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) |
                                 ((word - kOnes * 0x20) & ~word)) &
                                kHighs;
    if (stops != 0) {
      const int count = std::countr_zero(stops) / 8;
      if (from != to) std::memmove(to, from, static_cast<std::size_t>(count));
      from += count;
      to += count;
      return;
    }
    if (from != to) std::memcpy(to, &word, sizeof word);
    from += sizeof word;
    to += sizeof word;
  }
}

}  // namespace stompbox::catalog::reading

// RapidJSON's own way to say how the plain bytes of a string are taken; at least one stands at the
// front of the stream. The templates are for paths that it instantiates and we never take.
template <>
struct rapidjson::Transcoder<stompbox::catalog::reading::PsonBytes,
                             stompbox::catalog::reading::PsonBytes> {
  static bool Transcode(InsituStringStream& in, InsituStringStream& out) {
    stompbox::catalog::reading::move_plain_bytes(in.src_, out.dst_);
    return true;
  }
  template <typename In, typename Out>
  static bool Transcode(In& in, Out& out) {
    out.Put(in.Take());
    return true;
  }
  template <typename In, typename Out>
  static bool Validate(In& in, Out& out) {
    return Transcode(in, out);
  }
};

namespace stompbox::catalog::reading {

// A handler has RapidJSON's events (and a limit to the depth of containers: the parse recurses),
// `void restart(const PsonSource&)` before each try (there are at most two) and `storage::Error
// error()` for the sentence when an event has returned false.
template <typename Handler>
rapidjson::ParseResult parse_pson_once(std::string_view text, const PsonTraits& traits,
                                       const MendedPson* mended, Handler& handler) {
  constexpr std::size_t kPadding = 8;  // NULs that end the text, and a whole word to read
  const auto buffer = std::make_unique_for_overwrite<char[]>(text.size() + kPadding);
  std::memcpy(buffer.get(), text.data(), text.size());
  std::memset(buffer.get() + text.size(), 0, kPadding);
  rapidjson::InsituStringStream stream(buffer.get());
  const PsonSource source(text, traits, mended, buffer.get(), stream);
  handler.restart(source);
  rapidjson::GenericReader<PsonBytes, PsonBytes> reader;
  // Not kParseIterativeFlag: handlers refuse a container beyond their depth limit before the reader
  // enters it, and the recursion needs no stack of RapidJSON's (a few per cent faster).
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
  auto result = reader.Parse<kFlags>(stream, handler);
  if (!result.IsError() && stream.Tell() != text.size()) {
    result.Set(rapidjson::kParseErrorDocumentRootNotSingular, stream.Tell());  // a raw NUL
  }
  return result;
}

// Parses as JSON; what JSON refuses and PSON allows is mended in a copy before a second try.
template <typename Handler>
[[nodiscard]] storage::Status parse_pson(std::string_view body, Handler& handler) {
  const std::string_view text = trim_pson_end(body);
  if (auto start = check_pson_start(text); !start) return start;
  const auto first = parse_pson_once(text, find_traits(text), nullptr, handler);
  if (!first.IsError()) return storage::kOk;
  if (first.Code() == rapidjson::kParseErrorTermination) return handler.error();
  const MendedPson mended = mend_pson(text);
  if (!mended.changed) return pson_error(first.Code(), first.Offset(), text);
  const auto second = parse_pson_once(mended.text, find_traits(mended.text), &mended, handler);
  if (!second.IsError()) return storage::kOk;
  if (second.Code() == rapidjson::kParseErrorTermination) return handler.error();
  return pson_error(second.Code(), mended.original_offset(second.Offset()), text);
}

}  // namespace stompbox::catalog::reading
