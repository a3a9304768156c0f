#include "storage/catalog/care/repair.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "storage/catalog/care/host_image.h"
#include "storage/catalog/care/host_mend.h"
#include "storage/catalog/care/lost_rows.h"
#include "storage/catalog/care/mend_writer.h"
#include "storage/catalog/care/name_image.h"
#include "storage/catalog/care/twin_hosts.h"
#include "storage/catalog/mysql_schema.h"
#include "storage/catalog/schema_time.h"

namespace stompbox::catalog::care {
namespace {

using storage::kOk;
using storage::Result;
using storage::Status;

// Resources that thinning deletes in one transaction.
constexpr std::size_t kThinnedMax = 100;

struct NamedTable {
  NameImage NameImages::*names;
  // Who may refer to its rows: table and column.
  std::span<const std::pair<std::string_view, std::string_view>> users;
};

constexpr std::pair<std::string_view, std::string_view> kOfParameters[] = {
    {"param_values", "param_name_id"}};
constexpr std::pair<std::string_view, std::string_view> kOfTags[] = {
    {"resource_tags", "puppet_tag_id"}};
constexpr std::pair<std::string_view, std::string_view> kOfFacts[] = {
    {"fact_values", "fact_name_id"}};
constexpr std::pair<std::string_view, std::string_view> kOfFiles[] = {
    {"resources", "source_file_id"}};

constexpr NamedTable kNamedTables[] = {{&NameImages::parameters, kOfParameters},
                                       {&NameImages::tags, kOfTags},
                                       {&NameImages::facts, kOfFacts},
                                       {&NameImages::files, kOfFiles}};

class Repair {
 public:
  Repair(SqlConnection& db, const RepairOptions& options, CareWatch& watch)
      : db_(db),
        options_(options),
        watch_(watch),
        pause_(watch),
        now_(db.dialect().second_digits),
        names_(db),
        images_(db),
        writer_(db),
        own_(look_for_own_table(db)) {
    report_.findings = Findings(options.examples_max);
  }

