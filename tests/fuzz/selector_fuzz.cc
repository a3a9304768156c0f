// Selectors against arbitrary bytes: never a crash, always the same, unknown is never a match on
// either side, and what an index may look up is what the condition says.
//
//   the selector, up to the first NUL ─ NUL ─ a block of headers
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "broker/routing/selector.h"

namespace {

using stompbox::queue::Message;
using stompbox::routing::find_header;
using stompbox::routing::Selector;

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

void check_sentence(const std::string& text) {
  require(!text.empty() && text.size() < 256, "a refusal is a short sentence");
  for (const char letter : text)
    require(static_cast<unsigned char>(letter) >= ' ', "a refusal has no control characters");
}

void check_equality(const Selector& selector, const Message& message, bool is_match) {
  if (!selector.equality()) return;
  std::string scratch;
  const auto value = find_header(message, selector.equality()->header, scratch);
  require(is_match == (value && *value == selector.equality()->value), "the index finds the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  const std::string text(bytes.substr(0, end));
  Message message;
  if (end != std::string_view::npos) message.header_block = bytes.substr(end + 1);
  message.block_is_plain = message.header_block.find('\\') == std::string::npos;

  const auto selector = Selector::parse(text);
  if (!selector) {
    check_sentence(selector.error().text);
    return 0;
  }
  const bool is_match = (*selector)->matches(message);
  require((*selector)->matches(message) == is_match, "the same outcome twice");
  check_equality(**selector, message, is_match);
  const auto contrary = Selector::parse("NOT (" + text + ")");  // may be too deep or too long
  if (contrary) require(!is_match || !(*contrary)->matches(message), "not both ways");
  return 0;
}
