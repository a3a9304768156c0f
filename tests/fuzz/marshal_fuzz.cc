// The reader of Ruby's Marshal format against arbitrary bytes: it ends, keeps within its limits,
// and what it gives can be walked; as the index of a message store and as a message's file, too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "broker/faces/marshal.h"
#include "broker/faces/old_queue.h"

namespace {

using namespace stompbox::faces;

constexpr MarshalLimits kLimits{.node_count_max = 10'000, .depth_max = 16};

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n";
  std::abort();
}

// Texts lie in the bytes, and children are nodes. A graph may have cycles: the walk is bounded.
void walk(const MarshalDocument& document, const MarshalNode& node, std::string_view bytes,
          unsigned depth, std::size_t& steps) {
  if (depth == 0 || steps == 0) return;
  --steps;
  const bool inside =
      node.text.empty() || (node.text.data() >= bytes.data() &&
                            node.text.data() + node.text.size() <= bytes.data() + bytes.size());
  require(inside, "a text is a part of what was read");
  for (const MarshalId child : node.children)
    walk(document, document.at(child), bytes, depth - 1, steps);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto document = read_marshal(bytes, kLimits);
  if (document) {
    constexpr unsigned kDepth = 20;
    std::size_t steps = 100'000;
    walk(*document, document->root(), bytes, kDepth, steps);
    static_cast<void>(document->find(document->root(), "queues"));
  } else {
    require(!document.error().text.empty(), "an error has a sentence");
  }
  static_cast<void>(parse_old_message(bytes));
  return 0;
}
