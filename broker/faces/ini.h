#pragma once

#include <map>
#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::faces {

// Section, then key, then value. Keys are in small letters.
using IniFile = std::map<std::string, std::map<std::string, std::string>, std::less<>>;

// The files of Python's ConfigParser: [section], `key = value` or `key: value`, `#` and `;` as
// comments at the begin of a line, values that go on in indented lines. kInvalid names the line.
[[nodiscard]] storage::Result<IniFile> read_ini(std::string_view text, const std::string& source);

}  // namespace stompbox::faces
