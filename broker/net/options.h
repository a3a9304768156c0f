#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stompbox::net {

struct NetOptions {
  std::size_t connection_count_max = 20'000;  // the next gets an ERROR that says so
  // Input of all connections that waits in memory: unfinished frames and what has no room yet. At
  // the bound those that hold the most are not read; if that frees nothing, the largest is closed.
  std::size_t inbound_bytes_max = 256 * 1024 * 1024;
  // Output of all connections that waits in memory. At the bound the slowest is closed.
  std::size_t outgoing_bytes_max = 512 * 1024 * 1024;
  std::chrono::milliseconds inbound_patience{5000};  // before the largest is closed
  std::size_t read_bytes = 128 * 1024;  // of one read, into the buffer that all connections share
  std::size_t reads_in_a_row = 4;       // of one connection, before the others have their turn
  bool sleeps_at_once = false;          // never awake while it waits for the next event (BusyPoll)
  // Connections that the kernel keeps for us. One more is turned away and asks again a second
  // later, so a burst of thousands has to fit; the kernel takes no more than net.core.somaxconn.
  std::uint32_t accept_backlog = 4096;
};

}  // namespace stompbox::net
