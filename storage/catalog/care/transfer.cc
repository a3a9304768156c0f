#include "storage/catalog/care/transfer.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/catalog/bulk.h"
#include "storage/catalog/care/check_rules.h"
#include "storage/catalog/care/host_image.h"
#include "storage/catalog/care/host_mend.h"
#include "storage/catalog/care/name_image.h"
#include "storage/catalog/reading/read_resource.h"
#include "storage/catalog/schema_time.h"

namespace stompbox::catalog::care {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

// What is saved together.
constexpr std::size_t kNodesMax = 64;
constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

using Ids = std::unordered_set<std::int64_t>;
using Texts = std::unordered_map<std::int64_t, std::string>;

Ids ids_of(const std::vector<std::int64_t>& ids) {
  return {ids.begin(), ids.end()};
}

Texts texts_of(const std::vector<HostMend::Text>& texts) {
  Texts by_id;
  for (const HostMend::Text& text : texts)
    by_id.emplace(text.id, text.text);
  return by_id;
}

std::string text_of(const Texts& mended, std::int64_t id, std::string_view stored) {
  const auto at = mended.find(id);
  return at == mended.end() ? std::string(stored) : at->second;
}

// One host as a repair would leave it.
class LineMaker {
 public:
  LineMaker(const HostImage& host, NameImages& names, const SqlDialect& dialect)
      : host_(host), names_(names), dialect_(dialect), mend_(mend_host(host, names, dialect, 0)) {}

  NodeLine run() {
    node_.catalog.node = host_.name;
    node_.facts.node = host_.name;
    node_.ip = host_.ip;
    node_.environment = mend_.environment ? mend_.environment : host_.environment;
    node_.last_compile = host_.last_compile;
    node_.compiled = host_.last_compile.has_value() || !host_.resources.empty();
    add_resources();
    add_parameters();
    add_tags();
    add_facts();
    return std::move(node_);
  }

 private:
  void add_resources() {
    const Ids removed = ids_of(mend_.removed_resources);
    const Texts exported = texts_of(mend_.exported);
    for (const HostImage::Resource& row : host_.resources) {
      if (removed.contains(row.id)) continue;
      index_.emplace(row.id, node_.catalog.resources.size());
      Resource& resource = node_.catalog.resources.emplace_back();
      resource.type = reading::capitalised_type(row.type);
      resource.title = row.title;
      resource.exported = text_of(exported, row.id, row.exported.value_or("")) == dialect_.yes;
      resource.line = row.line;
      const NameImage::Row* const file = row.file_id ? names_.files.find(*row.file_id) : nullptr;
      if (file != nullptr && !file->is_null) resource.file = file->name;
    }
  }

  Resource* resource_of(std::int64_t id) {
    const auto at = index_.find(id);
    return at == index_.end() ? nullptr : &node_.catalog.resources[at->second];
  }

  void add_parameters() {
    const Ids removed = ids_of(mend_.removed_parameters);
    const Texts values = texts_of(mend_.values);
    for (const HostImage::Parameter& row : host_.parameters) {
      Resource* const resource = resource_of(row.resource_id);
      if (resource == nullptr || removed.contains(row.id)) continue;
      add_value(resource->parameters, names_.parameters.find(row.name_id)->name,
                text_of(values, row.id, *row.value));
    }
  }

  void add_tags() {
    const Ids removed = ids_of(mend_.removed_tags);
    for (const HostImage::Tag& row : host_.tags) {
      Resource* const resource = resource_of(row.resource_id);
      if (resource == nullptr || removed.contains(row.id)) continue;
      resource->tags.push_back(lower_case(names_.tags.find(row.tag_id)->name));
    }
  }

  void add_facts() {
    const Ids removed = ids_of(mend_.removed_facts);
    const Texts values = texts_of(mend_.fact_values);
    for (const HostImage::Fact& row : host_.facts) {
      if (removed.contains(row.id)) continue;
      add_value(node_.facts.facts, names_.facts.find(row.name_id)->name,
                text_of(values, row.id, *row.value));
    }
  }

  // Rows of one name need not stand together.
  template <typename Named>
  static void add_value(std::vector<Named>& all, const std::string& name, std::string value) {
    auto at = std::ranges::find(all, name, &Named::name);
    if (at == all.end()) at = all.insert(at, Named{name, {}});
    at->values.push_back(std::move(value));
  }

