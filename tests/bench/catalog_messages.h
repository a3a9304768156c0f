#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Catalog messages for benchmarks: made here, or read from what tests/data/tools/gen-catalogs.py
// wrote. Given out in pieces, so that they need not all be in memory.
namespace stompbox::bench {

enum class Generation : std::uint8_t { kFirst, kChanged, kUnchanged };

class CatalogMessages {
 public:
  // Of sample_catalogs.h, with about as many edges as a master sends.
  explicit CatalogMessages(std::size_t nodes) : nodes_(nodes) {}
  // The files of three folders, in order of their names.
  CatalogMessages(const std::string& first, const std::string& changed,
                  const std::string& unchanged, std::size_t nodes);

  [[nodiscard]] std::size_t size() const { return nodes_; }
  [[nodiscard]] std::vector<std::string> read(Generation generation, std::size_t begin,
                                              std::size_t end) const;

 private:
  std::size_t nodes_;
  std::vector<std::string> files_[3];  // by generation; empty: made
};

}  // namespace stompbox::bench
