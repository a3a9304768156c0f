#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/result.h"

// What Ruby's Marshal.dump wrote, format 4.8, from Ruby 1.8 to today: strings with and without the
// instance variables that hold their encoding, symbols, links, numbers, arrays, hashes, objects.
// Nothing is made of it but values: no class is looked up, no code runs.
namespace stompbox::faces {

struct MarshalLimits {
  std::size_t node_count_max = 8'000'000;
  unsigned depth_max = 32;
};

enum class MarshalKind : std::uint8_t {
  kNil,
  kTrue,
  kFalse,
  kInteger,
  kFloat,   // `text` as it was written
  kString,  // also of a class derived from String
  kSymbol,
  kArray,
  kHash,    // children: key, value, key, value
  kObject,  // `text` is its class; children: name of the instance variable, value
  kOther,   // read over: structs, regular expressions, classes, what dumped itself
};

using MarshalId = std::uint32_t;

// The text is a view into the bytes that were read.
struct MarshalNode {
  MarshalKind kind = MarshalKind::kNil;
  std::int64_t number = 0;
  std::string_view text;
  std::vector<MarshalId> children;
};

// A graph: a node may be the child of several, and even of itself. Walk it by depth of your own.
class MarshalDocument {
 public:
  [[nodiscard]] const MarshalNode& root() const { return nodes_[root_]; }
  [[nodiscard]] const MarshalNode& at(MarshalId id) const { return nodes_[id]; }
  // The value under that key (a symbol or string) or instance variable ("@name"); null if `of` has
  // none, or is no hash and no object.
  [[nodiscard]] const MarshalNode* find(const MarshalNode& of, std::string_view name) const;

 private:
  friend class MarshalReader;
  std::vector<MarshalNode> nodes_;
  MarshalId root_ = 0;
};

// Reads one value; what follows it is ignored, as Marshal.load does. The bytes outlive the
// document. kInvalid says where and why it cannot be read, kTooLarge which limit was reached.
[[nodiscard]] storage::Result<MarshalDocument> read_marshal(std::string_view bytes,
                                                            const MarshalLimits& limits = {});

}  // namespace stompbox::faces
