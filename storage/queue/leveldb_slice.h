#pragma once

#include <leveldb/slice.h>

#include <string_view>

#include "storage/queue/key_format.h"

// Bytes between us and LevelDB; both sides only look.
namespace stompbox::queue {

inline leveldb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
// Only as long as the key lives: for use within one expression.
inline leveldb::Slice slice(const Key& key) {
  return slice(key.view());
}
inline std::string_view view(const leveldb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace stompbox::queue
