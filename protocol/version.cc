#include "protocol/version.h"

#include <algorithm>
#include <array>

#include "protocol/blanks.h"

namespace stompbox::protocol {
namespace {

constexpr std::array<std::string_view, 3> kVersionTexts{"1.0", "1.1", "1.2"};

std::optional<Version> parse_version(std::string_view text) {
  const auto* const found = std::find(kVersionTexts.begin(), kVersionTexts.end(), text);
  if (found == kVersionTexts.end()) return std::nullopt;
  return static_cast<Version>(found - kVersionTexts.begin());
}

}  // namespace

std::string_view to_text(Version version) {
  return kVersionTexts[static_cast<std::size_t>(version)];
}

std::optional<Version> negotiate(std::string_view accept_version) {
  std::optional<Version> best;
  while (!accept_version.empty()) {
    const std::size_t comma = std::min(accept_version.find(','), accept_version.size());
    const std::optional<Version> offered = parse_version(trimmed(accept_version.substr(0, comma)));
    best = std::max(best, offered);  // nothing is less than any version
    accept_version.remove_prefix(std::min(comma + 1, accept_version.size()));
  }
  return best;
}

}  // namespace stompbox::protocol
