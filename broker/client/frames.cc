#include "broker/client/frames.h"

#include <string_view>

#include "storage/utf8.h"

namespace stompbox::client {

protocol::Frame make_frame(protocol::Command command) {
  protocol::Frame frame;
  frame.command = command;
  return frame;
}

std::string text_of_error(const protocol::Frame& error) {
  const std::string_view message = error.headers.find("message").value_or("no reason given");
  std::string text(message);
  std::string_view body = error.body;
  while (body.ends_with('\n') || body.ends_with('\r'))
    body.remove_suffix(1);
  if (!body.empty() && body != message) text.append(" (").append(body).append(")");
  constexpr std::size_t kBytesMax = 500;
  if (text.size() <= kBytesMax) return text;
  return std::string(storage::whole_characters(text, kBytesMax)) + "...";
}

}  // namespace stompbox::client
