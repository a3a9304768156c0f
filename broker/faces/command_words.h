#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

// Command lines by the rules of Ruby's OptionParser, which StompServer's users know (fact 3.8, 1):
// letters in bundles (`-ad`, `-adp 61613`, `-p61613`), long names with any unique beginning
// (`--work DIR`, `--port=61613`), `_` and `-` alike, words that are no options anywhere, `--` as
// the end of the options. A value is the next word, whatever it looks like.
namespace stompbox::faces {

struct SwitchRow {
  char letter = '\0';            // none: long name only
  std::string_view name;         // without the dashes
  std::string_view placeholder;  // empty: takes no value
  std::string_view help;
};

struct GivenSwitch {
  std::size_t row = 0;
  std::string written;  // as the user wrote it, for complaints: "-p", "--port"
  std::string value;
};

struct CommandWords {
  std::vector<GivenSwitch> switches;  // in order
  std::vector<std::string> others;
};

// kInvalid; the sentence names the word: "invalid option: --prt".
[[nodiscard]] storage::Result<CommandWords> read_command_words(std::span<const SwitchRow> rows,
                                                               std::span<const std::string> words);

// The lines of a help text.
[[nodiscard]] std::string describe_switches(std::span<const SwitchRow> rows);

}  // namespace stompbox::faces
