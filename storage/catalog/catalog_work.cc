#include "storage/catalog/catalog_work.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/catalog/node_changes.h"
#include "storage/catalog/schema.h"
#include "storage/catalog/schema_time.h"

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

std::uint64_t fingerprint_of(const WantedRows& wanted, const WantedRows::Row& row) {
  const Resource& resource = *row.resource;
  const std::size_t count = resource.parameters.size() + resource.tags.size();
  return fingerprint_of(resource, row.source_file_id,
                        std::span(wanted.ids).subspan(row.ids_begin, count));
}

std::uint64_t bond_of(const NodeRecord& record) {
  return fingerprint_bond(record.host_id, record.digest, record.witness);
}

// A catalog beside the fingerprints of what is stored.
struct Matches {
  std::vector<Fingerprint> same;
  std::vector<std::int64_t> other_ids;  // stored ones, ascending
  std::vector<WantedRows::Row> other_rows;
};

// Nothing else that is stored has the type and title of what is the same: either has them once.
Matches match(const WantedRows& wanted, std::vector<Fingerprint> recorded) {
  Matches matches;
  std::vector<bool> found(recorded.size(), false);
  std::ranges::sort(recorded, {}, &Fingerprint::hash);
  for (const WantedRows::Row& row : wanted.rows) {
    const std::uint64_t hash = fingerprint_of(wanted, row);
    const auto at = std::ranges::lower_bound(recorded, hash, {}, &Fingerprint::hash);
    const auto place = static_cast<std::size_t>(at - recorded.begin());
    if (at == recorded.end() || at->hash != hash || found[place]) {
      matches.other_rows.push_back(row);
    } else {
      matches.same.push_back(*at);
      found[place] = true;
    }
  }
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    if (!found[i]) matches.other_ids.push_back(recorded[i].resource_id);
  }
  std::ranges::sort(matches.other_ids);
  return matches;
}

}  // namespace

CatalogWork::CatalogWork(DatabaseSession& session, const CatalogSave& save)
    : session_(session),
      catalog_(save.catalog),
      read_whole_(save.read_whole),
      arrival_(save.arrival),
      arrived_ms_(save.arrived_ms),
      digest_(recorded_digest(save.catalog->digest, session.options.scope)) {}

void CatalogWork::add_names(NameSets& wanted) const {
  CatalogNames& names = session_.names;
  const auto want = [](NamesTable& table, std::set<std::string_view>& texts,
                       const std::string& text) {
    if (table.id_of(text) == kNoRow) texts.insert(text);
  };
  for (const Resource* resource : diff_.new_resources) {
    for (const Parameter& parameter : resource->parameters)
      want(names.parameters, wanted.parameters, parameter.name);
    for (const std::string& tag : resource->tags)
      want(names.tags, wanted.tags, tag);
    if (resource->file) want(names.files, wanted.files, *resource->file);
    wanted.null_file = wanted.null_file || !resource->file;
  }
  for (const auto& added : diff_.new_parameters)
    want(names.parameters, wanted.parameters, added.parameter->name);
  for (const auto& added : diff_.new_tags)
    want(names.tags, wanted.tags, *added.tag);
  for (const auto& change : diff_.changed_resources) {
    if (change.wanted->file) want(names.files, wanted.files, *change.wanted->file);
  }
}

void CatalogWork::plan() {
  epoch_ = session_.epoch();
  host_ = session_.hosts.find(node());
  record_ = session_.nodes.find(node());
  diff_ = {};
  same_.clear();
  changes_.reset();
  ip_.reset();
  environment_.reset();
  row_count_ = 2;
  if (record_ && is_superseded(arrival_, record_->catalog_arrival)) {
    action_ = Action::kNothing;
    if (read_whole_) read_whole();  // what cannot be read is told all the same (P7)
    return;
  }
  const bool known = session_.is_known(node());
  bool unchanged = is_unchanged();
  if (!unchanged && read_whole_) {
    read_whole();
    unchanged = !unreadable_ && is_unchanged();  // of a mended text the digest is another one
  }
  if (unreadable_) {
    action_ = Action::kNothing;
    return;
  }
  if (unchanged) {
    action_ = Action::kTouch;
    witness_ = record_->witness;
  } else {
    action_ = Action::kWrite;
    compare();
  }
  // What is known includes the facts: their columns were set then.
  if (!known) plan_host_columns();
  if (!catalog_->environment.empty()) environment_ = catalog_->environment;
}

