#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/catalog/reading/read_catalog.h"

namespace stompbox::catalog::reading {

// A fast 128-bit digest of what is added, in order: two lanes, each folding 16 bytes with one
// multiplication of 64 by 64 bits. For telling changed from unchanged, not against an adversary:
// the result is compared within one host's own messages only. The result is the same on every
// machine of one byte order, and may change between versions of this program.
class ReadDigest {
 public:
  // Bounds between additions count: "a" and "bc" differ from "ab" and "c".
  void add(std::string_view bytes);
  void add(std::uint64_t number);
  [[nodiscard]] std::string bytes() const;  // 16 of them

 private:
  void fold(std::uint64_t first, std::uint64_t second);

  std::uint64_t left_ = 0x6C8E9CF570932BD5;
  std::uint64_t right_ = 0xA0B428DB1E7F4A63;
};

// Catalog::digest: `resources` is the digest of the resources as they stand in the message.
[[nodiscard]] std::string catalog_digest(const ReadOptions& options, std::string_view node,
                                         std::string_view environment, std::string_view resources);

}  // namespace stompbox::catalog::reading
