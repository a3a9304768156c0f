#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/client/client.h"
#include "broker/verbs/login.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

struct SendOptions {
  Login login;
  std::string destination;
  std::optional<std::string> body;  // else `file`, else standard input
  std::string file;
  std::vector<std::string> headers;  // "name:value"
  std::string content_type;
  client::Confirm confirm = client::Confirm::kNone;
};

[[nodiscard]] Exit send(const SendOptions& options);

// "NAME" is "/queue/NAME"; what begins with a slash stays.
[[nodiscard]] std::string full_destination(const std::string& text);
// kInvalid for a header without a colon or a name.
[[nodiscard]] storage::Result<client::HeaderList> parse_headers(
    const std::vector<std::string>& texts);

}  // namespace stompbox::verbs
