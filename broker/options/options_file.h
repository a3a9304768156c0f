#pragma once

#include <string>
#include <string_view>

#include "broker/options/options.h"
#include "storage/result.h"

namespace stompbox::options {

// Sets what the TOML text says; what it does not mention stays. `source` names it in errors, which
// give line, key and, for an unknown key or section, the nearest valid one. kInvalid.
[[nodiscard]] storage::Status apply_toml(Options& options, std::string_view text,
                                         const std::string& source);

// The same for a file; sets Options::config_file.
[[nodiscard]] storage::Status apply_file(Options& options, const std::string& path);

// All options as TOML that apply_toml reads back to the same: what `config show` prints.
[[nodiscard]] std::string show_toml(const Options& options);

// The sample: the same with the sentence of each option above it.
[[nodiscard]] std::string sample_toml(const Options& options);

}  // namespace stompbox::options
