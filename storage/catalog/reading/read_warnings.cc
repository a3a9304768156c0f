#include "storage/catalog/reading/read_warnings.h"

#include <utility>

#include "storage/catalog/reading/pson_text.h"
#include "storage/utf8.h"

namespace stompbox::catalog::reading {

void ReadWarnings::clear() {
  texts_.clear();
  count_ = 0;
}

void ReadWarnings::add(std::string text) {
  ++count_;
  if (texts_.size() < kCountMax) texts_.push_back(std::move(text));
}

std::vector<std::string> ReadWarnings::take() {
  if (count_ > texts_.size()) {
    texts_.back() = "and " + std::to_string(count_ - texts_.size() + 1) + " more warnings";
  }
  count_ = 0;
  return std::exchange(texts_, {});
}

std::string shown(std::string_view text) {
  constexpr std::size_t kBytesMax = 80;
  const bool cut = text.size() > kBytesMax;
  text = text.substr(0, kBytesMax);
  std::string out(text.substr(0, storage::utf8_prefix(text)));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  if (cut || out.size() < text.size()) out.append("...");
  return out;
}

}  // namespace stompbox::catalog::reading
