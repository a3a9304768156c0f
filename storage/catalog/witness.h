#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stompbox::catalog {

// Says cheaply whether the rows of a host are still those that we know: counts, highest ids, newest
// updated_at. A master's `node clean` and `unexport` change it, and so does a repair through
// Puppet.
struct Witness {
  struct Table {
    std::int64_t count = 0;
    std::int64_t id_max = 0;
    std::string updated_max;

    void add(std::int64_t id, std::string_view updated_at) {
      ++count;
      id_max = std::max(id_max, id);
      touch(updated_at);
    }
    void touch(std::string_view updated_at) {
      if (updated_at > updated_max) updated_max = updated_at;
    }
    friend bool operator==(const Table&, const Table&) = default;
  };
  Table resources, parameters, tags;  // of tags only count and highest id are looked at

  [[nodiscard]] std::string text() const;
  friend bool operator==(const Witness&, const Witness&) = default;
};

// Nothing when it is not a Witness::text().
[[nodiscard]] std::optional<Witness> witness_in(std::string_view text);

// Of rows of which only some were looked at, and of these only some stay; new rows are added to it
// then. Right if it is as high as `before` in the end: else what was highest went, and what is
// highest now was not looked at.
[[nodiscard]] Witness rest_of(const Witness& before, const Witness& looked_at, const Witness& kept);
[[nodiscard]] bool is_as_high(const Witness& after, const Witness& before);

}  // namespace stompbox::catalog
