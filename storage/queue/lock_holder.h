#pragma once

#include <string>

namespace stompbox::queue {

// Who holds the lock on a file: "process 4711 (stompbox)", or "another process" when that cannot be
// seen. Not for a file that this process has locked: looking would free it (POSIX record locks).
[[nodiscard]] std::string describe_lock_holder(const std::string& lock_file);

}  // namespace stompbox::queue
