#include "storage/catalog/sqlite_schema.h"

#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

// Facts 3.3: names, types and order as ActiveRecord writes them. Of the indices, which readers do
// not notice (5.4), four that no query of Puppet needs are left out, each of which costs about as
// much as the rows themselves (of param_name_id, source_file_id, puppet_tag_id, and of title and
// restype), and two for collectors are added (of restype and exported, and of a tag's name).
constexpr std::string_view kFreshSchema = R"sql(
CREATE TABLE "resources" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "title" text NOT NULL,
 "restype" varchar(255) NOT NULL, "host_id" integer, "source_file_id" integer, "exported" boolean,
 "line" integer, "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_resources_on_host_id" ON "resources" ("host_id");
CREATE INDEX "index_resources_on_restype_and_exported" ON "resources" ("restype", "exported");
CREATE TABLE "source_files" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "filename" varchar(255), "path" varchar(255), "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_source_files_on_filename" ON "source_files" ("filename");
CREATE TABLE "resource_tags" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "resource_id" integer, "puppet_tag_id" integer, "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_resource_tags_on_resource_id_and_puppet_tag_id"
 ON "resource_tags" ("resource_id", "puppet_tag_id");
CREATE TABLE "puppet_tags" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "name" varchar(255),
 "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_puppet_tags_on_id" ON "puppet_tags" ("id");
CREATE INDEX "index_puppet_tags_on_name" ON "puppet_tags" ("name");
CREATE TABLE "hosts" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "name" varchar(255) NOT NULL, "ip" varchar(255), "environment" text, "last_compile" datetime,
 "last_freshcheck" datetime, "last_report" datetime, "updated_at" datetime,
 "source_file_id" integer, "created_at" datetime);
CREATE INDEX "index_hosts_on_source_file_id" ON "hosts" ("source_file_id");
CREATE INDEX "index_hosts_on_name" ON "hosts" ("name");
CREATE TABLE "fact_names" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "name" varchar(255) NOT NULL, "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_fact_names_on_name" ON "fact_names" ("name");
CREATE TABLE "fact_values" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "value" text NOT NULL,
 "fact_name_id" integer NOT NULL, "host_id" integer NOT NULL, "updated_at" datetime,
 "created_at" datetime);
CREATE INDEX "index_fact_values_on_fact_name_id" ON "fact_values" ("fact_name_id");
CREATE INDEX "index_fact_values_on_host_id" ON "fact_values" ("host_id");
CREATE TABLE "param_values" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "value" text NOT NULL, "param_name_id" integer NOT NULL, "line" integer, "resource_id" integer,
 "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_param_values_on_resource_id" ON "param_values" ("resource_id");
CREATE TABLE "param_names" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "name" varchar(255) NOT NULL, "updated_at" datetime, "created_at" datetime);
CREATE INDEX "index_param_names_on_name" ON "param_names" ("name");
CREATE TABLE "inventory_nodes" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "name" varchar(255) NOT NULL, "timestamp" datetime NOT NULL, "updated_at" datetime,
 "created_at" datetime);
CREATE UNIQUE INDEX "index_inventory_nodes_on_name" ON "inventory_nodes" ("name");
CREATE TABLE "inventory_facts" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
 "node_id" integer NOT NULL, "name" varchar(255) NOT NULL, "value" text NOT NULL);
CREATE UNIQUE INDEX "index_inventory_facts_on_node_id_and_name"
 ON "inventory_facts" ("node_id", "name");
)sql";

// Our mark in a database that we have made: PRAGMA user_version, which nobody else uses.
constexpr int kOfOurMaking = 1;

std::string mark() {
  return "PRAGMA user_version=" + std::to_string(kOfOurMaking) + ";";
}

std::string own_table() {
  return "\"" + std::string(kOwnTable) + "\"";
}

std::string own_schema() {
  std::string sql = "CREATE TABLE " + own_table() + " (\"name\" varchar(255) PRIMARY KEY NOT NULL";
  for (const OwnColumn& column : own_columns()) {
    sql += ", \"" + std::string(column.name) + "\" " + std::string(column.sqlite_type);
  }
  return sql + ");";  // WITHOUT ROWID would lock out libraries before SQLite 3.8.2
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Runs the statements in one transaction, unless `unwanted` is true under the lock.
template <typename Unwanted>
void change_schema(SqliteConnection& db, const std::string& sql, Unwanted unwanted) {
  db.run("BEGIN IMMEDIATE");
  if (!db.failed() && !unwanted()) db.run(sql);
  if (!db.failed()) return db.run("COMMIT");
  if (db.in_transaction()) sqlite3_exec(db.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

// What our own table lacks: all of it, or columns that an older program did not have.
std::string own_table_changes(const FoundTables& found) {
  const auto at = found.find(kOwnTable);
  if (at == found.end()) return own_schema();
  std::string sql;
  for (const OwnColumn& column : own_columns()) {
    if (at->second.contains(column.name)) continue;
    sql += "ALTER TABLE " + own_table() + " ADD COLUMN \"" + std::string(column.name) + "\" " +
           std::string(column.sqlite_type) + ";";
  }
  return sql;
}

// Durable commits before the ack (DESIGN §4). In DELETE mode only EXTRA syncs the folder after the
// journal has gone.
void set_durability(SqliteConnection& db) {
  const std::optional<std::string> journal = text_of(db, "PRAGMA journal_mode");
  db.run(journal == "wal" ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=EXTRA");
}

Error strangers(const std::string& path, const std::string& mismatch) {
  return {ErrorCode::kInvalid, "the catalog database " + path +
                                   " is not one of Puppet's storeconfigs (" + mismatch +
                                   "): name another file, and it is made"};
}

}  // namespace

std::string fresh_schema() {
  return std::string(kFreshSchema);
}

FoundTables inspect_tables(SqliteConnection& db) {
  FoundTables found;
  SqlStatement columns(db,
                       "SELECT t.name, c.name, c.\"notnull\", c.dflt_value, c.pk"
                       " FROM sqlite_master t JOIN pragma_table_info(t.name) c"
                       " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  while (columns.step()) {
    const bool required = columns.integer(2) != 0 && columns.is_null(3) && columns.integer(4) == 0;
    found[lower(columns.text(0))][lower(columns.text(1))] = FoundColumn{required};
  }
  return found;
}

RowTimes row_times_in(SqliteConnection& db) {
  return integer_of(db, "PRAGMA user_version") == kOfOurMaking ? RowTimes::kNull
                                                               : RowTimes::kWritten;
}

Result<SchemaOrigin> ensure_schema(SqliteConnection& db, const std::string& path) {
  FoundTables found = inspect_tables(db);
  SchemaOrigin origin = SchemaOrigin::kFound;
  if (!db.failed() && found.empty()) {
    origin = SchemaOrigin::kMade;
    static_cast<void>(text_of(db, "PRAGMA journal_mode=WAL"));
    set_durability(db);
    change_schema(db, fresh_schema() + own_schema() + mark(),
                  [&db] { return !inspect_tables(db).empty(); });
    found = inspect_tables(db);
  }
  if (db.failed()) return db.error();
  if (const auto mismatch = schema_mismatch(found)) return strangers(path, *mismatch);
  set_durability(db);
  if (const std::string changes = own_table_changes(found); !changes.empty()) {
    change_schema(db, changes, [&] { return own_table_changes(inspect_tables(db)) != changes; });
  }
  if (db.failed()) return db.error();
  return origin;
}

}  // namespace stompbox::catalog
