#include "broker/verbs/ask_broker.h"

#include <utility>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "broker/control/ask.h"

namespace stompbox::verbs {
namespace {

const rapidjson::Value& member(const rapidjson::Value& object, const char* name) {
  static const rapidjson::Value nothing;
  if (!object.IsObject()) return nothing;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nothing : found->value;
}

storage::Error nobody_runs(const options::Options& options) {
  if (options.control_socket != "auto") {
    return {storage::ErrorCode::kUnavailable,
            "no broker answers at the control socket " + options.control_socket +
                ": start one with it, or name another with --control-socket"};
  }
  const std::string& folder = options.data_folder;
  return {storage::ErrorCode::kUnavailable, "no broker runs on " + folder +
                                                ": start one with 'stompbox serve --data " +
                                                folder + "', or name another folder with --data"};
}

}  // namespace

std::string BrokerAnswer::json() const {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  ok().Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

storage::Result<BrokerAnswer> ask_broker(const options::Options& options,
                                         const std::string& request) {
  const std::string path = options::control_socket_path(options);
  if (path.empty()) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "this broker has no control socket: name one with --control-socket, "
                          "here and where it is started"};
  }
  const auto line = control::ask(path, request, kAnswerPatience);
  if (!line) {
    const bool nobody = line.error().code == storage::ErrorCode::kUnavailable;
    return nobody ? nobody_runs(options) : line.error();
  }
  BrokerAnswer answer;
  answer.document.Parse<rapidjson::kParseIterativeFlag>(line->data(), line->size());
  if (answer.document.HasParseError() || !answer.document.IsObject()) {
    return storage::Error{storage::ErrorCode::kIo, "the broker's answer cannot be understood"};
  }
  if (!answer.document.HasMember("ok")) {
    return storage::Error{storage::ErrorCode::kNotFound,
                          "the broker says: " + text_in(answer.document, "error")};
  }
  return answer;
}

std::uint64_t number_in(const rapidjson::Value& object, const char* name) {
  const auto& value = member(object, name);
  return value.IsUint64() ? value.GetUint64() : 0;
}

std::int64_t time_in(const rapidjson::Value& object, const char* name) {
  const auto& value = member(object, name);
  return value.IsInt64() ? value.GetInt64() : 0;
}

std::string text_in(const rapidjson::Value& object, const char* name) {
  const auto& value = member(object, name);
  return value.IsString() ? std::string(value.GetString(), value.GetStringLength()) : std::string();
}

bool truth_in(const rapidjson::Value& object, const char* name) {
  return member(object, name).IsTrue();
}

rapidjson::Value::ConstArray list_in(const rapidjson::Value& object, const char* name) {
  static const rapidjson::Value empty(rapidjson::kArrayType);
  const auto& value = member(object, name);
  return value.IsArray() ? value.GetArray() : empty.GetArray();
}

const rapidjson::Value& object_in(const rapidjson::Value& object, const char* name) {
  static const rapidjson::Value empty(rapidjson::kObjectType);
  const auto& value = member(object, name);
  return value.IsObject() ? value : empty;
}

}  // namespace stompbox::verbs
