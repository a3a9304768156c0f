#pragma once

#include <cstddef>

namespace stompbox::routing {

// What waiting messages may take in memory (promise P9), and what those of all queues take now.
struct Residence {
  std::size_t queue_count_max = 1000;  // of one queue
  std::size_t queue_bytes_max = 4 * 1024 * 1024;
  std::size_t total_bytes_max = 64 * 1024 * 1024;  // of all together
  std::size_t total_bytes = 0;

  // Then pages come one message at a time.
  [[nodiscard]] bool is_short() const { return total_bytes >= total_bytes_max; }
};

}  // namespace stompbox::routing
