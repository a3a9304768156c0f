#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "storage/catalog/read_catalog.h"

namespace stompbox::drain {

struct DrainOptions {
  std::string catalog_queue = "catalog";  // empty: off
  std::string facts_queue = "facts";      // empty: off
  // What may be in the drain at once, so that there is something to coalesce (DESIGN §4). When both
  // queues are drained, facts take a quarter of it.
  std::size_t window_count = 256;
  std::size_t window_bytes = 64 * 1024 * 1024;
  std::chrono::milliseconds retry_first{250};  // after a transient error of the database
  std::chrono::milliseconds retry_max{30'000};
  // How often it is looked whether somebody else takes from the same queue.
  std::chrono::milliseconds competition_check{5'000};
  // A message that was in the drain at so many unclean exits of the process is dead-lettered.
  unsigned crash_count_max = 3;
  catalog::ReadOptions read;
};

}  // namespace stompbox::drain
