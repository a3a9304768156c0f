#pragma once

#include <cstdint>
#include <string_view>

namespace stompbox::net {

// Whether a text is UTF-8 as RFC 3629 has it, given in pieces.
class Utf8Check {
 public:
  // False from the first byte on that cannot stand there.
  [[nodiscard]] bool take(std::string_view bytes);
  // Whether the text may end here.
  [[nodiscard]] bool is_whole() const { return missing_ == 0; }
  void begin_anew() { *this = Utf8Check(); }

 private:
  std::uint8_t missing_ = 0;  // bytes of the letter that has begun
  std::uint8_t low_ = 0x80;   // what the next of them may be
  std::uint8_t high_ = 0xbf;
  bool good_ = true;
};

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace stompbox::net
