#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace stompbox::control {

[[nodiscard]] bool is_utf8(std::string_view text);
// UTF-8 as it is; anything else is taken for Latin-1.
[[nodiscard]] std::string to_utf8(std::string_view text);
[[nodiscard]] std::string to_base64(std::string_view bytes);

// Writes one JSON document of one line. The calls must make sense in their order.
class Json {
 public:
  Json& begin_object();
  Json& end_object();
  Json& begin_array();
  Json& end_array();
  Json& key(std::string_view name);

  Json& value(std::string_view text);  // as to_utf8
  Json& value(const char* text) { return value(std::string_view(text)); }
  template <std::unsigned_integral T>
  Json& value(T number) {
    writer_.Uint64(number);
    return *this;
  }
  template <std::signed_integral T>
  Json& value(T number) {
    writer_.Int64(number);
    return *this;
  }
  Json& value(bool truth);
  Json& null();
  template <typename T>
  Json& value(const std::optional<T>& some) {
    return some ? value(*some) : null();
  }

  template <typename T>
  Json& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  [[nodiscard]] std::size_t bytes() const { return buffer_.GetSize(); }
  [[nodiscard]] std::string text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

// A member that is a list; `write` writes one of it.
template <typename List, typename Write>
void write_list(Json& json, std::string_view name, const List& list, Write write) {
  json.key(name).begin_array();
  for (const auto& one : list)
    write(json, one);
  json.end_array();
}

// {"error": "sentence"}
[[nodiscard]] std::string error_answer(std::string_view sentence);

}  // namespace stompbox::control
