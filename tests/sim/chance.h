#pragma once

#include <cstdint>
#include <random>

namespace stompbox::sim {

// The one source of chance of a history: the same seed gives the same history.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  // 0 .. bound-1
  std::size_t below(std::size_t bound) {
    return static_cast<std::size_t>(engine_() % (bound == 0 ? 1 : bound));
  }
  bool once_in(std::size_t times) { return below(times) == 0; }
  std::uint64_t seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace stompbox::sim
