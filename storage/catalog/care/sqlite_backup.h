#pragma once

#include <cstdint>
#include <string>

#include "storage/catalog/care/care_steps.h"
#include "storage/result.h"

namespace stompbox::catalog::care {

enum class Existing : std::uint8_t { kKeep, kReplace };

struct Backup {
  std::uint64_t bytes = 0;
};

// Copies a SQLite database that is in use, as it is at one moment, to `target`: written beside it,
// synced, then given its name at once; with the mode of the original. Pages are copied in short
// steps. With WAL nobody notices. Without it a step keeps others from committing for its
// milliseconds, and a commit of theirs begins the copy anew; after a few times the steps become
// longer, so that it ends. kInvalid when `target` exists and is to be kept: nothing was done.
[[nodiscard]] storage::Result<Backup> backup_sqlite(const std::string& path,
                                                    const std::string& target, Existing existing,
                                                    CareWatch& watch);

}  // namespace stompbox::catalog::care
