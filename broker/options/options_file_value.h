#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include "broker/access/mistakes.h"
#include "broker/options/field.h"

// Single values in TOML, for options_file and options_file_policy.
namespace stompbox::options {

// Sets the field from the value at `node`; what is wrong with it is added with its line and `key`,
// and nothing has changed then.
void set_from_toml(const Field& field, Options& options, const std::string& key,
                   const toml::node& node, access::Mistakes& mistakes);

// The value as TOML that set_from_toml reads back to the same.
void append_value(std::string& out, const Field& field, std::span<const std::string> texts);
void append_quoted(std::string& out, std::string_view text);

[[nodiscard]] inline std::uint32_t line_of(const toml::key& key) {
  return key.source().begin.line;
}
[[nodiscard]] inline std::uint32_t line_of(const toml::node& node) {
  return node.source().begin.line;
}

[[nodiscard]] std::string with_hint(std::string sentence, const std::string& near);

}  // namespace stompbox::options
