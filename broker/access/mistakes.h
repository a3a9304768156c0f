#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stompbox::access {

// All that is wrong with a file, so that one look at it is enough.
class Mistakes {
 public:
  explicit Mistakes(std::string source) : source_(std::move(source)) {}

  void add(std::uint32_t line, std::string sentence) {
    lines_.emplace_back(line, std::move(sentence));
  }
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  // "source:line: sentence", each on a line of its own, in the order of the file.
  [[nodiscard]] std::string text() const;

 private:
  const std::string source_;
  std::vector<std::pair<std::uint32_t, std::string>> lines_;
};

}  // namespace stompbox::access
