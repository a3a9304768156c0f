#pragma once

#include <cassert>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace stompbox::session {

// First in, first out, for what is empty most of the time: then it holds no memory, or after use a
// little. (An empty std::deque holds more than half a KiB; with ten thousand idle peers that
// counts.) References last until the next push_back or pop.
template <typename Item>
class ShortQueue {
 public:
  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - head_; }
  [[nodiscard]] Item& front() { return (*this)[0]; }
  [[nodiscard]] Item& back() { return items_.back(); }
  [[nodiscard]] Item& operator[](std::size_t index) { return items_[head_ + index]; }
  [[nodiscard]] const Item& front() const { return (*this)[0]; }
  [[nodiscard]] const Item& operator[](std::size_t index) const { return items_[head_ + index]; }

  void push_back(Item item) {
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
    if (items_.capacity() * sizeof(Item) > kKeptBytes) std::vector<Item>().swap(items_);
  }

 private:
  static constexpr std::size_t kKeptBytes = 8 * 1024;

  // The rest moves to the front, at most as much as was taken from there.
  void close_gap() {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<Item> items_;
  std::size_t head_ = 0;  // those before it have been taken
};

}  // namespace stompbox::session
