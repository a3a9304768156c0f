#pragma once

#include <chrono>
#include <string>

#include <rapidjson/document.h>

#include "broker/options/options.h"
#include "storage/result.h"

namespace stompbox::verbs {

// The "ok" part of a running broker's answer, with its text for --json.
struct BrokerAnswer {
  rapidjson::Document document;
  [[nodiscard]] const rapidjson::Value& ok() const { return document["ok"]; }
  [[nodiscard]] std::string json() const;  // of ok(), one line, with its newline
};

inline constexpr std::chrono::milliseconds kAnswerPatience{30'000};

// Asks the broker whose data folder or control socket the options name. kUnavailable when none runs
// there; kNotFound for what the broker refuses.
[[nodiscard]] storage::Result<BrokerAnswer> ask_broker(const options::Options& options,
                                                       const std::string& request);

// Members of an answer; 0, empty or false when missing, as an older broker may leave them out.
[[nodiscard]] std::uint64_t number_in(const rapidjson::Value& object, const char* name);
[[nodiscard]] std::int64_t time_in(const rapidjson::Value& object, const char* name);
[[nodiscard]] std::string text_in(const rapidjson::Value& object, const char* name);
[[nodiscard]] bool truth_in(const rapidjson::Value& object, const char* name);
// The elements of an array member; none when missing.
[[nodiscard]] rapidjson::Value::ConstArray list_in(const rapidjson::Value& object,
                                                   const char* name);
// An object member; an empty one when missing.
[[nodiscard]] const rapidjson::Value& object_in(const rapidjson::Value& object, const char* name);

}  // namespace stompbox::verbs
