#include "storage/catalog/care/forget.h"

#include <time.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/catalog/bulk.h"
#include "storage/catalog/care/care_steps.h"
#include "storage/catalog/hosts_table.h"
#include "storage/catalog/schema.h"
#include "storage/catalog/schema_time.h"

namespace stompbox::catalog::care {
namespace {

using storage::Result;
using storage::Status;

Arrival later(const Arrival& known, const Arrival& through) {
  return known.store == through.store && known.number > through.number ? known : through;
}

// Our record of a node, while it is changed behind the back of its catalogs.
class Record {
 public:
  Record(SqlConnection& db, const std::string& name, std::string_view now)
      : db_(db), own_(look_for_own_table(db)), nodes_(db), name_(name), now_(now) {}

  [[nodiscard]] bool is_there() const { return own_ == OwnTable::kThere; }

  // Before anything is read, as a save does it.
  void lock(const std::optional<Arrival>& through) {
    if (!is_there()) return;
    if (through) return nodes_.lock(name_, now_);
    lock_node(db_, own_, name_, kNoRow);
  }

  void mark_catalog(const std::optional<Arrival>& through) {
    if (!through) return distrust_record(db_, own_, name_);
    const NodeRecord known = nodes_.find(name_).value_or(NodeRecord{});
    NodeRecord record;
    record.host_id = known.host_id;
    record.catalog_arrival = later(known.catalog_arrival, *through);
    nodes_.put_catalog(name_, record, now_);
  }

  void mark_facts(const std::optional<Arrival>& through) {
    if (!through) return;
    const NodeRecord known = nodes_.find(name_).value_or(NodeRecord{});
    nodes_.put_facts(name_, later(known.facts_arrival, *through), now_);
  }

 private:
  SqlConnection& db_;
  const OwnTable own_;
  NodesTable nodes_;
  const std::string& name_;
  const std::string_view now_;
};

void remove_host(SqlConnection& db, std::int64_t id, Forgotten& outcome) {
  const std::string host = " WHERE host_id = " + std::to_string(id);
  SqlStatement select(db, "SELECT id FROM resources" + host);
  BulkDelete parameters(db, "param_values", "resource_id");
  BulkDelete tags(db, "resource_tags", "resource_id");
  BulkDelete resources(db, "resources", "id");
  while (select.step()) {
    for (BulkDelete* table : {&parameters, &tags, &resources})
      table->add(select.integer(0));
    ++outcome.resources;
  }
  outcome.facts +=
      static_cast<std::uint64_t>(integer_of(db, "SELECT count(*) FROM fact_values" + host));
  for (BulkDelete* table : {&parameters, &tags, &resources})
    table->flush();
  db.run("DELETE FROM fact_values" + host);
  db.run("DELETE FROM hosts WHERE id = " + std::to_string(id));
  ++outcome.hosts;
}

// Marks one exported resource; false if its type has no `ensure`.
class AbsentMaker {
 public:
  AbsentMaker(SqlConnection& db, std::string_view now)
      : db_(db),
        now_(now),
        select_(db,
                "SELECT v.id FROM param_values v JOIN param_names n ON n.id = v.param_name_id"
                " WHERE v.resource_id = ?1 AND n.name = 'ensure' ORDER BY v.id"),
        set_(db, "UPDATE param_values SET value = 'absent', updated_at = ?2 WHERE id = ?1"),
        insert_(db,
                "INSERT INTO param_values (value, param_name_id, resource_id, updated_at,"
                " created_at) VALUES ('absent', ?1, ?2, ?3, ?3)"),
        others_(db, "param_values", "id") {}

  [[nodiscard]] bool make_absent(std::int64_t resource, std::string_view type) {
    std::vector<std::int64_t> rows;
    select_.bind(1, resource);
    while (select_.step())
      rows.push_back(select_.integer(0));
    if (rows.empty() && !has_ensure(type)) return false;
    if (rows.empty()) {
      insert_.bind(1, name_id()).bind(2, resource).bind(3, now_).run();
      return true;
    }
    set_.bind(1, rows.front()).bind(2, now_).run();
    for (std::size_t i = 1; i < rows.size(); ++i)
      others_.add(rows[i]);
    others_.flush();
    return true;
  }

