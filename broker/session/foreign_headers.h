#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/routing/destination.h"
#include "broker/session/refusal.h"

// Extensions of other brokers that change what a frame means and that we do not have: whoever
// relies on one is told so, by its name, instead of getting something else (facts 2.1, 2.2).
namespace stompbox::session {

enum class ForeignOn : std::uint8_t { kSend, kSubscribe };

// Nothing for every header that may be obeyed, ignored or passed on.
[[nodiscard]] std::optional<Refusal> refuse_foreign(std::string_view name, std::string_view value,
                                                    ForeignOn on);

// Artemis' destination-type and subscription-type: taken where they say what the prefix says.
[[nodiscard]] std::optional<Refusal> refuse_other_kind(std::string_view name,
                                                       std::string_view value,
                                                       routing::DestinationKind kind, ForeignOn on);

}  // namespace stompbox::session
