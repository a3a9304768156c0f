#include "storage/catalog/mysql_store.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "storage/catalog/catalog_work.h"
#include "storage/catalog/facts_work.h"
#include "storage/catalog/mysql_open.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::kOk;
using storage::Result;
using storage::Status;

// How many saves are looked at together. What they lack of names is made in one transaction.
constexpr std::size_t kWorksMax = 64;

// Those who look or care read whole tables, or have them rewritten.
constexpr std::chrono::milliseconds kCareTimeout = std::chrono::hours(1);

const std::string& node_of(const CatalogSave& save) {
  return save.catalog->node;
}
const std::string& node_of(const FactsSave& save) {
  return save.facts->node;
}

const Catalog*& content_of(CatalogSave& save) {
  return save.catalog;
}
const NodeFacts*& content_of(FactsSave& save) {
  return save.facts;
}

// For tables that we make, and until we know how theirs are declared.
std::string charset_to_make(const MysqlOptions& options) {
  return options.charset == "auto" ? "utf8mb4" : options.charset;
}

std::string charset_to_speak(const MysqlOptions& options, const MysqlTables& tables) {
  return options.charset == "auto" ? declared_charset(tables) : options.charset;
}

}  // namespace

std::vector<std::string> mysql_warnings(const MysqlServer& server, const MysqlTables& tables) {
  std::vector<std::string> warnings;
  if (!server.flushes_each_commit && !server.is_cluster) {
    warnings.emplace_back(
        "innodb_flush_log_at_trx_commit is not 1: a crash of the server may lose catalogs that are "
        "acknowledged");
  }
  for (const TableSpec& table : needed_tables()) {
    const auto engine = tables.engines.find(table.name);
    if (engine == tables.engines.end() || engine->second == "InnoDB") continue;
    warnings.push_back("table `" + std::string(table.name) + "` is of the engine " +
                       engine->second +
                       ", which has no transactions: a crash may leave half a catalog");
  }
  return warnings;
}

MysqlStore::MysqlStore(MysqlOptions options) : options_(std::move(options)) {}

StoreScope MysqlStore::scope() const {
  return options_.thin ? StoreScope::kExported : StoreScope::kAll;
}

Status MysqlStore::open() {
  close();
  auto opened = MysqlConnection::open(options_);
  if (!opened) return opened.error();
  MysqlConnection& db = **opened;
  const auto schema = ensure_mysql_schema(db, db.place(), charset_to_make(options_));
  if (!schema) return schema.error();
  const std::string charset = charset_to_speak(options_, schema->tables);
  db.speak(charset);
  if (db.failed()) return db.error();
  fit_.emplace(schema->tables, charset, db.server().packet_bytes_max);
  state_ = std::string(schema->origin == MysqlSchema::Origin::kMade ? "schema made now"
                                                                    : "schema as found");
  state_ += ", server " + db.server().version + ", character set " + charset;
  if (db.server().tls) state_ += ", TLS";
  if (db.server().is_cluster) state_ += ", cluster";
  for (const std::string& warning : mysql_warnings(db.server(), schema->tables))
    state_ += "; warning: " + warning;
  session_ = std::make_unique<DatabaseSession>(
      std::move(*opened), SessionOptions{scope(), options_.full_compare_every});
  batch_ = std::make_unique<MysqlBatch>(
      *session_, db, MysqlBatch::Limits{options_.transaction_max, options_.attempts_max});
  return kOk;
}

Status MysqlStore::ensure_open() {
  return session_ != nullptr ? kOk : open();
}

// The row is the one that whoever makes names takes first.
Status MysqlStore::probe() {
  if (Status opened = ensure_open(); !opened) return opened;
  SqlConnection& db = session_->db();
  db.run("START TRANSACTION");
  db.run("UPDATE " + std::string(kLocksTable) + " SET taken = taken + 1 WHERE name = 'names'");
  db.run("COMMIT");
  if (!db.failed()) return kOk;
  Status failed = db.error();
  close();
  return failed;
}

void MysqlStore::close() {
  batch_.reset();
  session_.reset();
  fit_.reset();
  state_.clear();
}

std::vector<SaveOutcome> MysqlStore::save(std::span<const CatalogSave> saves) {
  return save_each<CatalogWork>(saves);
}

std::vector<SaveOutcome> MysqlStore::save_facts(std::span<const FactsSave> saves) {
  return save_each<FactsWork>(saves);
}

template <typename Work, typename Save>
std::vector<SaveOutcome> MysqlStore::save_each(std::span<const Save> saves) {
  std::vector<std::optional<SaveOutcome>> found(saves.size());
  Status state = ensure_open();
  for (std::size_t at = 0; state && at < saves.size();) {
    at += save_window<Work>(saves.subspan(at), std::span(found).subspan(at));
    if (session_->db().failed()) state = session_->db().error();
  }
  if (!state) close();
  std::vector<SaveOutcome> outcomes;
  outcomes.reserve(saves.size());
  for (std::optional<SaveOutcome>& outcome : found) {
    if (!outcome) outcome = SaveOutcome{SaveStatus::kTransient, state.error(), {}};
    outcomes.push_back(std::move(*outcome));
  }
  return outcomes;
}

