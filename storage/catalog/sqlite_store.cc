#include "storage/catalog/sqlite_store.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "storage/catalog/catalog_work.h"
#include "storage/catalog/facts_work.h"
#include "storage/catalog/sqlite_open.h"

namespace stompbox::catalog {
namespace {

using storage::kOk;
using storage::Result;
using storage::Status;

// How many saves are planned ahead of the lock. Plans hold row ids and point into the catalogs.
constexpr std::size_t kWorksMax = 64;

// What a connection keeps in memory; bounded, and the same whatever the size of the database.
constexpr const char* kConnectionSettings =
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768; PRAGMA journal_size_limit=67108864;"
    // The pages of the indices change with every save: the fewer the checkpoints, the fewer times
    // each of them is written into the file.
    " PRAGMA wal_autocheckpoint=8192;";

// A page that is written before the commit stops all readers until then.
constexpr const char* kRollbackSettings = "PRAGMA cache_spill=OFF";

const std::string& node_of(const CatalogSave& save) {
  return save.catalog->node;
}
const std::string& node_of(const FactsSave& save) {
  return save.facts->node;
}

}  // namespace

Status SqliteStore::open() {
  close();
  const Result<FileState> file = prepare_file(options_);
  if (!file) return file.error();
  if (const Status access = check_access(options_.path); !access) return access;
  auto connection =
      SqliteConnection::open(options_.path, SqliteAccess::kReadWrite, options_.busy_timeout);
  if (!connection) return connection.error();
  SqliteConnection& db = **connection;
  db.run(kConnectionSettings);
  const Result<SchemaOrigin> schema = ensure_schema(db, options_.path);
  if (!schema) return schema.error();
  schema_ = *schema;
  journal_mode_ = text_of(db, "PRAGMA journal_mode").value_or("unknown");
  const RowTimes times = row_times_in(db);
  if (db.failed()) return db.error();
  std::optional<SqliteNeighbours> neighbours;
  if (journal_mode_ != "wal") {
    db.run(kRollbackSettings);
    neighbours.emplace(options_.path);
  }
  file_ = identity_of(options_.path);
  session_ = std::make_unique<DatabaseSession>(
      std::move(*connection),
      SessionOptions{options_.thin ? StoreScope::kExported : StoreScope::kAll,
                     options_.full_compare_every, times});
  batch_ = std::make_unique<SqliteBatch>(db, *session_, options_.lock_max, neighbours);
  return kOk;
}

Status SqliteStore::ensure_open() {
  if (session_ != nullptr && identity_of(options_.path) == file_) return kOk;
  return open();
}

Status SqliteStore::probe() {
  if (Status opened = ensure_open(); !opened) return opened;
  SqlConnection& db = session_->db();
  db.run("BEGIN IMMEDIATE");
  db.run("COMMIT");
  if (!db.failed()) return kOk;
  Status failed = db.error();
  close();
  return failed;
}

void SqliteStore::close() {
  batch_.reset();
  session_.reset();
  file_.reset();
}

std::vector<SaveOutcome> SqliteStore::save(std::span<const CatalogSave> saves) {
  return save_each<CatalogWork>(saves);
}

std::vector<SaveOutcome> SqliteStore::save_facts(std::span<const FactsSave> saves) {
  return save_each<FactsWork>(saves);
}

template <typename Work, typename Save>
std::vector<SaveOutcome> SqliteStore::save_each(std::span<const Save> saves) {
  std::vector<SaveOutcome> outcomes;
  outcomes.reserve(saves.size());
  Status state = ensure_open();
  while (state && outcomes.size() < saves.size()) {
    const auto works = next_works<Work>(saves.subspan(outcomes.size()));
    std::ranges::move(batch_->run(works), std::back_inserter(outcomes));
    if (session_->db().failed()) state = session_->db().error();
  }
  if (state) return outcomes;
  close();
  outcomes.resize(saves.size(), SaveOutcome{SaveStatus::kTransient, state.error(), {}});
  return outcomes;
}

// As many as may be planned together: none of them sees what another one of them writes.
template <typename Work, typename Save>
std::vector<std::unique_ptr<SaveWork>> SqliteStore::next_works(std::span<const Save> saves) {
  std::vector<std::unique_ptr<SaveWork>> works;
  std::unordered_set<std::string_view> nodes;
  for (const Save& save : saves.first(std::min(saves.size(), kWorksMax))) {
    if (!nodes.insert(node_of(save)).second) break;
    works.push_back(std::make_unique<Work>(*session_, save));
  }
  return works;
}

std::string SqliteStore::description() const {
  std::string text = "SQLite " + options_.path;
  if (session_ == nullptr) return text + " (not open)";
  text += schema_ == SchemaOrigin::kMade ? " (schema made now" : " (schema as found";
  return text + ", journal mode " + journal_mode_ + ")";
}

std::unique_ptr<CatalogStore> make_sqlite_store(SqliteOptions options) {
  return std::make_unique<SqliteStore>(std::move(options));
}

}  // namespace stompbox::catalog