 private:
  std::int64_t name_id() {
    const std::string oldest = "SELECT coalesce(min(id), 0) FROM param_names WHERE name = 'ensure'";
    const std::int64_t id = integer_of(db_, oldest);
    if (id != kNoRow) return id;
    SqlStatement create(
        db_, "INSERT INTO param_names (name, updated_at, created_at) VALUES ('ensure', ?1, ?1)");
    create.bind(1, now_).run();
    return db_.failed() ? kNoRow : db_.inserted_ids(1).first;
  }

  SqlConnection& db_;
  const std::string_view now_;
  SqlStatement select_, set_, insert_;
  BulkDelete others_;
};

void unexport_host(SqlConnection& db, std::int64_t id, std::string_view now, Unexported& outcome) {
  struct Exported {
    std::int64_t id = kNoRow;
    std::string type;
  };
  std::vector<Exported> exported;
  SqlStatement select(
      db, "SELECT id, restype FROM resources WHERE host_id = ?1 AND exported = ?2 ORDER BY id");
  select.bind(1, id).bind(2, db.dialect().yes);
  while (select.step())
    exported.push_back({select.integer(0), std::string(select.text(1))});
  AbsentMaker absent(db, now);
  for (const Exported& resource : exported)
    ++(absent.make_absent(resource.id, resource.type) ? outcome.resources : outcome.others);
  ++outcome.hosts;
}

// When something last came of a row of `hosts`, as far as that row says.
constexpr std::string_view kLastSeen = "coalesce(c.last_compile, c.updated_at, c.created_at)";

// Of a row c of `hosts`: nothing has come of it since the time ?3. Facts that are as they were
// change no row of theirs, but our record of the node.
std::string is_silent_sql(SqlConnection& db) {
  std::string sql(kLastSeen);
  sql +=
      " < ?3 AND NOT EXISTS (SELECT 1 FROM fact_values v WHERE v.host_id = c.id"
      " AND v.updated_at >= ?3)";
  if (look_for_own_table(db) == OwnTable::kMissing) return sql;
  return sql + " AND NOT EXISTS (SELECT 1 FROM " + std::string(kOwnTable) +
         " s WHERE s.name = c.name AND s.updated_at >= ?3)";
}

bool all_silent(SqlConnection& db, const std::vector<std::int64_t>& hosts,
                const std::string& before) {
  SqlStatement row(
      db, "SELECT c.id FROM hosts c WHERE c.id >= ?1 AND c.id <= ?2 AND " + is_silent_sql(db));
  return std::ranges::all_of(hosts, [&](std::int64_t id) {
    row.bind(1, id).bind(2, id).bind(3, std::string_view(before));
    const bool silent = row.step();
    row.reset();
    return silent;
  });
}

// `silent`: only if nothing has come since.
Result<Forgotten> forget_rows(SqlConnection& db, const std::string& name,
                              const std::optional<Arrival>& through, const SilentNode* silent) {
  const std::string now = LocalTimestamps(db.dialect().second_digits).now();
  Forgotten outcome;
  const Status status = in_write_transaction(db, [&] {
    outcome = {};
    Record record(db, name, now);
    record.lock(through);
    const std::vector<std::int64_t> hosts = hosts_named(db, name);
    if (silent != nullptr && !all_silent(db, hosts, silent->before)) return;
    for (const std::int64_t id : hosts)
      remove_host(db, id, outcome);
    if (!record.is_there()) return;
    record.mark_catalog(through);
    record.mark_facts(through);
    outcome.marked = through.has_value();
  });
  if (!status) return status.error();
  return outcome;
}

}  // namespace

Result<Forgotten> forget_node(SqlConnection& db, const std::string& name,
                              const std::optional<Arrival>& through) {
  return forget_rows(db, name, through, nullptr);
}

Result<Forgotten> forget_silent(SqlConnection& db, const SilentNode& node) {
  return forget_rows(db, node.name, std::nullopt, &node);
}

Result<Unexported> unexport_node(SqlConnection& db, const std::string& name,
                                 const std::optional<Arrival>& through) {
  const std::string now = LocalTimestamps(db.dialect().second_digits).now();
  Unexported outcome;
  const Status status = in_write_transaction(db, [&] {
    outcome = {};
    Record record(db, name, now);
    record.lock(through);
    for (const std::int64_t id : hosts_named(db, name))
      unexport_host(db, id, now, outcome);
    if (!record.is_there()) return;
    record.mark_catalog(through);
    outcome.marked = through.has_value();
  });
  if (!status) return status.error();
  return outcome;
}

bool has_ensure(std::string_view type) {
  constexpr std::string_view kTypes[] = {"Computer",
                                         "Cron",
                                         "File",
                                         "Group",
                                         "Host",
                                         "Interface",
                                         "K5login",
                                         "Macauthorization",
                                         "Mailalias",
                                         "Maillist",
                                         "Mcx",
                                         "Mount",
                                         "Package",
                                         "Scheduled_task",
                                         "Selmodule",
                                         "Service",
                                         "Ssh_authorized_key",
                                         "Sshkey",
                                         "User",
                                         "Vlan",
                                         "Yumrepo",
                                         "Zfs",
                                         "Zone",
                                         "Zpool"};
  return type.starts_with("Nagios_") || std::ranges::binary_search(kTypes, type);
}

std::optional<std::chrono::system_clock::time_point> newest_catalog(
    SqlConnection& db, std::chrono::system_clock::time_point now) {
  LocalTimestamps clock(db.dialect().second_digits);
  SqlStatement select(db, "SELECT max(last_compile) FROM hosts WHERE last_compile <= ?1");
  const std::string latest = clock.at(now);
  select.bind(1, std::string_view(latest));
  const std::string newest = select.step() ? std::string(select.text(0)) : std::string();
  select.reset();
  std::tm fields{};
  if (strptime(newest.c_str(), "%Y-%m-%d %H:%M:%S", &fields) == nullptr) return std::nullopt;
  fields.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&fields));
}

