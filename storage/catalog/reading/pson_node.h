#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace stompbox::catalog::reading {

enum class PsonKind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

// One value of a PSON text on a tape: a container is followed by its children, an object's children
// are key, value, key, value. Texts point into the parse buffer and live as long as that.
//
//   {"a": [1, 2], "b": null}   →   object(7) "a" array(3) 1 2 "b" null      (span in brackets)
struct PsonNode {
  const char* data = nullptr;
  std::uint32_t size =
      0;  // bytes of a text; children of a container, a key and its value being two
  std::uint32_t span = 1;  // nodes up to the next sibling, this one included
  PsonKind kind = PsonKind::kNull;

  [[nodiscard]] std::string_view text() const { return {data, size}; }
  [[nodiscard]] bool is_text() const { return kind == PsonKind::kString; }
  [[nodiscard]] bool is_container() const { return kind >= PsonKind::kArray; }

  // for (auto* child = node.first(); child != node.after(); child = child->after())
  [[nodiscard]] const PsonNode* first() const { return this + 1; }
  [[nodiscard]] const PsonNode* after() const { return this + span; }
};

// A value in the making: parse events in, nodes out. Reused from value to value without allocating.
class PsonTape {
 public:
  void clear() {
    nodes_.clear();
    open_.clear();
  }
  void add(PsonKind kind) { add_text(kind, {}); }
  void add_text(PsonKind kind, std::string_view text) {
    nodes_.push_back({text.data(), static_cast<std::uint32_t>(text.size()), 1, kind});
  }
  void open(PsonKind kind) {
    open_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.push_back({nullptr, 0, 1, kind});
  }
  void close(std::size_t child_count) {
    assert(!open_.empty());
    PsonNode& node = nodes_[open_.back()];
    node.size = static_cast<std::uint32_t>(child_count);
    node.span = static_cast<std::uint32_t>(nodes_.size() - open_.back());
    open_.pop_back();
  }

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] bool whole() const { return open_.empty() && !nodes_.empty(); }
  // Only of a whole value; valid until the next change.
  [[nodiscard]] const PsonNode& root() const {
    assert(whole());
    return nodes_.front();
  }

 private:
  std::vector<PsonNode> nodes_;
  std::vector<std::uint32_t> open_;  // indices of the containers that are not closed yet
};

}  // namespace stompbox::catalog::reading
