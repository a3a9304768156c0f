#include "storage/catalog/hosts_table.h"

#include "storage/catalog/schema.h"

namespace stompbox::catalog {
namespace {

Arrival arrival_in(const SqlStatement& row, int column) {
  return {std::string(row.text(column)), static_cast<std::uint64_t>(row.integer(column + 1))};
}

std::string own(std::string_view before, std::string_view after) {
  return std::string(before) + std::string(kOwnTable) + std::string(after);
}

std::string add(std::string_view before, std::string_view varying, std::string_view after = {}) {
  return std::string(before) + std::string(varying) + std::string(after);
}

// `columns` are placed as ?1, ?2 …, the name first; `assignments` are for the row that is there.
std::string put(const SqlDialect& dialect, std::string_view columns, std::size_t count,
                std::string_view assignments) {
  return own("INSERT INTO ", " (") + std::string(columns) + ") VALUES (" + placeholders(1, count) +
         ")" + std::string(dialect.on_same_name) + std::string(assignments);
}

}  // namespace

HostsTable::HostsTable(SqlConnection& db, NamesTable& fact_names)
    : db_(db),
      fact_names_(fact_names),
      find_(db, add("SELECT id, ip, environment, name FROM hosts WHERE name = ?1 ORDER BY id",
                    db.dialect().lock_rows)),
      count_(db, "SELECT count(*) FROM resources WHERE host_id = ?1"),
      create_(db, "INSERT INTO hosts (name, updated_at, created_at) VALUES (?1, ?2, ?2)"),
      touch_(db,
             "UPDATE hosts SET last_compile = ?2, updated_at = ?2, ip = coalesce(?3, ip),"
             " environment = coalesce(?4, environment) WHERE id = ?1"),
      set_ip_(db, "UPDATE hosts SET ip = ?3, updated_at = ?2 WHERE id = ?1"),
      // The index on fact_name_id has a row for every node.
      facts_(db, add("SELECT fact_name_id, value FROM fact_values WHERE host_id = ?1 AND ",
                     db.dialect().no_index, "fact_name_id IN (?2, ?3) ORDER BY id DESC")) {}

HostRow HostsTable::find(std::string_view name) {
  std::vector<HostRow> rows;
  find_.bind(1, name);
  while (find_.step()) {
    if (find_.text(3) != name) continue;  // MySQL's usual collations ignore case
    rows.push_back({find_.integer(0), find_.text_or_null(1), find_.text_or_null(2), {}});
  }
  if (rows.empty()) return {};
  std::size_t best = 0;
  std::int64_t best_count = rows.size() == 1 ? 0 : resource_count(rows[0].id);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::int64_t count = resource_count(rows[i].id);
    if (count > best_count) best = i, best_count = count;
  }
  HostRow host = rows[best];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i != best) host.twins.push_back(rows[i].id);
  }
  return host;
}

std::int64_t HostsTable::resource_count(std::int64_t id) {
  count_.bind(1, id);
  const std::int64_t count = count_.step() ? count_.integer(0) : 0;
  count_.reset();
  return count;
}

std::int64_t HostsTable::create(std::string_view name, std::string_view now) {
  create_.bind(1, name).bind(2, now).run();
  return db_.inserted_ids(1).first;
}

void HostsTable::touch(std::int64_t id, std::string_view now, const std::optional<std::string>& ip,
                       const std::optional<std::string>& environment) {
  touch_.bind(1, id).bind(2, now).bind_optional(3, ip).bind_optional(4, environment).run();
}

void HostsTable::set_ip(std::int64_t id, std::string_view now, std::string_view ip) {
  set_ip_.bind(1, id).bind(2, now).bind(3, ip).run();
}

HostsTable::StoredFacts HostsTable::facts_of(std::int64_t id) {
  StoredFacts facts;
  const std::int64_t ip = fact_names_.id_of("ipaddress");
  const std::int64_t environment = fact_names_.id_of("environment");
  if (ip == kNoRow && environment == kNoRow) return facts;
  facts_.bind(1, id).bind(2, ip).bind(3, environment);
  while (facts_.step()) {  // descending, so the first row of a name comes last
    (facts_.integer(0) == ip ? facts.ip : facts.environment) = std::string(facts_.text(1));
  }
  if (facts.environment && facts.environment->empty()) facts.environment.reset();
  return facts;
}

NodesTable::NodesTable(SqlConnection& db)
    : find_(db, own("SELECT host_id, digest, witness, saves_since_compare, store, arrival,"
                    " facts_store, facts_arrival FROM ",
                    " WHERE name = ?1")),
      fingerprints_(db, own("SELECT fingerprints FROM ", " WHERE name = ?1")),
      lock_(db, put(db.dialect(), "name, updated_at", 2, "name = ?1")),
      put_catalog_(db, put(db.dialect(),
                           "name, host_id, digest, witness, saves_since_compare, store, arrival,"
                           " updated_at, lag_ms, changed_at, changes, fingerprints",
                           12,
                           "host_id = ?2, digest = ?3, witness = ?4, saves_since_compare = ?5,"
                           " store = ?6, arrival = ?7, updated_at = ?8, lag_ms = ?9,"
                           " changed_at = coalesce(?10, changed_at),"
                           " changes = coalesce(?11, changes),"
                           " fingerprints = coalesce(?12, fingerprints)")),
      put_facts_(db, put(db.dialect(), "name, facts_store, facts_arrival, updated_at", 4,
                         "facts_store = ?2, facts_arrival = ?3, updated_at = ?4")) {}

void NodesTable::lock(std::string_view name, std::string_view now) {
  lock_.bind(1, name).bind(2, now).run();
}

std::optional<NodeRecord> NodesTable::find(std::string_view name) {
  find_.bind(1, name);
  if (!find_.step()) return std::nullopt;
  NodeRecord record{find_.integer(0), std::string(find_.text(1)), std::string(find_.text(2)),
                    find_.integer(3), arrival_in(find_, 4),       arrival_in(find_, 6)};
  find_.reset();
  return record;
}

std::string NodesTable::fingerprints(std::string_view name) {
  fingerprints_.bind(1, name);
  if (!fingerprints_.step()) return {};
  std::string text(fingerprints_.text(0));
  fingerprints_.reset();
  return text;
}

void NodesTable::put_catalog(std::string_view name, const NodeRecord& record,
                             const SaveNotes& notes, std::string_view now) {
  put_catalog_.bind(1, name)
      .bind(2, record.host_id)
      .bind(3, record.digest)
      .bind(4, record.witness)
      .bind(5, record.saves_since_compare)
      .bind(6, record.catalog_arrival.store)
      .bind(7, static_cast<std::int64_t>(record.catalog_arrival.number))
      .bind(8, now)
      .bind_optional(9, notes.lag_ms)
      .bind_optional(11, notes.changes)
      .bind_optional(12, notes.fingerprints);
  notes.changes ? put_catalog_.bind(10, now) : put_catalog_.bind_null(10);
  put_catalog_.run();
}

void NodesTable::put_facts(std::string_view name, const Arrival& arrival, std::string_view now) {
  put_facts_.bind(1, name)
      .bind(2, arrival.store)
      .bind(3, static_cast<std::int64_t>(arrival.number))
      .bind(4, now)
      .run();
}

bool is_superseded(const Arrival& arrival, const Arrival& stored) {
  return !arrival.store.empty() && arrival.store == stored.store && arrival.number <= stored.number;
}

}  // namespace stompbox::catalog
