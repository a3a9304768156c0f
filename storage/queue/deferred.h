#pragma once

#include <cstdint>

#include "storage/queue/live_map.h"

namespace stompbox::queue {

// Erased places of one class whose index entries are still in the store. All stand before the first
// that may be live, so no page comes there, and the deletes are put off until the room is wanted:
// a delete costs as much as a write. Kept as one stretch, in which every second place or more is
// such a one (but for kLoose; after a start each counts), so that its keys need not be looked for.
// Pure.
class Deferred {
 public:
  static constexpr std::uint64_t kLoose = 1024;
  static constexpr std::uint64_t kDense = 16;

  Deferred() = default;
  // As stored.
  Deferred(DeadRange places, std::uint64_t bytes)
      : places_(places), count_(places.length()), bytes_(bytes) {}

  // False: the stretch would become too thin.
  [[nodiscard]] bool add(std::uint64_t seq, std::uint64_t bytes);
  // At most `count` places from the front, out for good.
  [[nodiscard]] DeadRange take(std::uint64_t count);

  [[nodiscard]] const DeadRange& places() const { return places_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // Message::bytes()
  [[nodiscard]] bool empty() const { return places_.length() == 0; }
  // Deleting the whole costs about as much as if nothing had been deferred.
  [[nodiscard]] bool is_dense() const { return places_.length() <= 2 * count_ + kDense; }

 private:
  DeadRange places_;
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace stompbox::queue
