#include "broker/control/request.h"

#include <charconv>
#include <system_error>
#include <utility>

namespace stompbox::control {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number > most) return std::nullopt;
  return number;
}

std::string to_string(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

storage::Result<Request> Request::parse(std::string_view line) {
  Request request;
  // Iterative: a line of brackets does not use up the stack.
  request.document_.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  if (request.document_.HasParseError() || !request.document_.IsObject() || !request.text("verb")) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "a request is a JSON object with a \"verb\""};
  }
  return request;
}

const rapidjson::Value* Request::find(const char* name) const {
  const auto member = document_.FindMember(name);
  return member == document_.MemberEnd() ? nullptr : &member->value;
}

std::optional<std::string> Request::text(const char* name) const {
  const rapidjson::Value* value = find(name);
  if (value == nullptr || !value->IsString()) return std::nullopt;
  return to_string(*value);
}

std::optional<std::uint64_t> Request::number(const char* name) const {
  const rapidjson::Value* value = find(name);
  if (value == nullptr || !value->IsUint64()) return std::nullopt;
  return value->GetUint64();
}

std::optional<std::vector<std::string>> Request::texts(const char* name) const {
  const rapidjson::Value* value = find(name);
  if (value == nullptr || !value->IsArray()) return std::nullopt;
  std::vector<std::string> texts;
  for (const rapidjson::Value& element : value->GetArray()) {
    if (!element.IsString()) return std::nullopt;
    texts.push_back(to_string(element));
  }
  return texts;
}

bool Request::is_true(const char* name) const {
  const rapidjson::Value* value = find(name);
  return value != nullptr && value->IsTrue();
}

std::string to_text(queue::MessageId id) {
  return std::to_string(id.epoch()) + "-" + std::to_string(id.counter());
}

std::optional<queue::MessageId> parse_message_id(std::string_view text) {
  constexpr unsigned kEpochBits = 64 - queue::MessageId::kCounterBits;
  const auto middle = text.find('-');
  if (middle == std::string_view::npos) return std::nullopt;
  const auto epoch = parse_number(text.substr(0, middle), (std::uint64_t{1} << kEpochBits) - 1);
  const auto counter = parse_number(text.substr(middle + 1),
                                    (std::uint64_t{1} << queue::MessageId::kCounterBits) - 1);
  if (!epoch || !counter) return std::nullopt;
  return queue::MessageId::make(static_cast<std::uint32_t>(*epoch), *counter);
}

}  // namespace stompbox::control
