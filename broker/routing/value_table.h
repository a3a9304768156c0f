#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace stompbox::routing {

struct Interest;
struct Subscription;

// The interests in one header by their values. A look-up costs one step in a flat table and one
// comparison, however many values there are: every message of a queue with selectors makes one.
// Interests stay where they are while they are in it.
class ValueTable {
 public:
  ValueTable();
  ~ValueTable();
  ValueTable(const ValueTable&) = delete;
  ValueTable& operator=(const ValueTable&) = delete;

  [[nodiscard]] Interest* find(std::string_view value) const;
  // Its value is not there yet.
  Interest& add(std::unique_ptr<Interest> interest);
  void erase(std::string_view value);  // must be there
  [[nodiscard]] std::size_t size() const { return count_; }

  // A look-up in three steps for one that is foreseen: what it needs is on its way when it is made.
  // `sole`: whose subscription a message of that value most likely goes to; only fetched.
  [[nodiscard]] static std::uint64_t hash_of(std::string_view value);
  void foretell(std::string_view value, const Subscription* sole);
  void fetch_slot(std::uint64_t hash) const;
  void fetch_interest(std::uint64_t hash) const;

  // Calls visit(interest) for each, in no order. `visit` adds and erases nothing.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.interest) visit(*slot.interest);
    }
  }

 private:
  // Open addressing: a value stands at the place of its hash or behind it, with no free slot
  // between. The number of slots is a power of two and half of them at least are free.
  struct alignas(32) Slot {  // two in a line of the processor's cache, none in two lines
    std::uint64_t hash = 0;
    std::unique_ptr<Interest> interest;  // null: free
    const Subscription* sole = nullptr;  // may be gone
  };

  [[nodiscard]] std::size_t place_of(std::uint64_t hash, std::string_view value) const;
  [[nodiscard]] std::size_t after(std::size_t place) const {
    return (place + 1) & (slots_.size() - 1);
  }
  [[nodiscard]] std::size_t home_of(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash) & (slots_.size() - 1);
  }
  void resize(std::size_t slots);

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace stompbox::routing
