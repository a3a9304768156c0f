#include "storage/catalog/sqlite_catalog_work.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "storage/catalog/schema.h"

namespace stompbox::catalog {
namespace {

std::string recorded_digest(const std::string& digest, StoreScope scope) {
  if (digest.empty()) return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = scope == StoreScope::kAll ? "all:" : "exported:";
  for (const char c : digest) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

// What the stored rows add up to, so that a later look need not read them.
Witness witness_of(const StoredRows& stored) {
  Witness witness;
  for (const StoredResource& row : stored.resources)
    witness.resources.add(row.id, row.updated_at);
  for (const StoredParameter& row : stored.parameters) {
    witness.parameters.add(row.id, row.updated_at);
  }
  for (const StoredTag& row : stored.tags)
    witness.tags.add(row.id, {});
  return witness;
}

std::size_t rows_of(const Resource& resource) {
  std::size_t count = 1 + resource.tags.size();
  for (const Parameter& parameter : resource.parameters)
    count += parameter.values.size();
  return count;
}

std::size_t rows_of(const CatalogDiff& diff) {
  std::size_t count = diff.removed_resources.size() * 8 + diff.removed_parameters.size() +
                      diff.removed_tags.size() + diff.changed_resources.size() +
                      diff.new_tags.size();
  for (const auto& added : diff.new_parameters)
    count += added.parameter->values.size();
  for (const Resource* resource : diff.new_resources)
    count += rows_of(*resource);
  return count;
}

void create_missing(SqliteNames& names, const std::set<std::string_view>& wanted,
                    std::string_view now) {
  for (std::string_view name : wanted) {
    if (names.id_of(name) == kNoRow) names.create(name, now);
  }
}

}  // namespace

SqliteCatalogWork::SqliteCatalogWork(SqliteSession& session, const CatalogSave& save)
    : session_(session),
      catalog_(*save.catalog),
      arrival_(save.arrival),
      digest_(recorded_digest(save.catalog->digest, session.options.scope)) {}

void SqliteCatalogWork::plan() {
  epoch_ = session_.epoch();
  host_ = session_.hosts.find(node());
  record_ = session_.nodes.find(node());
  diff_ = {};
  ip_.reset();
  environment_.reset();
  row_count_ = 2;
  if (record_ && is_superseded(arrival_, record_->catalog_arrival)) {
    action_ = Action::kNothing;
    return;
  }
  const bool known = session_.is_known(node());
  if (is_unchanged()) {
    action_ = Action::kTouch;
    witness_ = record_->witness;
  } else {
    action_ = Action::kWrite;
    compare();
  }
  // What is known includes the facts: their columns were set then.
  if (!known) plan_host_columns();
  if (!catalog_.environment.empty()) environment_ = catalog_.environment;
}

// The digest short-cut (DESIGN §4).
bool SqliteCatalogWork::is_unchanged() {
  if (!record_ || host_.id == kNoRow || record_->host_id != host_.id || !host_.twins.empty()) {
    return false;
  }
  if (digest_.empty() || record_->digest != digest_) return false;
  if (record_->saves_since_compare + 1 >= session_.options.full_compare_every) return false;
  if (session_.is_known(node())) return true;
  if (session_.rows.witness(host_.id).text() != record_->witness) return false;
  session_.set_known(node());
  return true;
}

void SqliteCatalogWork::compare() {
  StoredRows stored;
  const WantedRows wanted = wanted_rows(catalog_, session_.options.scope, session_.names);
  if (host_.id != kNoRow) stored = session_.rows.load(host_.id);
  witness_ = witness_of(stored).text();
  diff_ = diff_catalog(stored, wanted, session_.options.scope);
  // A twin's resources would be collected beside ours, by this node itself too (rule 6).
  for (const std::int64_t twin : host_.twins) {
    for (const std::int64_t id : session_.rows.resource_ids(twin)) {
      diff_.removed_resources.push_back(id);
    }
  }
  row_count_ += rows_of(diff_);
}

// From the stored facts (4.2); the message's environment goes before.
void SqliteCatalogWork::plan_host_columns() {
  SqliteHosts::StoredFacts facts;
  if (host_.id != kNoRow) facts = session_.hosts.facts_of(host_.id);
  ip_ = std::move(facts.ip);
  environment_ = std::move(facts.environment);
  if (!environment_ && host_.environment) {
    environment_ = environment_in_yaml(*host_.environment);
  }
}

bool SqliteCatalogWork::is_current() {
  if (epoch_ == session_.epoch()) return true;
  const HostRow host = session_.hosts.find(node());
  if (host.id != host_.id || host.twins != host_.twins || !host.twins.empty()) return false;
  if (session_.nodes.find(node()) != record_) return false;
  if (host.id != kNoRow && session_.rows.witness(host.id).text() != witness_) return false;
  epoch_ = session_.epoch();
  return true;
}

void SqliteCatalogWork::apply(std::string_view now) {
  if (host_.id == kNoRow) {
    host_.id = session_.hosts.create(node(), now);
    made_host_ = true;
  }
  if (action_ == Action::kWrite) {
    create_names(now);
    remove_rows();
    insert_rows(now);
  }
  session_.hosts.touch(host_.id, now, ip_, environment_);
  put_record(now);
  session_.set_known(node());
}

// In sorted order, so that two writers never wait for each other crosswise.
void SqliteCatalogWork::create_names(std::string_view now) {
  std::set<std::string_view> parameters, tags, files;
  bool null_file = false;
  const auto add_resource = [&](const Resource& resource) {
    for (const Parameter& parameter : resource.parameters)
      parameters.insert(parameter.name);
    tags.insert(resource.tags.begin(), resource.tags.end());
    if (resource.file) files.insert(*resource.file);
    null_file = null_file || !resource.file;
  };
  for (const Resource* resource : diff_.new_resources)
    add_resource(*resource);
  for (const auto& added : diff_.new_parameters)
    parameters.insert(added.parameter->name);
  for (const auto& added : diff_.new_tags)
    tags.insert(*added.tag);
  for (const auto& change : diff_.changed_resources) {
    if (change.wanted->file) files.insert(*change.wanted->file);
  }
  create_missing(session_.names.parameters, parameters, now);
  create_missing(session_.names.tags, tags, now);
  create_missing(session_.names.files, files, now);
  if (null_file && session_.names.files.id_of_null() == kNoRow) {
    session_.names.files.create_null(now);
  }
}

void SqliteCatalogWork::remove_rows() {
  for (const std::int64_t id : diff_.removed_resources)
    session_.writer.remove_resource(id);
  for (const std::int64_t id : diff_.removed_parameters)
    session_.writer.remove_parameter(id);
  for (const std::int64_t id : diff_.removed_tags)
    session_.writer.remove_tag(id);
}

void SqliteCatalogWork::insert_rows(std::string_view now) {
  after_ = diff_.kept;
  for (const auto& change : diff_.changed_resources) {
    session_.writer.update_resource(change.id, *change.wanted, now);
    after_.resources.touch(now);
  }
  for (const Resource* resource : diff_.new_resources)
    insert_resource(*resource, now);
  for (const auto& added : diff_.new_parameters) {
    session_.writer.insert_parameter(added.resource_id, *added.parameter, now);
  }
  for (const auto& added : diff_.new_tags) {
    session_.writer.insert_tag(added.resource_id, *added.tag, now);
  }
  const SqliteWriter::Flushed flushed = session_.writer.flush(now);
  if (flushed.parameters.count > 0) {
    after_.parameters.add(flushed.parameters.last_id, now);
    after_.parameters.count += flushed.parameters.count - 1;
  }
  if (flushed.tags.count > 0) {
    after_.tags.add(flushed.tags.last_id, {});
    after_.tags.count += flushed.tags.count - 1;
  }
}

void SqliteCatalogWork::insert_resource(const Resource& resource, std::string_view now) {
  const std::int64_t id = session_.writer.insert_resource(host_.id, resource, now);
  after_.resources.add(id, now);
  for (const Parameter& parameter : resource.parameters) {
    session_.writer.insert_parameter(id, parameter, now);
  }
  for (const std::string& tag : resource.tags)
    session_.writer.insert_tag(id, tag, now);
}

void SqliteCatalogWork::put_record(std::string_view now) {
  NodeRecord record;
  record.host_id = host_.id;
  record.digest = digest_;
  record.catalog_arrival = arrival_;
  if (action_ == Action::kTouch) {
    record.witness = witness_;
    record.saves_since_compare = record_->saves_since_compare + 1;
  } else {
    record.witness = after_.text();
  }
  session_.nodes.put_catalog(node(), record, now);
}

SaveOutcome SqliteCatalogWork::outcome() const {
  SaveOutcome outcome;
  if (action_ == Action::kNothing) outcome.status = SaveStatus::kSuperseded;
  const bool wrote = action_ == Action::kWrite && (made_host_ || !diff_.empty());
  if (writes() && !wrote) outcome.status = SaveStatus::kUnchanged;
  if (writes() && !host_.twins.empty()) {
    outcome.warnings.push_back("table `hosts` has " + std::to_string(host_.twins.size() + 1) +
                               " rows for " + node() + ": the one with id " +
                               std::to_string(host_.id) + " is used");
  }
  return outcome;
}

}  // namespace stompbox::catalog
