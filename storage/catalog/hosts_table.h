#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/names_table.h"
#include "storage/catalog/schema_rows.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

struct HostRow {
  std::int64_t id = kNoRow;  // kNoRow: there is none
  std::optional<std::string> ip;
  std::optional<std::string> environment;
  // Further rows of the same name, which Puppet's races leave (rule 6); never more are made.
  std::vector<std::int64_t> twins;
};

// The table `hosts`, and the two facts that go into it.
class HostsTable {
 public:
  HostsTable(SqlConnection& db, NamesTable& fact_names);

  // By exact name. Of several rows, the one with most resources, then the oldest.
  [[nodiscard]] HostRow find(std::string_view name);
  [[nodiscard]] std::int64_t create(std::string_view name, std::string_view now);
  // Sets last_compile; leaves ip and environment where nothing is given.
  void touch(std::int64_t id, std::string_view now, const std::optional<std::string>& ip,
             const std::optional<std::string>& environment);
  void set_ip(std::int64_t id, std::string_view now, std::string_view ip);

  struct StoredFacts {
    std::optional<std::string> ip, environment;
  };
  // What the stored facts `ipaddress` and `environment` say.
  [[nodiscard]] StoredFacts facts_of(std::int64_t id);

 private:
  [[nodiscard]] std::int64_t resource_count(std::int64_t id);

  SqlConnection& db_;
  NamesTable& fact_names_;
  SqlStatement find_, count_, create_, touch_, set_ip_, facts_;
};

// What our own table knows of a node.
struct NodeRecord {
  std::int64_t host_id = kNoRow;
  std::string digest;   // empty: none
  std::string witness;  // Witness::text() after the save that the digest is of
  std::int64_t saves_since_compare = 0;
  Arrival catalog_arrival;  // empty store: none
  Arrival facts_arrival;

  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

// What our own table keeps of a save beside the record: for people, and for the next save.
struct SaveNotes {
  std::optional<std::int64_t> lag_ms;       // from the message's arrival
  std::optional<std::string> changes;       // to_text(NodeChanges); nothing: it changed no row
  std::optional<std::string> fingerprints;  // as fingerprints.h has them; nothing: as they were
};

// Our own table, a row a node.
class NodesTable {
 public:
  explicit NodesTable(SqlConnection& db);

  // Makes the row if need be; with row locks it is ours until the COMMIT, so that nobody else saves
  // this node meanwhile.
  void lock(std::string_view name, std::string_view now);

  [[nodiscard]] std::optional<NodeRecord> find(std::string_view name);
  // As fingerprints.h has them; empty: none.
  [[nodiscard]] std::string fingerprints(std::string_view name);
  // Everything but the facts' arrival.
  void put_catalog(std::string_view name, const NodeRecord& record, const SaveNotes& notes,
                   std::string_view now);
  void put_catalog(std::string_view name, const NodeRecord& record, std::string_view now) {
    put_catalog(name, record, {}, now);
  }
  void put_facts(std::string_view name, const Arrival& arrival, std::string_view now);

 private:
  SqlStatement find_, fingerprints_, lock_, put_catalog_, put_facts_;
};

// Whether `arrival` is no later than what is stored. Numbers of different stores are not compared,
// and an arrival of no store is always new.
[[nodiscard]] bool is_superseded(const Arrival& arrival, const Arrival& stored);

}  // namespace stompbox::catalog
