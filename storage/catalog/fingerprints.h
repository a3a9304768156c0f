#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog.h"

// What the rows of a host's resources were written from, in few bytes, so that the next save reads
// the rows of those resources only that are others now.
namespace stompbox::catalog {

struct Fingerprint {
  std::int64_t resource_id = 0;
  std::uint64_t hash = 0;

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Of all that a save writes of the resource: type, title, exported, line, the id of its file, and
// values and tags by the ids of their names: one each, in the order of the resource's parameters,
// then of its tags. The order of parameters and of tags does not count, that of an array's values
// does. The same on every machine of one byte order.
[[nodiscard]] std::uint64_t fingerprint_of(const Resource& resource, std::int64_t source_file_id,
                                           std::span<const std::int64_t> name_ids);

// What fingerprints are worth nothing without: the host's row, the digest and the witness of our
// record, as one number. Who writes these without fingerprints (an older program) or clears the
// digest makes them void.
[[nodiscard]] std::uint64_t fingerprint_bond(std::int64_t host_id, std::string_view digest,
                                             std::string_view witness);

// As the column has it, in ASCII; empty when it would be longer than kFingerprintsBytesMax.
//
//   version "1" · bond, 11 digits · count, then of each by ascending id: how much the id is more
//   than the last one, its hash, 11 digits · crc32 of all before, 6 digits
//
// in digits of six bits, low ones first; those of a count or an id have five, and a sixth that says
// that more follow.
inline constexpr std::size_t kFingerprintsBytesMax = 500'000;
[[nodiscard]] std::string to_text(std::vector<Fingerprint> fingerprints, std::uint64_t bond);

// By ascending id. Nothing of another bond, and of a text that is not whole or somebody else's.
[[nodiscard]] std::optional<std::vector<Fingerprint>> fingerprints_in(std::string_view text,
                                                                      std::uint64_t bond);

}  // namespace stompbox::catalog
