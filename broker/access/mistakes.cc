#include "broker/access/mistakes.h"

#include <algorithm>

namespace stompbox::access {

std::string Mistakes::text() const {
  auto sorted = lines_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const auto& [line, sentence] : sorted) {
    if (!text.empty()) text += '\n';
    text.append(source_).append(":").append(std::to_string(line));
    text.append(": ").append(sentence);
  }
  return text;
}

}  // namespace stompbox::access
