#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/catalog/witness.h"

// The rows of one host as they stand in the tables, and what a catalog wants them to be.
namespace stompbox::catalog {

// Id of a row that does not exist (yet); databases count from 1.
inline constexpr std::int64_t kNoRow = 0;

// Keeps texts of a result set; the views live as long as the arena.
class TextArena {
 public:
  std::string_view keep(std::string_view text) {
    if (text.size() > room_) grow(text.size());
    char* const at = next_;
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    next_ += text.size();
    room_ -= text.size();
    return {at, text.size()};
  }

 private:
  void grow(std::size_t bytes) {
    room_ = std::max<std::size_t>(bytes, 64 * 1024);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    next_ = blocks_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t room_ = 0;
};

enum class StoredFlag { kFalse, kTrue, kOther };  // kOther: NULL or not in this database's form

struct StoredParameter {
  std::int64_t id = kNoRow;
  std::int64_t name_id = kNoRow;  // kNoRow: dangling, or not the row that stands for its name
  std::string_view value;
  std::string_view updated_at;
};

struct StoredTag {
  std::int64_t id = kNoRow;
  std::int64_t tag_id = kNoRow;  // kNoRow as above
};

struct StoredResource {
  std::int64_t id = kNoRow;
  std::string_view type, title;
  StoredFlag exported = StoredFlag::kOther;
  std::optional<std::int64_t> line;
  std::int64_t source_file_id = kNoRow;
  std::string_view updated_at;
  std::size_t parameters_begin = 0, parameters_end = 0;  // in StoredRows::parameters
  std::size_t tags_begin = 0, tags_end = 0;              // in StoredRows::tags
};

// Resources by ascending id, parameters by ascending id within theirs; tags as they come.
struct StoredRows {
  std::vector<StoredResource> resources;
  std::vector<StoredParameter> parameters;
  std::vector<StoredTag> tags;
  std::size_t left_out_count = 0;  // resources of the host that are not among these
  TextArena texts;
};

// A catalog's resources with the ids of their names; kNoRow where the name has no row yet.
struct WantedRows {
  struct Row {
    const Resource* resource = nullptr;
    std::int64_t source_file_id = kNoRow;  // kNoRow also where the message names no file
    std::size_t ids_begin = 0;             // in ids: one a parameter, then one a tag
  };
  std::vector<Row> rows;
  std::vector<std::int64_t> ids;
};

}  // namespace stompbox::catalog
