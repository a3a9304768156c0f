#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Frames as they stand on the wire, read without the broker's own decoder: header lines stay as
// they are, escapes included, so that a case can say exactly what has to be sent.
namespace stompbox::conformance {

struct WireFrame {
  std::string command;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Takes the next frame off the front of `bytes`, and the ends of line before it, which are counted.
// Nothing if it is not whole yet. Throws std::runtime_error if the bytes are no frame.
[[nodiscard]] std::optional<WireFrame> take_frame(std::string& bytes, int& beats);

using Names = std::map<std::string, std::string>;

// "{name}" replaced by what it stands for; unknown names stay.
[[nodiscard]] std::string with_names(const std::string& text, const Names& names);

// Why `frame` is not what `expected` says; empty if it is. A value of the form {name} is learned
// the first time and compared from then on.
[[nodiscard]] std::string compare(const WireFrame& frame, const std::string& expected,
                                  Names& names);

// For people: line ends and other control characters as escapes.
[[nodiscard]] std::string shown(const std::string& bytes);
[[nodiscard]] std::string shown(const WireFrame& frame);

}  // namespace stompbox::conformance
