#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <string_view>

#include "broker/access/keyed_digest.h"

namespace stompbox::access {

// Credentials that were verified, so that a thousand reconnects cost one hash. Keeps no passcode
// but a digest under a key that dies with the process. The digest covers the user's stored hash
// too: a changed passcode is forgotten by itself. The oldest make room. Single-threaded.
class Remembered {
 public:
  Remembered(std::size_t count_max, const DigestKey& key) : count_max_(count_max), key_(key) {}

  [[nodiscard]] bool knows(std::string_view name, std::string_view passcode,
                           std::string_view hash) const;
  void remember(std::string_view name, std::string_view passcode, std::string_view hash);
  [[nodiscard]] std::size_t count() const { return known_.size(); }

 private:
  [[nodiscard]] Digest digest_of(std::string_view name, std::string_view passcode,
                                 std::string_view hash) const;

  const std::size_t count_max_;
  const DigestKey key_;
  std::set<Digest> known_;
  std::deque<Digest> by_age_;  // the same, oldest first
};

// From the system's random source.
[[nodiscard]] DigestKey random_key();

}  // namespace stompbox::access
