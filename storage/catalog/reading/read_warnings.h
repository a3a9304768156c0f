#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stompbox::catalog::reading {

// The first few warnings of one message; the last says how many more there were.
class ReadWarnings {
 public:
  static constexpr std::size_t kCountMax = 8;

  void clear();
  // Whether one more would be shown: spares the making of sentences that nobody sees.
  [[nodiscard]] bool wanted() const { return texts_.size() < kCountMax; }
  void add(std::string text);
  void count_unseen() { ++count_; }
  [[nodiscard]] std::vector<std::string> take();

 private:
  std::vector<std::string> texts_;
  std::size_t count_ = 0;
};

// Text of a message for a sentence of ours: one line, printable, cut where it is long.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace stompbox::catalog::reading
