#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <rapidjson/document.h>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

[[nodiscard]] Exit queues(const options::Options& options, Output output);

struct BrowseOptions {
  std::string queue;
  std::size_t count = 20;
  std::string from;  // a place that an earlier answer gave; empty: the first
  std::size_t body_bytes = 60;
  Output output = Output::kTable;
};

// Looks at the messages of a queue without taking them.
[[nodiscard]] Exit browse(const options::Options& options, const BrowseOptions& wanted);

// The "ok" parts of the answers, for people.
[[nodiscard]] std::string show_queues(const rapidjson::Value& ok);
// `from`: where the question began; empty: at the first message.
[[nodiscard]] std::string show_browse(const rapidjson::Value& ok, std::string_view from = {});

// A queue's name as the broker's control door takes it: "/queue/NAME" is NAME.
[[nodiscard]] std::string_view plain_queue_name(std::string_view text);

}  // namespace stompbox::verbs