Result<std::vector<SilentNode>> silent_nodes(SqlConnection& db, std::chrono::seconds silent_for,
                                             std::chrono::system_clock::time_point now,
                                             std::size_t count_max) {
  LocalTimestamps clock(db.dialect().second_digits);
  std::vector<SilentNode> nodes;
  const auto newest = newest_catalog(db, now);
  const std::string cutoff = newest ? clock.at(*newest - silent_for) : std::string();
  IdWindows windows(db, "hosts");
  SqlStatement hosts(db, "SELECT c.name, " + std::string(kLastSeen) +
                             " FROM hosts c WHERE c.id > ?1 AND c.id <= ?2 AND " +
                             is_silent_sql(db) +
                             " AND NOT EXISTS (SELECT 1 FROM hosts o WHERE"
                             " o.name = c.name AND o.id <> c.id) ORDER BY c.id");
  while (!cutoff.empty() && nodes.size() < count_max) {
    const auto window = windows.next();
    if (!window) break;
    bind(hosts, *window);
    hosts.bind(3, std::string_view(cutoff));
    while (nodes.size() < count_max && hosts.step())
      nodes.push_back({std::string(hosts.text(0)), std::string(hosts.text(1)), cutoff});
    hosts.reset();
  }
  if (const Status status = take_failure(db); !status) return status.error();
  return nodes;
}

Expired expire_step(SqlConnection& db, std::chrono::seconds silent_for,
                    std::chrono::system_clock::time_point now, std::size_t count_max) {
  Expired outcome;
  auto silent = silent_nodes(db, silent_for, now, count_max);
  if (!silent) {
    outcome.failure = silent.error();
    return outcome;
  }
  outcome.silent = silent->size();
  for (SilentNode& node : *silent) {
    const auto forgotten = forget_silent(db, node);
    if (!forgotten && outcome.failure) outcome.failure = forgotten.error();
    if (forgotten && forgotten->hosts > 0) outcome.forgotten.push_back(std::move(node.name));
  }
  return outcome;
}

}  // namespace stompbox::catalog::care
