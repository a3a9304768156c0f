#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "storage/catalog/catalog.h"
#include "storage/result.h"

namespace stompbox::catalog {

// When a message arrived, comparable among messages of one queue store only. A store that is thrown
// away gets a new `store` name, so that its numbers are not compared with the old ones.
struct Arrival {
  std::string store;         // identity of the queue store, random, kept for its life
  std::uint64_t number = 0;  // grows with every message that arrives

  friend bool operator==(const Arrival&, const Arrival&) = default;
};

enum class SaveStatus {
  kStored,      // rows were written; durable
  kUnchanged,   // only the hosts row was touched; durable
  kSuperseded,  // a later arrival of that node is already stored; nothing was written
  kSkipped,     // facts only: somebody else writes this host's facts (rule 19)
  kTransient,   // not stored; the same save may work later (locked, full, unreachable)
  kPermanent,   // not stored; the same save will fail again (dead letter)
};

struct SaveOutcome {
  SaveStatus status = SaveStatus::kStored;
  storage::Error error;  // for the last two
  std::vector<std::string> warnings;
  bool unreadable = false;  // of kPermanent: CatalogSave::read_whole has failed
};

struct CatalogSave {
  const Catalog* catalog = nullptr;
  Arrival arrival;
  std::int64_t arrived_ms = 0;  // wall clock, since the epoch of UNIX; 0: not known
  // Given with an outline (read_outline.h) as catalog: reads the message whole. Called when the
  // catalog is not known to be stored; what cannot be read is kPermanent.
  std::function<storage::Result<Catalog>()> read_whole = nullptr;
};

struct FactsSave {
  const NodeFacts* facts = nullptr;
  Arrival arrival;
};

// One storeconfigs database, for writing. One thread uses it at a time. Each catalog is stored
// whole or not at all (rule 13); outcomes stand in the order of the requests and are durable on
// return. Many catalogs share a transaction, a savepoint each, as long as it holds the lock no
// longer than the option says (rule 15). After kTransient the connection has been given up and is
// made anew by the next call; what came before in the same call keeps its own outcome.
class CatalogStore {
 public:
  virtual ~CatalogStore() = default;

  // Opens the database; makes the schema where there is none, inspects it where there is one.
  [[nodiscard]] virtual storage::Status open() = 0;
  // Whether it would take a save now: opens it where it is not open, and commits a transaction that
  // changes no catalog. A failure as after kTransient.
  [[nodiscard]] virtual storage::Status probe() { return open(); }
  [[nodiscard]] virtual std::vector<SaveOutcome> save(std::span<const CatalogSave> saves) = 0;
  [[nodiscard]] virtual std::vector<SaveOutcome> save_facts(std::span<const FactsSave> saves) = 0;
  // One line for the log and the status: kind, place, schema.
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace stompbox::catalog
