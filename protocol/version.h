#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace stompbox::protocol {

enum class Version : std::uint8_t { k10, k11, k12 };

[[nodiscard]] std::string_view to_text(Version version);

// What every refusal of a version says (fact D5).
inline constexpr std::string_view kSupportedVersions = "1.0,1.1,1.2";

// The highest version in both lists; order, blanks and unknown entries do not matter (fact D4).
// Nothing if there is no common one. A session without the header is 1.0 (D3): the caller's rule.
[[nodiscard]] std::optional<Version> negotiate(std::string_view accept_version);

}  // namespace stompbox::protocol
