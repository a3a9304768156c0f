#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

// Taking nodes out of a storeconfigs database, as Puppet does it (facts 4.6).
namespace stompbox::catalog::care {

struct Forgotten {
  std::uint64_t hosts = 0;  // rows; 0: there was no such node
  std::uint64_t resources = 0, facts = 0;
  bool marked = false;  // what had arrived by then cannot bring the node back
};

// `puppet node clean NODE`: the host with all that belongs to it goes, in one transaction; names
// and files stay. With `through`, our record says that everything up to that arrival is stored
// already: a message that was queued before does not bring the node back, a later one does.
[[nodiscard]] storage::Result<Forgotten> forget_node(SqlConnection& db, const std::string& name,
                                                     const std::optional<Arrival>& through);

struct Unexported {
  std::uint64_t hosts = 0;      // rows; 0: there is no such node
  std::uint64_t resources = 0;  // that say `ensure` = absent now
  std::uint64_t others = 0;     // exported ones whose type has no `ensure`
  bool marked = false;
};

// `puppet node clean --unexport NODE`: each exported resource that has an `ensure`, or whose type
// is one of Puppet's own with an `ensure` (has_ensure()), is exported as absent, its line kept;
// whoever collects it removes it then. Everything else stays; a plain forget_node has to follow.
[[nodiscard]] storage::Result<Unexported> unexport_node(SqlConnection& db, const std::string& name,
                                                        const std::optional<Arrival>& through);

// Whether Puppet's own type of that name (capitalised) has a parameter `ensure`. Of defined types
// only their resources tell.
[[nodiscard]] bool has_ensure(std::string_view type);

struct SilentNode {
  std::string name;
  std::string last_seen;  // as stored: local time
  std::string before;     // it has been silent since some time before this
};

// When the newest catalog was stored, in whole seconds; times after `now`, which some wrong clock
// has left, do not count. Nothing: there is none, or the database cannot be read.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> newest_catalog(
    SqlConnection& db, std::chrono::system_clock::time_point now);

// Nodes of which nothing has come for so long: neither a catalog nor facts, not even ones that
// changed nothing. Time is counted to the newest catalog in the database, not to now: when nobody
// could store anything, nobody was silent. A node with several rows is left to a repair.
[[nodiscard]] storage::Result<std::vector<SilentNode>> silent_nodes(
    SqlConnection& db, std::chrono::seconds silent_for, std::chrono::system_clock::time_point now,
    std::size_t count_max);

// Forgets it, unless something of it has come since it was found, or another row of its name is not
// silent: then nothing is done.
[[nodiscard]] storage::Result<Forgotten> forget_silent(SqlConnection& db, const SilentNode& node);

struct Expired {
  std::vector<std::string> forgotten;      // by name
  std::size_t silent = 0;                  // that were found, `count_max` at most
  storage::Status failure = storage::kOk;  // the first; one node's keeps no other
};

// Forgets at most so many silent nodes, a transaction each. What waits in the queue brings a node
// back: it was not silent then.
[[nodiscard]] Expired expire_step(SqlConnection& db, std::chrono::seconds silent_for,
                                  std::chrono::system_clock::time_point now, std::size_t count_max);

}  // namespace stompbox::catalog::care
