#include "broker/control/json.h"

#include <algorithm>

#include <rapidjson/encodings.h>

namespace stompbox::control {
namespace {

// What UTF8<>::Validate reads from and writes to.
struct ByteInput {
  using Ch = char;
  char Take() { return at < bytes.size() ? bytes[at++] : '\0'; }
  std::string_view bytes;
  std::size_t at = 0;
};
struct NoOutput {
  using Ch = char;
  void Put(char) {}
};

rapidjson::SizeType size_of(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

bool is_utf8(std::string_view text) {
  ByteInput input{text};
  NoOutput output;
  while (input.at < text.size()) {
    if (!rapidjson::UTF8<>::Validate(input, output)) return false;
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string mended;
  mended.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      mended.push_back(c);
    } else {
      mended.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      mended.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return mended;
}

std::string to_base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(k <= count ? kDigits[group >> (18 - 6 * k) & 0x3F] : '=');
    }
  }
  return text;
}

Json& Json::begin_object() {
  writer_.StartObject();
  return *this;
}

Json& Json::end_object() {
  writer_.EndObject();
  return *this;
}

Json& Json::begin_array() {
  writer_.StartArray();
  return *this;
}

Json& Json::end_array() {
  writer_.EndArray();
  return *this;
}

Json& Json::key(std::string_view name) {
  writer_.Key(name.data(), size_of(name));
  return *this;
}

Json& Json::value(std::string_view text) {
  if (is_utf8(text)) {
    writer_.String(text.data(), size_of(text));
  } else {
    const std::string mended = to_utf8(text);
    writer_.String(mended.data(), size_of(mended));
  }
  return *this;
}

Json& Json::value(bool truth) {
  writer_.Bool(truth);
  return *this;
}

Json& Json::null() {
  writer_.Null();
  return *this;
}

std::string error_answer(std::string_view sentence) {
  return Json().begin_object().field("error", sentence).end_object().text();
}

}  // namespace stompbox::control