// What is to be saved: the message itself, or a copy in which something was replaced.
template <typename Save>
struct MysqlStore::Fitted {
  using Content = std::remove_cvref_t<decltype(*content_of(std::declval<Save&>()))>;
  Save save;
  std::unique_ptr<Content> copy;
  std::optional<Error> misfit;
};

template <typename Save>
MysqlStore::Fitted<Save> MysqlStore::fit(const Save& save) const {
  Fitted<Save> fitted{save, nullptr, misfit(save)};
  if (!fitted.misfit || !replaces()) return fitted;
  auto copy = std::make_unique<typename Fitted<Save>::Content>(*content_of(fitted.save));
  copy->warnings.clear();  // those were told by who has read it
  if (!replace(*copy)) return fitted;
  content_of(fitted.save) = copy.get();
  fitted.misfit = misfit(fitted.save);
  fitted.copy = std::move(copy);
  return fitted;
}

template <typename Work, typename Save>
std::size_t MysqlStore::save_window(std::span<const Save> saves,
                                    std::span<std::optional<SaveOutcome>> outcomes) {
  std::vector<std::unique_ptr<SaveWork>> works;
  std::vector<std::size_t> places;   // of the works
  std::vector<Fitted<Save>> fitted;  // by place; the works point into its copies
  std::unordered_set<std::string_view> nodes;
  for (; fitted.size() < saves.size() && works.size() < kWorksMax;) {
    const Save& save = saves[fitted.size()];
    if (!nodes.insert(node_of(save)).second) break;
    fitted.push_back(fit(save));
    if (auto& misfit = fitted.back().misfit) {
      outcomes[fitted.size() - 1] = SaveOutcome{SaveStatus::kPermanent, std::move(*misfit), {}};
      continue;
    }
    works.push_back(std::make_unique<Work>(*session_, checked(fitted.back().save)));
    places.push_back(fitted.size() - 1);
  }
  auto found = batch_->run(works);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& copy = fitted[places[i]].copy;
    if (found[i] && copy) std::ranges::copy(copy->warnings, std::back_inserter(found[i]->warnings));
    outcomes[places[i]] = std::move(found[i]);
  }
  return fitted.size();
}

bool MysqlStore::replaces() const {
  return options_.four_bytes == MysqlOptions::FourBytes::kReplace;
}

template <typename Content>
bool MysqlStore::replace(Content& content) const {
  const std::size_t count = fit_->replace_four_bytes(content);
  if (count == 0) return false;
  content.warnings.push_back("U+FFFD stands for " + std::to_string(count) +
                             " characters of four bytes of " + content.node +
                             ": the tables are declared in utf8 of three");
  return true;
}

std::optional<Error> MysqlStore::misfit(const CatalogSave& save) const {
  return fit_->misfit(*save.catalog, scope());
}

std::optional<Error> MysqlStore::misfit(const FactsSave& save) const {
  return fit_->misfit(*save.facts);
}

// What an outline stands for is measured when it is read.
CatalogSave MysqlStore::checked(const CatalogSave& save) const {
  CatalogSave made = save;
  if (!save.read_whole) return made;
  made.read_whole = [this, read = save.read_whole]() -> Result<Catalog> {
    Result<Catalog> whole = read();
    if (!whole) return whole;
    auto error = fit_->misfit(*whole, scope());
    if (error && replaces() && replace(*whole)) error = fit_->misfit(*whole, scope());
    if (error) return std::move(*error);
    return whole;
  };
  return made;
}

FactsSave MysqlStore::checked(const FactsSave& save) const {
  return save;
}

std::string MysqlStore::description() const {
  const std::string text = "MySQL " + place_of(options_);
  return text + (session_ == nullptr ? " (not open)" : " (" + state_ + ")");
}

std::unique_ptr<CatalogStore> make_mysql_store(MysqlOptions options) {
  return std::make_unique<MysqlStore>(std::move(options));
}

Result<std::unique_ptr<SqlConnection>> open_mysql_connection(const MysqlOptions& options,
                                                             MysqlUse use) {
  MysqlOptions patient = options;
  patient.io_timeout = std::max(options.io_timeout, kCareTimeout);
  auto opened = MysqlConnection::open(patient);
  if (!opened) return opened.error();
  MysqlConnection& db = **opened;
  // All that a transaction reads is of one moment.
  if (use == MysqlUse::kRead) db.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  MysqlTables tables = inspect_mysql(db);
  if (db.failed()) return db.error();
  if (const Status fits = check_mysql_schema(tables, db.place()); !fits) return fits.error();
  if (use == MysqlUse::kWrite) {
    const auto schema = ensure_mysql_schema(db, db.place(), charset_to_make(options));
    if (!schema) return schema.error();
  }
  db.speak(charset_to_speak(options, tables));
  if (db.failed()) return db.error();
  return std::unique_ptr<SqlConnection>(std::move(*opened));
}

}  // namespace stompbox::catalog