  const HostImage& host_;
  NameImages& names_;
  const SqlDialect& dialect_;
  const HostMend mend_;
  NodeLine node_;
  std::unordered_map<std::int64_t, std::size_t> index_;  // of resources that stay, by id
};

// "YYYY-MM-DD HH:MM:SS": what every kind of database keeps of a timestamp.
constexpr std::size_t kWholeSeconds = 19;

std::string_view whole_seconds(const std::optional<std::string>& timestamp) {
  return timestamp ? std::string_view(*timestamp).substr(0, kWholeSeconds) : std::string_view();
}

// What a save takes for granted of a catalog (catalog.h), of a line that somebody may have edited.
// False: two resources are the same one.
bool make_well_formed(Catalog& catalog) {
  std::set<std::pair<std::string, std::string>> seen;
  for (Resource& resource : catalog.resources) {
    resource.type = reading::capitalised_type(resource.type);
    for (std::string& tag : resource.tags)
      tag = lower_case(tag);
    std::ranges::sort(resource.tags);
    const auto doubles = std::ranges::unique(resource.tags);
    resource.tags.erase(doubles.begin(), doubles.end());
    for (Parameter& parameter : resource.parameters) {
      for (std::string& value : parameter.values) {
        if (reads_as_garbled_yaml(value)) value = quoted_text(value);
      }
    }
    std::ranges::sort(resource.parameters, {}, &Parameter::name);
    const auto twice = std::ranges::adjacent_find(resource.parameters, {}, &Parameter::name);
    if (twice != resource.parameters.end()) return false;
    if (!seen.emplace(resource.type, resource.title).second) return false;
  }
  return true;
}

// A fact that only masters write (rule 19): a save leaves it out.
bool is_masters_own(const Fact& fact) {
  return fact.name == "_timestamp" || fact.name.starts_with("--- :_timestamp");
}

}  // namespace

Result<Exported> export_nodes(SqlConnection& db, const std::function<bool(std::string_view)>& take,
                              CareWatch& watch) {
  Exported outcome;
  NameImages names(db);
  names.load();
  HostImages images(db);
  const std::vector<HostName> hosts = host_names(db);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    watch.on_progress("nodes", i, hosts.size());
    db.run("BEGIN");
    const auto image = images.load(hosts[i].id);
    db.run("COMMIT");
    if (db.failed()) break;
    if (!image) continue;
    const NodeLine node = LineMaker(*image, names, db.dialect()).run();
    if (!take(to_json(node))) return outcome;
    ++outcome.nodes;
    outcome.resources += node.catalog.resources.size();
    outcome.facts += node.facts.facts.size();
  }
  const Status status = take_failure(db);
  if (db.in_transaction()) db.run("ROLLBACK");
  if (!status) return status.error();
  return outcome;
}

Import::Import(CatalogStore& store, SqlConnection& db, Newer newer)
    : store_(store),
      db_(db),
      newer_(newer),
      find_(db, "SELECT name, last_compile FROM hosts WHERE name = ?1"),
      update_(db, "UPDATE hosts SET last_compile = ?2, ip = ?3, environment = ?4 WHERE id = ?1") {}

Status Import::add(std::uint64_t number, std::string_view line) {
  auto node = parse_node_line(line);
  if (!node) {
    outcome_.refused.push_back({number, node.error().text});
    return kOk;
  }
  if (!make_well_formed(node->catalog)) {
    outcome_.refused.push_back({number, "it has a resource or a parameter twice"});
    return kOk;
  }
  const bool twice = std::ranges::any_of(waiting_, [&node](const Waiting& other) {
    return other.node.catalog.node == node->catalog.node;
  });
  if (twice || waiting_.size() == kNodesMax || bytes_ > kBytesMax) {
    if (const Status status = flush(); !status) return status;
  }
  if (newer_ == Newer::kKeep && is_newer_here(*node)) {
    ++outcome_.newer;
    return take_failure(db_);
  }
  bytes_ += line.size();
  waiting_.push_back({number, std::move(*node)});
  return take_failure(db_);
}

