#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/catalog/catalog.h"

// Made catalogs that resemble a site's: half the resources files, about six parameters and eight
// tags each, about 500 bytes a resource, some exported. The same arguments give the same catalog.
namespace stompbox::support {

struct SampleShape {
  std::size_t resource_count = 200;
  std::size_t shared_percent = 88;  // of the resources stand on every node alike
  // Of the resources have another value than in generation 0.
  std::size_t changed_percent = 0;
  std::uint32_t generation = 0;
};

[[nodiscard]] catalog::Catalog sample_catalog(std::size_t node, const SampleShape& shape);
[[nodiscard]] catalog::NodeFacts sample_facts(std::size_t node, std::size_t count);
[[nodiscard]] std::string sample_node(std::size_t node);

}  // namespace stompbox::support
