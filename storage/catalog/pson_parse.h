#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/catalog/pson_mend.h"
#include "storage/result.h"

#if defined(__SSE2__) && !defined(RAPIDJSON_SSE2)
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>

// The one place that drives RapidJSON: PSON text in, events out.
namespace stompbox::catalog {

// What a handler may ask about the text under the events. Strings of events point into a buffer that
// lives as long as the parse; offsets are those of `text`.
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

// A handler has RapidJSON's events, `void restart(const PsonSource&)` before each try (there are at
// most two) and `storage::Error error()` for the sentence when an event has returned false.
template <typename Handler>
rapidjson::ParseResult parse_pson_once(std::string_view text, const PsonTraits& traits,
                                       const MendedPson* mended, Handler& handler) {
  // The scan reads whole blocks of 16 bytes, beyond the closing NUL.
  constexpr std::size_t kPadding = 32;
  const auto buffer = std::make_unique_for_overwrite<char[]>(text.size() + kPadding);
  std::memcpy(buffer.get(), text.data(), text.size());
  std::memset(buffer.get() + text.size(), 0, kPadding);
  rapidjson::InsituStringStream stream(buffer.get());
  const PsonSource source(text, traits, mended, buffer.get(), stream);
  handler.restart(source);
  rapidjson::Reader reader;
  // Recursive: the handler refuses containers beyond its depth limit before the reader enters them.
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
  const PsonTraits traits = find_traits(text);
  rapidjson::ParseResult first;
  if (!traits.low_controls) {
    first = parse_pson_once(text, traits, nullptr, handler);
    if (!first.IsError()) return storage::kOk;
    if (first.Code() == rapidjson::kParseErrorTermination) return handler.error();
  }
  const MendedPson mended = mend_pson(text);
  if (mended.changed) {
    const auto second = parse_pson_once(mended.text, find_traits(mended.text), &mended, handler);
    if (second.Code() == rapidjson::kParseErrorTermination) return handler.error();
    if (second.IsError()) {
      return pson_error(second.Code(), mended.original_offset(second.Offset()), text);
    }
  }
  const std::string_view checked = mended.text;
  const auto control = checked.find_first_of("\x1A\x1B\x1C\x1D\x1E\x1F");
  if (control != std::string_view::npos) {
    return pson_error(rapidjson::kParseErrorStringEscapeInvalid, mended.original_offset(control),
                      text);
  }
  if (mended.changed) return storage::kOk;
  return pson_error(first.Code(), first.Offset(), text);
}

}  // namespace stompbox::catalog