bool Import::is_newer_here(const NodeLine& node) {
  const std::string_view theirs = whole_seconds(node.last_compile);
  bool newer = false;
  find_.bind(1, std::string_view(node.catalog.node));
  while (find_.step()) {
    const bool named = find_.text(0) == node.catalog.node;
    newer = newer || (named && find_.text(1).substr(0, kWholeSeconds) > theirs);
  }
  return newer;
}

Status Import::flush() {
  if (const Status status = save_facts(); !status) return status;
  if (const Status status = save_catalogs(); !status) return status;
  const Status status = in_write_transaction(db_, [this] {
    for (const Waiting& waiting : waiting_) {
      if (waiting.fate != Waiting::Fate::kRefused) finish_host(waiting.node);
    }
  });
  if (!status) return status;
  for (const Waiting& waiting : waiting_) {
    outcome_.stored += waiting.fate == Waiting::Fate::kStored ? 1 : 0;
    outcome_.unchanged += waiting.fate == Waiting::Fate::kUnchanged ? 1 : 0;
  }
  waiting_.clear();
  bytes_ = 0;
  return kOk;
}

Status Import::save_facts() {
  std::vector<FactsSave> saves;
  for (const Waiting& waiting : waiting_)
    saves.emplace_back().facts = &waiting.node.facts;
  const auto outcomes = store_.save_facts(saves);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].status == SaveStatus::kSkipped) ++outcome_.facts_skipped;
    if (const Status status = note(waiting_[i], outcomes[i]); !status) return status;
  }
  return kOk;
}

Status Import::save_catalogs() {
  std::vector<CatalogSave> saves;
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (!waiting_[i].node.compiled || waiting_[i].fate == Waiting::Fate::kRefused) continue;
    saves.emplace_back().catalog = &waiting_[i].node.catalog;
    indexes.push_back(i);
  }
  const auto outcomes = store_.save(saves);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (const Status status = note(waiting_[indexes[i]], outcomes[i]); !status) return status;
  }
  return kOk;
}

Status Import::note(Waiting& waiting, const SaveOutcome& outcome) {
  if (outcome.status == SaveStatus::kTransient) return outcome.error;
  if (outcome.status == SaveStatus::kPermanent) refuse(waiting, outcome.error.text);
  if (outcome.status == SaveStatus::kStored) waiting.fate = Waiting::Fate::kStored;
  return kOk;
}

void Import::refuse(Waiting& waiting, const std::string& reason) {
  waiting.fate = Waiting::Fate::kRefused;
  outcome_.refused.push_back({waiting.number, reason});
}

void Import::finish_host(const NodeLine& node) {
  std::optional<std::string> last_compile = node.last_compile;
  if (last_compile && db_.dialect().second_digits == 0) {
    last_compile = std::string(whole_seconds(last_compile));
  }
  for (const std::int64_t id : hosts_named(db_, node.catalog.node)) {
    update_.bind(1, id)
        .bind_optional(2, last_compile)
        .bind_optional(3, node.ip)
        .bind_optional(4, node.environment)
        .run();
    if (std::ranges::any_of(node.facts.facts, is_masters_own)) add_own_facts(node, id);
  }
}

// So that the host stays one whose facts are written by masters.
void Import::add_own_facts(const NodeLine& node, std::int64_t host) {
  const std::string now = LocalTimestamps(db_.dialect().second_digits).now();
  NameImage names(db_, "fact_names", "name");
  names.load();
  SqlStatement there(db_,
                     "SELECT count(*) FROM fact_values WHERE host_id = ?1 AND fact_name_id = ?2");
  BulkInsert rows(db_, "fact_values", "value, fact_name_id, host_id", 3);
  for (const Fact& fact : node.facts.facts) {
    if (!is_masters_own(fact)) continue;
    std::int64_t id = names.oldest(fact.name);
    if (id == kNoRow) id = names.create(fact.name, now);
    there.bind(1, host).bind(2, id);
    const bool missing = there.step() && there.integer(0) == 0;
    there.reset();
    for (const std::string& value : fact.values) {
      if (missing) rows.add(now, std::string_view(value), id, host);
    }
  }
  static_cast<void>(rows.flush(now));
}

}  // namespace stompbox::catalog::care
