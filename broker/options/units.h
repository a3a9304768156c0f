#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/result.h"

// Sizes and times as people write them in the configuration. What is shown can be read back.
namespace stompbox::options {

// "512", "64KiB", "64MiB", "2GiB": bytes. kInvalid with the end of a sentence ("is not a size
// ...").
[[nodiscard]] storage::Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string show_size(std::uint64_t bytes);

// "0", "1500ms", "10s", "5min", "2h".
[[nodiscard]] storage::Result<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string show_duration(std::chrono::milliseconds duration);

// Whole decimal numbers without sign.
[[nodiscard]] storage::Result<std::uint64_t> parse_count(std::string_view text);

// "1", "1.5": a number from 1 to 1000.
[[nodiscard]] storage::Result<double> parse_factor(std::string_view text);
[[nodiscard]] std::string show_factor(double factor);

// Permission bits: octal, as chmod takes them.
[[nodiscard]] storage::Result<std::uint32_t> parse_mode(std::string_view text);
[[nodiscard]] std::string show_mode(std::uint32_t mode);

}  // namespace stompbox::options
