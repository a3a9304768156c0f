#include "broker/client/frames.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::client {

TEST_CASE("an ERROR is told with its message and its body, cut between characters") {
  protocol::Frame error = make_frame(protocol::Command::kError);
  CHECK(text_of_error(error) == "no reason given");
  error.headers.add("message", "denied");
  error.body = "denied";
  CHECK(text_of_error(error) == "denied");
  error.body = "no such user\r\n";
  CHECK(text_of_error(error) == "denied (no such user)");
  error.body = std::string(491, 'x') + "ä";  // "denied (" and this are 501 bytes
  CHECK(text_of_error(error) == "denied (" + std::string(491, 'x') + "...");
}

}  // namespace stompbox::client
