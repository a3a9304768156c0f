#pragma once

#include <cstddef>
#include <string_view>

#include "storage/catalog/catalog.h"
#include "storage/result.h"

namespace stompbox::catalog::reading {

// What to do with a string that is not UTF-8; each string by itself.
enum class BytePolicy { kLatin1, kReplace, kKeep };

struct ReadOptions {
  BytePolicy byte_policy = BytePolicy::kLatin1;
  bool store_sensitive = false;  // values of `sensitive_parameters` and nested Sensitive
  std::size_t message_bytes_max = 64 * 1024 * 1024;
  std::size_t depth_max = 64;  // PSON itself stops at 19
  std::size_t resource_count_max = 200'000;
  std::size_t value_count_max = 2'000'000;
};

// Reads one message body: every historic form of facts 2.2 to 2.4 (PSON, 0.25.0, Puppet 4+ with or
// without envelope). Lenient where the meaning is clear, with a warning; else kInvalid or
// kTooLarge, with a reason for the dead letter. Pure; any thread.
[[nodiscard]] storage::Result<Catalog> read_catalog(std::string_view body,
                                                    const ReadOptions& options);

// The same for the facts forms of facts 2.6.
[[nodiscard]] storage::Result<NodeFacts> read_facts(std::string_view body,
                                                    const ReadOptions& options);

}  // namespace stompbox::catalog::reading