  Result<RepairReport> run() {
    names_.load();
    for (const auto step : {&Repair::widen, &Repair::remove_lost, &Repair::merge_hosts,
                            &Repair::mend_hosts, &Repair::thin, &Repair::merge_names}) {
      if (const Status status = (this->*step)(); !status) return status.error();
    }
    if (const Status status = take_failure(db_); !status) return status.error();
    report_.longest_lock = pause_.longest();
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool applies() const { return options_.mode == RepairMode::kApply; }
  [[nodiscard]] Status write(const std::function<void()>& body);

  [[nodiscard]] Status widen();
  [[nodiscard]] Status remove_lost();
  [[nodiscard]] Status merge_hosts();
  [[nodiscard]] Status mend_hosts();
  [[nodiscard]] Status mend(const HostName& host);
  [[nodiscard]] Status thin();
  [[nodiscard]] Status thin(const HostName& host);
  [[nodiscard]] Status merge_names();
  [[nodiscard]] Status merge(const NamedTable& table);
  void move_users(std::string_view user, std::string_view column, const NameImage::Twin& twin);
  [[nodiscard]] bool in_use(const NamedTable& table, std::int64_t id);

  SqlConnection& db_;
  const RepairOptions options_;
  CareWatch& watch_;
  LockPause pause_;
  LocalTimestamps now_;
  NameImages names_;
  HostImages images_;
  MendWriter writer_;
  const OwnTable own_;
  RepairReport report_;
};

Status Repair::write(const std::function<void()>& body) {
  pause_.begin();
  const Status status = in_write_transaction(db_, body);
  if (status) {
    pause_.end();
  } else {
    names_.load();
  }
  return status;
}

Status Repair::widen() {
  if (!options_.widen || db_.dialect().kind != SqlKind::kMysql) return kOk;
  report_.widenings = mysql_widening(db_);
  for (const std::string& statement : report_.widenings) {
    if (applies()) db_.run(statement);
  }
  return take_failure(db_);
}

Status Repair::remove_lost() {
  for (const LostRows& lost : all_lost_rows()) {
    find_lost_rows(db_, lost, report_.findings, watch_);
    if (report_.findings.count(lost.rule) == 0 || !applies()) continue;
    const auto removed = remove_lost_rows(db_, lost, pause_);
    if (!removed) return removed.error();
  }
  return take_failure(db_);
}

Status Repair::merge_hosts() {
  const std::vector<HostName> hosts = host_names(db_);
  for (const TwinIds& ids : twin_hosts(hosts)) {
    const auto& name = std::ranges::find(hosts, ids.front(), &HostName::id)->name;
    for (std::size_t i = 1; i < ids.size(); ++i)
      report_.findings.add(CheckRule::kTwinHosts, name);
    report_.rows += ids.size() - 1;
    if (!applies()) continue;
    const Status status = write([&] {
      for (const std::int64_t id : ids)
        lock_node(db_, own_, name, id);
      if (merge_twin_hosts(db_, images_, ids, now_.now())) distrust_record(db_, own_, name);
    });
    if (!status) return status;
  }
  return take_failure(db_);
}

Status Repair::mend_hosts() {
  const std::vector<HostName> hosts = host_names(db_);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    watch_.on_progress("hosts", i, hosts.size());
    if (const Status status = mend(hosts[i]); !status) return status;
  }
  return take_failure(db_);
}

Status Repair::mend(const HostName& host) {
  const auto image = images_.load(host.id);
  if (!image) return take_failure(db_);
  const HostMend planned = mend_host(*image, names_, db_.dialect(), options_.examples_max);
  report_.findings.add(planned.findings);
  if (planned.empty()) return kOk;
  ++report_.hosts;
  report_.rows += planned.row_count();
  if (!applies()) return kOk;
  return write([&] {
    lock_node(db_, own_, host.name, host.id);
    const auto locked = images_.load(host.id);
    if (!locked) return;
    const HostMend mend = mend_host(*locked, names_, db_.dialect(), 0);
    writer_.write(*locked, mend, names_, now_.now());
    distrust_record(db_, own_, host.name);
  });
}

Status Repair::thin() {
  if (!options_.thin) return kOk;
  for (const HostName& host : host_names(db_)) {
    if (const Status status = thin(host); !status) return status;
  }
  return take_failure(db_);
}

Status Repair::thin(const HostName& host) {
  SqlStatement select(db_, "SELECT id FROM resources WHERE host_id = ?1 AND exported = ?2");
  std::vector<std::int64_t> ids;
  select.bind(1, host.id).bind(2, db_.dialect().no);
  while (select.step())
    ids.push_back(select.integer(0));
  report_.thinned += ids.size();
  for (std::size_t done = 0; applies() && done < ids.size(); done += kThinnedMax) {
    const auto rest = std::span(ids).subspan(done);
    const auto some = rest.first(std::min(kThinnedMax, rest.size()));
    const Status status = write([&] {
      lock_node(db_, own_, host.name, host.id);
      for (const std::int64_t id : some)
        writer_.remove_resource(id);
      writer_.flush_removals();
      distrust_record(db_, own_, host.name);
    });
    if (!status) return status;
  }
  return kOk;
}

Status Repair::merge_names() {
  for (const NamedTable& table : kNamedTables) {
    if (const Status status = merge(table); !status) return status;
  }
  return kOk;
}

Status Repair::merge(const NamedTable& table) {
  NameImage& names = names_.*table.names;
  std::vector<NameImage::Twin> twins = names.twins();
  const bool files = names.table() == "source_files";  // there NULL stands for no file
  for (const auto& [id, row] : names.rows()) {
    if (row.is_null && !files) twins.push_back({id, kNoRow, "NULL"});
  }
  for (const NameImage::Twin& twin : twins) {
    report_.findings.add(CheckRule::kTwinNames, names.table() + ": " + twin.name);
    if (!options_.merge_names || !applies()) {
      ++report_.names_left;
      continue;
    }
    bool deleted = false;
    const Status status = write([&] {
      for (const auto& [user, column] : table.users) {
        if (files) move_users(user, column, twin);
      }
      deleted = !in_use(table, twin.id);
      if (!deleted) return;
      db_.run("DELETE FROM " + names.table() + " WHERE id = " + std::to_string(twin.id));
    });
    if (!status) return status;
    ++(deleted ? report_.names_deleted : report_.names_left);
  }
  if (report_.names_deleted > 0) names.load();
  return kOk;
}

void Repair::move_users(std::string_view user, std::string_view column,
                        const NameImage::Twin& twin) {
  const std::string name(column);
  SqlStatement move(
      db_, "UPDATE " + std::string(user) + " SET " + name + " = ?2 WHERE " + name + " = ?1");
  move.bind(1, twin.id).bind(2, twin.oldest).run();
}

bool Repair::in_use(const NamedTable& table, std::int64_t id) {
  return std::ranges::any_of(table.users, [this, id](const auto& user) {
    return integer_of(db_, "SELECT EXISTS (SELECT 1 FROM " + std::string(user.first) + " WHERE " +
                               std::string(user.second) + " = " + std::to_string(id) + ")") != 0;
  });
}

}  // namespace

Result<RepairReport> repair_database(SqlConnection& db, const RepairOptions& options,
                                     CareWatch& watch) {
  return Repair(db, options, watch).run();
}

}  // namespace stompbox::catalog::care
