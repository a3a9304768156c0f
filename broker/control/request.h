#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "storage/queue/message.h"
#include "storage/result.h"

namespace stompbox::control {

// One question to the desk. Members that are missing or of the wrong kind count as not there.
class Request {
 public:
  // kInvalid for anything but one JSON object with a "verb".
  [[nodiscard]] static storage::Result<Request> parse(std::string_view line);

  [[nodiscard]] std::string verb() const { return *text("verb"); }
  [[nodiscard]] std::optional<std::string> text(const char* name) const;
  [[nodiscard]] std::optional<std::uint64_t> number(const char* name) const;
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const char* name) const;
  [[nodiscard]] bool is_true(const char* name) const;

 private:
  Request() = default;
  [[nodiscard]] const rapidjson::Value* find(const char* name) const;

  rapidjson::Document document_;
};

// A message's name for people: "EPOCH-COUNTER", as in the message-id of a MESSAGE frame.
[[nodiscard]] std::string to_text(queue::MessageId id);
[[nodiscard]] std::optional<queue::MessageId> parse_message_id(std::string_view text);

}  // namespace stompbox::control