// The digest short-cut (DESIGN §4).
bool CatalogWork::is_unchanged() {
  return !digest_.empty() && record_ && record_->digest == digest_ && is_as_recorded();
}

// Whether the rows are those that our record tells of, as far as that may be believed.
bool CatalogWork::is_as_recorded() {
  if (!record_ || host_.id == kNoRow || record_->host_id != host_.id || !host_.twins.empty()) {
    return false;
  }
  if (record_->saves_since_compare + 1 >= session_.options.full_compare_every) return false;
  if (session_.is_known(node())) return true;
  if (session_.rows.witness(host_.id).text() != record_->witness) return false;
  session_.set_known(node());
  return true;
}

void CatalogWork::read_whole() {
  auto whole = std::exchange(read_whole_, nullptr)();
  if (!whole) {
    unreadable_ = whole.error();
    return;
  }
  if (whole->node != node()) {  // somebody wrote it so that two readers read two things
    unreadable_ = {storage::ErrorCode::kInvalid,
                   "the catalog is of " + node() + " at a first look, and of " + whole->node};
    return;
  }
  whole_ = std::move(*whole);
  catalog_ = &whole_;
  digest_ = recorded_digest(whole_.digest, session_.options.scope);
}

void CatalogWork::compare() {
  wanted_ = wanted_rows(*catalog_, session_.options.scope, session_.names);
  some_compared_ = compare_some();
  if (!some_compared_) compare_all();
  row_count_ += rows_of(diff_);
}

// False: all rows have to be read.
bool CatalogWork::compare_some() {
  if (!record_ || record_->digest.empty() || !is_as_recorded()) return false;
  const auto witness = witness_in(record_->witness);
  auto recorded = fingerprints_in(session_.nodes.fingerprints(node()), bond_of(*record_));
  // There are rows without one where they are not ours (StoreScope::kExported).
  const bool all = witness && recorded &&
                   witness->resources.count == static_cast<std::int64_t>(recorded->size());
  if (!all) return false;
  Matches matches = match(wanted_, std::move(*recorded));
  StoredRows stored = session_.rows.load_some(host_.id, matches.other_ids);
  if (stored.resources.size() != matches.other_ids.size()) return false;
  stored.left_out_count = matches.same.size();
  same_ = std::move(matches.same);
  wanted_.rows = std::move(matches.other_rows);
  before_ = *witness;
  note_differences(stored);
  return true;
}

void CatalogWork::compare_all() {
  StoredRows stored;
  if (host_.id != kNoRow) stored = session_.rows.load(host_.id);
  before_ = witness_of(stored);
  note_differences(stored);
  // A twin's resources would be collected beside ours, by this node itself too (rule 6).
  for (const std::int64_t twin : host_.twins) {
    for (const std::int64_t id : session_.rows.resource_ids(twin)) {
      diff_.removed_resources.push_back(id);
    }
  }
}

void CatalogWork::note_differences(const StoredRows& stored) {
  witness_ = before_.text();
  diff_ = diff_catalog(stored, wanted_, session_.options.scope);
  after_ = rest_of(before_, witness_of(stored), diff_.kept);
  if (diff_.empty()) return;
  changes_ = to_text(changes_of(stored, diff_, session_.names.parameters));
}

// From the stored facts (4.2); the message's environment goes before.
void CatalogWork::plan_host_columns() {
  HostsTable::StoredFacts facts;
  if (host_.id != kNoRow) facts = session_.hosts.facts_of(host_.id);
  ip_ = std::move(facts.ip);
  environment_ = std::move(facts.environment);
  if (!environment_ && host_.environment) {
    environment_ = environment_in_yaml(*host_.environment);
  }
}

bool CatalogWork::is_current() {
  if (epoch_ == session_.epoch()) return true;
  const HostRow host = session_.hosts.find(node());
  if (host.id != host_.id || host.twins != host_.twins || !host.twins.empty()) return false;
  if (session_.nodes.find(node()) != record_) return false;
  if (host.id != kNoRow && session_.rows.witness(host.id).text() != witness_) return false;
  epoch_ = session_.epoch();
  return true;
}

void CatalogWork::apply(std::string_view now) {
  if (host_.id == kNoRow) {
    host_.id = session_.hosts.create(node(), now);
    made_host_ = true;
  }
  if (action_ == Action::kWrite) {
    NameSets missing;
    add_names(missing);
    session_.create_names(missing, now);
    remove_rows();
    insert_rows(now);
    if (some_compared_ && !is_as_high(after_, before_)) after_ = session_.rows.witness(host_.id);
  }
  session_.hosts.touch(host_.id, now, ip_, environment_);
  put_record(now);
  session_.set_known(node());
}

