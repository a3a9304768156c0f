#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "storage/result.h"

namespace stompbox {

// Since when nodes could report without a longer break, over restarts. After a long stop everybody
// is silent, and it takes a while until one can tell who has gone for good.
struct ExpiryWatch {
  std::chrono::sys_seconds since;
  std::chrono::sys_seconds last;  // somebody was there to listen

  friend bool operator==(const ExpiryWatch&, const ExpiryWatch&) = default;
};

// The watch that is kept goes on, unless `break_max` has passed since anybody was there, or the
// clock was set back.
[[nodiscard]] ExpiryWatch carried_on(const std::optional<ExpiryWatch>& kept,
                                     std::chrono::sys_seconds now, std::chrono::seconds break_max);

// Nothing where there is none, or nothing that makes sense.
[[nodiscard]] std::optional<ExpiryWatch> read_watch(const std::string& path);
// Whole or not at all, but not synced: what is lost is a day.
[[nodiscard]] storage::Status write_watch(const std::string& path, const ExpiryWatch& watch);

}  // namespace stompbox
