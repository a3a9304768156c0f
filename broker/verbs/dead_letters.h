#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rapidjson/document.h>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"

namespace stompbox::verbs {

enum class LetterVerb : std::uint8_t { kReplay, kDrop };

struct LetterList {
  std::string queue;  // empty: all dead-letter queues
  std::size_t count = 50;
  Output output = Output::kTable;
};

struct LetterChoice {
  std::string queue;  // the same
  std::vector<std::string> ids;
  bool all = false;
};

[[nodiscard]] Exit list_letters(const options::Options& options, const LetterList& wanted);
// Sends letters back to where they came from, or throws them away for good.
[[nodiscard]] Exit act_on_letters(const options::Options& options, LetterVerb verb,
                                  const LetterChoice& choice, Output output);

[[nodiscard]] std::string show_letters(const rapidjson::Value& ok);

}  // namespace stompbox::verbs