void CatalogWork::remove_rows() {
  for (const std::int64_t id : diff_.removed_resources)
    session_.writer.remove_resource(id);
  for (const std::int64_t id : diff_.removed_parameters)
    session_.writer.remove_parameter(id);
  for (const std::int64_t id : diff_.removed_tags)
    session_.writer.remove_tag(id);
}

void CatalogWork::insert_rows(std::string_view now) {
  for (const auto& change : diff_.changed_resources) {
    session_.writer.update_resource(change.id, *change.wanted, now);
    after_.resources.touch(now);
  }
  insert_resources(now);
  for (const auto& added : diff_.new_parameters) {
    session_.writer.insert_parameter(added.resource_id, *added.parameter, now);
  }
  for (const auto& added : diff_.new_tags) {
    session_.writer.insert_tag(added.resource_id, *added.tag, now);
  }
  const RowWriter::Inserted inserted = session_.writer.flush(now);
  for (const std::int64_t id : inserted.parameters)
    after_.parameters.add(id, to_seconds(time_of_rows(now)));
  for (const std::int64_t id : inserted.tags)
    after_.tags.add(id, {});
}

std::string_view CatalogWork::time_of_rows(std::string_view now) const {
  return session_.options.row_times == RowTimes::kWritten ? now : std::string_view();
}

void CatalogWork::insert_resources(std::string_view now) {
  new_ids_ = session_.writer.insert_resources(host_.id, diff_.new_resources, now);
  for (std::size_t i = 0; i < new_ids_.size(); ++i) {
    const Resource& resource = *diff_.new_resources[i];
    after_.resources.add(new_ids_[i], time_of_rows(now));
    for (const Parameter& parameter : resource.parameters)
      session_.writer.insert_parameter(new_ids_[i], parameter, now);
    for (const std::string& tag : resource.tags)
      session_.writer.insert_tag(new_ids_[i], tag, now);
  }
}

void CatalogWork::put_record(std::string_view now) {
  NodeRecord record;
  record.host_id = host_.id;
  record.digest = digest_;
  record.catalog_arrival = arrival_;
  record.witness = action_ == Action::kTouch ? witness_ : after_.text();
  const bool all_compared = action_ == Action::kWrite && !some_compared_;
  if (!all_compared) record.saves_since_compare = record_->saves_since_compare + 1;
  SaveNotes notes{lag_ms(), changes_, {}};
  if (action_ == Action::kWrite) notes.fingerprints = fingerprints(record);
  session_.nodes.put_catalog(node(), record, notes, now);
}

std::string CatalogWork::fingerprints(const NodeRecord& record) {
  if (record.digest.empty()) return {};
  std::vector<Fingerprint> all = same_;
  for (const auto& kept : diff_.kept_resources)
    all.push_back({kept.id, fingerprint(kept.place)});
  for (std::size_t i = 0; i < new_ids_.size(); ++i)
    all.push_back({new_ids_[i], fingerprint(diff_.new_places[i])});
  return to_text(std::move(all), bond_of(record));
}

// With the ids of names that had no row when the plan was made.
std::uint64_t CatalogWork::fingerprint(std::size_t place) {
  WantedRows::Row& row = wanted_.rows[place];
  const Resource& resource = *row.resource;
  CatalogNames& names = session_.names;
  auto id = wanted_.ids.begin() + static_cast<std::ptrdiff_t>(row.ids_begin);
  const auto fill = [&id](NamesTable& table, const std::string& name) {
    if (*id == kNoRow) *id = table.id_of(name);
    ++id;
  };
  for (const Parameter& parameter : resource.parameters)
    fill(names.parameters, parameter.name);
  for (const std::string& tag : resource.tags)
    fill(names.tags, tag);
  if (resource.file && row.source_file_id == kNoRow) {
    row.source_file_id = names.files.id_of(*resource.file);
  }
  return fingerprint_of(wanted_, row);
}

std::optional<std::int64_t> CatalogWork::lag_ms() const {
  if (arrived_ms_ == 0) return std::nullopt;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return std::max<std::int64_t>(0, now_ms - arrived_ms_);
}

SaveOutcome CatalogWork::outcome() const {
  if (unreadable_) return {SaveStatus::kPermanent, *unreadable_, {}, true};
  SaveOutcome outcome;
  outcome.warnings = whole_.warnings;
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
