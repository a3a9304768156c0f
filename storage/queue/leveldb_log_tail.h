#pragma once

#include <string>

#include "storage/result.h"

// LevelDB takes a log that ends early for what a crash leaves, but a page of zeros or of old bytes
// at the end, as some file systems leave it after a power loss, for damage. This tells the two
// apart.
namespace stompbox::queue {

// Cuts the damaged end off the newest log of a closed database: everything behind its last whole
// record before the damage. Only when no whole record stands behind the damage; what is cut goes to
// a file of the same name with ".torn" added. kNotFound: the newest log is not damaged. kCorrupt:
// the damage is not at the end, nothing was changed.
[[nodiscard]] storage::Status cut_torn_log_tail(const std::string& folder);

}  // namespace stompbox::queue
