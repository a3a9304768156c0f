#pragma once

#include <span>
#include <string_view>

#include "broker/options/field.h"

// The one table of options: file, flags, `config show`, sample, man page and their test follow it.
namespace stompbox::options {

struct Row {
  std::string_view key;   // "section.name" in the file
  std::string_view flag;  // "--name" on the command line
  Field field;
  std::string_view help;  // one sentence
};

// In the order of the sample file: rows of a section stand together.
[[nodiscard]] std::span<const Row> table();
// Null for a key that does not exist.
[[nodiscard]] const Row* find_row(std::string_view key);

[[nodiscard]] std::string_view section_of(const Row& row);
[[nodiscard]] std::string_view name_of(const Row& row);

}  // namespace stompbox::options
