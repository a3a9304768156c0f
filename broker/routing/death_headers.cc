#include "broker/routing/death_headers.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>

namespace stompbox::routing {
namespace {

constexpr std::array kNames = {kDeathReason,         kDeathDetail,       kDeathTime,
                               kOriginalDestination, kOriginalMessageId, kOriginalExpires};

}  // namespace

// One death names each of them once: the second of a name is of an earlier one.
LetterBlock split_letter_block(std::string_view block) {
  std::bitset<kNames.size()> seen;
  std::string_view rest = block;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(':'));
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    const auto index = static_cast<std::size_t>(found - kNames.begin());
    if (found == kNames.end() || seen[index]) break;
    seen.set(index);
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  }
  return {block.substr(0, block.size() - rest.size()), rest};
}

}  // namespace stompbox::routing
