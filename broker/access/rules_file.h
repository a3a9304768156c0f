#pragma once

#include <string>
#include <string_view>

#include "broker/access/rules.h"
#include "storage/result.h"

// The rules file: TOML, a list of [[rule]]; README.md of this room shows all that one can have.
namespace stompbox::access {

// kInvalid: every mistake on a line of its own, "source:line: what is wrong and what is right".
[[nodiscard]] storage::Result<Rules> parse_rules(std::string_view text, const std::string& source);

// Reads the file whole. kNotFound, kDenied, kIo, kTooLarge; kInvalid as above.
[[nodiscard]] storage::Result<Rules> load_rules(const std::string& path);

}  // namespace stompbox::access
