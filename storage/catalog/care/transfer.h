#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/care/node_line.h"
#include "storage/catalog/catalog_store.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

// Nodes as lines: out of one database, into another of any kind.
namespace stompbox::catalog::care {

struct Exported {
  std::uint64_t nodes = 0, resources = 0, facts = 0;
};

// Gives `take` each node as a line of JSON without its newline; false from it ends the export. Each
// node is read at one moment, and as a repair would leave it.
[[nodiscard]] storage::Result<Exported> export_nodes(
    SqlConnection& db, const std::function<bool(std::string_view)>& take, CareWatch& watch);

enum class Newer : std::uint8_t {
  kKeep,  // a node that the database has compiled later than the line's is left alone
  kReplace,
};

struct Imported {
  std::uint64_t stored = 0, unchanged = 0;  // nodes
  std::uint64_t newer = 0;                  // nodes that were left alone
  std::uint64_t facts_skipped = 0;          // nodes whose facts a master writes here
  struct Refusal {
    std::uint64_t line = 0;
    std::string reason;
  };
  std::vector<Refusal> refused;  // lines of which nothing was stored
};

// Saves lines as catalogs and facts, so that all rules of a save hold, then gives `hosts` what a
// save does not set: last_compile, ip and environment as they were.
class Import {
 public:
  // Both of the same database, the store opened.
  Import(CatalogStore& store, SqlConnection& db, Newer newer);

  // `number` names the line in refusals. An error is the database's: what was added since the last
  // flush() is stored or not; the same import may be run again.
  [[nodiscard]] storage::Status add(std::uint64_t number, std::string_view line);
  [[nodiscard]] storage::Status flush();  // once more at the end
  [[nodiscard]] const Imported& outcome() const { return outcome_; }

 private:
  struct Waiting {
    std::uint64_t number = 0;
    NodeLine node;
    enum class Fate : std::uint8_t { kUnchanged, kStored, kRefused } fate = Fate::kUnchanged;
  };

  [[nodiscard]] bool is_newer_here(const NodeLine& node);
  [[nodiscard]] storage::Status save_facts();
  [[nodiscard]] storage::Status save_catalogs();
  [[nodiscard]] storage::Status note(Waiting& waiting, const SaveOutcome& outcome);
  void refuse(Waiting& waiting, const std::string& reason);
  void finish_host(const NodeLine& node);
  void add_own_facts(const NodeLine& node, std::int64_t host);

  CatalogStore& store_;
  SqlConnection& db_;
  const Newer newer_;
  SqlStatement find_, update_;
  std::vector<Waiting> waiting_;
  std::size_t bytes_ = 0;  // of the waiting lines
  Imported outcome_;
};

}  // namespace stompbox::catalog::care
