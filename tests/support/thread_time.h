#pragma once

#include <time.h>

namespace stompbox::support {

// Seconds of a CPU that this thread has had: what a test takes to tell linear work from quadratic,
// for on a busy machine anything takes long.
inline double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace stompbox::support
