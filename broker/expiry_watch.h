#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "storage/result.h"

namespace stompbox {

// Since when catalogs have come and were stored without a longer break, over restarts: by what the
// database has, so that a time without broker, masters or database is a break whoever's fault it
// was. After one everybody is silent, and it takes a while until one can tell who has gone for
// good.
struct ExpiryWatch {
  std::chrono::sys_seconds since;
  std::chrono::sys_seconds last;  // the newest catalog

  friend bool operator==(const ExpiryWatch&, const ExpiryWatch&) = default;
};

// The watch that is kept goes on, unless more than `break_max` lies between its last catalog and
// the newest, or the newest is older: a clock was set back, or it is another database.
[[nodiscard]] ExpiryWatch carried_on(const std::optional<ExpiryWatch>& kept,
                                     std::chrono::sys_seconds newest,
                                     std::chrono::seconds break_max);

// Nothing where there is none, or nothing that makes sense.
[[nodiscard]] std::optional<ExpiryWatch> read_watch(const std::string& path);
// Whole or not at all, but not synced: what is lost is time until something is forgotten.
[[nodiscard]] storage::Status write_watch(const std::string& path, const ExpiryWatch& watch);

}  // namespace stompbox
