#pragma once

#include <cassert>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace stompbox::session {

// First in, first out, for what is empty most of the time: then it holds no memory, or after use a
// little. (An empty std::deque holds more than half a KiB; with ten thousand idle peers that
// counts.) What it does not keep goes to a shelf, if it has one, from which queues like it take
// their memory. References last until the next push_back or pop.
template <typename Item>
class ShortQueue {
 public:
  using Shelf = std::vector<std::vector<Item>>;

  ShortQueue() = default;
  // `shelf` outlives the queue; null: none.
  ShortQueue(Shelf* shelf, std::size_t shelf_count_max)
      : shelf_(shelf), shelf_count_max_(shelf_count_max) {}

  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - head_; }
  [[nodiscard]] Item& front() { return (*this)[0]; }
  [[nodiscard]] Item& back() { return items_.back(); }
  [[nodiscard]] Item& operator[](std::size_t index) { return items_[head_ + index]; }
  [[nodiscard]] const Item& front() const { return (*this)[0]; }
  [[nodiscard]] const Item& operator[](std::size_t index) const { return items_[head_ + index]; }

  void push_back(Item item) {
    if (items_.capacity() == 0 && shelf_ != nullptr && !shelf_->empty()) {
      items_ = std::move(shelf_->back());
      shelf_->pop_back();
    }
    if (items_.size() == items_.capacity() && head_ > items_.size() / 2) close_gap();
    items_.push_back(std::move(item));
  }
  void pop_front() {
    assert(!empty());
    if constexpr (!std::is_trivially_destructible_v<Item>) items_[head_] = Item{};
    head_ += 1;
    if (empty()) clear();
  }
  void pop_back() {
    assert(!empty());
    items_.pop_back();
    if (empty()) clear();
  }
  void clear() {
    head_ = 0;
    items_.clear();
    const std::size_t bytes = items_.capacity() * sizeof(Item);
    if (bytes <= kKeptBytes) return;
    std::vector<Item> spare = std::move(items_);
    items_ = {};
    const bool has_place = shelf_ != nullptr && shelf_->size() < shelf_count_max_;
    if (has_place && bytes <= kShelvedBytesMax) shelf_->push_back(std::move(spare));
  }

 private:
  static constexpr std::size_t kKeptBytes = 1024;
  static constexpr std::size_t kShelvedBytesMax = 64 * 1024;

  // The rest moves to the front, at most as much as was taken from there.
  void close_gap() {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  Shelf* shelf_ = nullptr;
  std::size_t shelf_count_max_ = 0;
  std::vector<Item> items_;
  std::size_t head_ = 0;  // those before it have been taken
};

}  // namespace stompbox::session
