#include "storage/catalog/mysql_schema.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

struct FreshTable {
  std::string_view name, columns;
};

// Facts 3.3: names, types and order as ActiveRecord writes them; the ids as newer servers want
// them. Of the indices only those that a query of Puppet or of ours needs, as in sqlite_schema.
constexpr FreshTable kFreshTables[] = {
    {"resources",
     "`title` text NOT NULL, `restype` varchar(255) NOT NULL, `host_id` int(11),"
     " `source_file_id` int(11), `exported` tinyint(1), `line` int(11), `updated_at` datetime,"
     " `created_at` datetime, KEY `index_resources_on_host_id` (`host_id`),"
     " KEY `index_resources_on_restype_and_exported` (`restype`, `exported`)"},
    {"source_files",
     "`filename` varchar(255), `path` varchar(255), `updated_at` datetime, `created_at` datetime,"
     " KEY `index_source_files_on_filename` (`filename`)"},
    {"resource_tags",
     "`resource_id` int(11), `puppet_tag_id` int(11), `updated_at` datetime,"
     " `created_at` datetime, KEY `index_resource_tags_on_resource_id_and_puppet_tag_id` "
     "(`resource_id`,"
     " `puppet_tag_id`)"},
    {"puppet_tags",
     "`name` varchar(255), `updated_at` datetime, `created_at` datetime,"
     " KEY `index_puppet_tags_on_id` (`id`), KEY `index_puppet_tags_on_name` (`name`)"},
    {"hosts",
     "`name` varchar(255) NOT NULL, `ip` varchar(255), `environment` text,"
     " `last_compile` datetime, `last_freshcheck` datetime, `last_report` datetime,"
     " `updated_at` datetime, `source_file_id` int(11), `created_at` datetime,"
     " KEY `index_hosts_on_source_file_id` (`source_file_id`),"
     " KEY `index_hosts_on_name` (`name`)"},
    {"fact_names",
     "`name` varchar(255) NOT NULL, `updated_at` datetime, `created_at` datetime,"
     " KEY `index_fact_names_on_name` (`name`)"},
    {"fact_values",
     "`value` text NOT NULL, `fact_name_id` int(11) NOT NULL, `host_id` int(11) NOT NULL,"
     " `updated_at` datetime, `created_at` datetime,"
     " KEY `index_fact_values_on_fact_name_id` (`fact_name_id`),"
     " KEY `index_fact_values_on_host_id` (`host_id`)"},
    {"param_values",
     "`value` text NOT NULL, `param_name_id` int(11) NOT NULL, `line` int(11),"
     " `resource_id` int(11), `updated_at` datetime, `created_at` datetime,"
     " KEY `index_param_values_on_resource_id` (`resource_id`)"},
    {"param_names",
     "`name` varchar(255) NOT NULL, `updated_at` datetime, `created_at` datetime,"
     " KEY `index_param_names_on_name` (`name`)"},
    {"inventory_nodes",
     "`name` varchar(255) NOT NULL, `timestamp` datetime NOT NULL, `updated_at` datetime,"
     " `created_at` datetime, UNIQUE KEY `index_inventory_nodes_on_name` (`name`)"},
    {"inventory_facts",
     "`node_id` int(11) NOT NULL, `name` varchar(255) NOT NULL, `value` text NOT NULL,"
     " UNIQUE KEY `index_inventory_facts_on_node_id_and_name` (`node_id`, `name`)"},
};

// Tables are not made in one transaction. As long as this row is there, they are not yet complete.
constexpr std::string_view kMakingSchema = "schema";

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string in_ticks(std::string_view name) {
  return "`" + std::string(name) + "`";
}

void make_tables(SqlConnection& db, const std::string& charset) {
  for (const FreshTable& table : kFreshTables) {
    db.run("CREATE TABLE IF NOT EXISTS " + in_ticks(table.name) +
           " (`id` int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY, " + std::string(table.columns) +
           ") ENGINE=InnoDB DEFAULT CHARACTER SET " + charset + " COLLATE " + charset + "_bin");
  }
}

void make_locks_table(SqlConnection& db) {
  db.run("CREATE TABLE IF NOT EXISTS " + in_ticks(kLocksTable) +
         " (`name` varchar(64) CHARACTER SET ascii NOT NULL PRIMARY KEY,"
         " `taken` bigint NOT NULL DEFAULT 0) ENGINE=InnoDB");
  db.run("INSERT IGNORE INTO " + in_ticks(kLocksTable) + " (`name`) VALUES ('names')");
}

// Its names compare byte by byte, in the characters of the hosts' own.
void make_own_table(SqlConnection& db, const MysqlTables& tables) {
  std::string charset = tables.column("hosts", "name").charset;
  if (charset.empty()) charset = "utf8mb4";
  std::string sql = "CREATE TABLE IF NOT EXISTS " + in_ticks(kOwnTable) +
                    " (`name` varchar(255) NOT NULL PRIMARY KEY";
  for (const OwnColumn& column : own_columns())
    sql += ", " + in_ticks(column.name) + " " + std::string(column.mysql_type);
  db.run(sql + ") ENGINE=InnoDB DEFAULT CHARACTER SET " + charset + " COLLATE " + charset + "_bin");
}

void add_own_columns(SqlConnection& db, const FoundColumns& found) {
  for (const OwnColumn& column : own_columns()) {
    if (found.contains(column.name)) continue;
    db.run("ALTER TABLE " + in_ticks(kOwnTable) + " ADD COLUMN " + in_ticks(column.name) + " " +
           std::string(column.mysql_type));
  }
}

bool is_unfinished(SqlConnection& db, const MysqlTables& tables) {
  return tables.found.contains(kLocksTable) &&
         integer_of(db, "SELECT count(*) FROM " + in_ticks(kLocksTable) + " WHERE `name` = '" +
                            std::string(kMakingSchema) + "'") != 0;
}

void make_schema(SqlConnection& db, const std::string& charset) {
  make_locks_table(db);
  db.run("INSERT IGNORE INTO " + in_ticks(kLocksTable) + " (`name`) VALUES ('" +
         std::string(kMakingSchema) + "')");
  make_tables(db, charset);
  db.run("DELETE FROM " + in_ticks(kLocksTable) + " WHERE `name` = '" + std::string(kMakingSchema) +
         "'");
}

// Both are there, whoever makes them first.
void ensure_own_tables(SqlConnection& db, const MysqlTables& tables) {
  make_locks_table(db);
  const auto own = tables.found.find(kOwnTable);
  if (own == tables.found.end()) {
    make_own_table(db, tables);
  } else {
    add_own_columns(db, own->second);
  }
}

std::string widening_of(std::string_view table, const MysqlColumn& column) {
  return "ALTER TABLE " + in_ticks(table) + " MODIFY `value` mediumtext CHARACTER SET " +
         column.charset + " COLLATE " + column.collation + " NOT NULL";
}

}  // namespace

MysqlColumn MysqlTables::column(std::string_view table, std::string_view name) const {
  const auto at = columns.find(table);
  if (at == columns.end()) return {};
  const auto column = at->second.find(name);
  return column == at->second.end() ? MysqlColumn{} : column->second;
}

MysqlTables inspect_mysql(SqlConnection& db) {
  MysqlTables tables;
  SqlStatement columns(
      db,
      "SELECT c.table_name, c.column_name, c.is_nullable = 'NO' AND c.column_default IS NULL"
      " AND c.column_key <> 'PRI', c.data_type, c.character_set_name, c.collation_name,"
      " c.character_maximum_length, c.character_octet_length, t.engine"
      " FROM information_schema.columns c JOIN information_schema.tables t"
      " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
      " WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'");
  while (columns.step()) {
    const std::string table = lower(columns.text(0)), name = lower(columns.text(1));
    tables.found[table][name] = FoundColumn{columns.integer(2) != 0};
    tables.engines[table] = columns.text(8);
    tables.columns[table][name] = {
        std::string(columns.text(3)), std::string(columns.text(4)), std::string(columns.text(5)),
        static_cast<std::size_t>(columns.integer(6)), static_cast<std::size_t>(columns.integer(7))};
  }
  return tables;
}

Status check_mysql_schema(const MysqlTables& tables, const std::string& place) {
  const auto mismatch = schema_mismatch(tables.found);
  if (!mismatch) return kOk;
  return Error{ErrorCode::kInvalid, "the catalog database " + place +
                                        " is not one of Puppet's storeconfigs (" + *mismatch +
                                        "): name an empty one, and its tables are made"};
}

Result<MysqlSchema> ensure_mysql_schema(SqlConnection& db, const std::string& place,
                                        const std::string& charset) {
  MysqlSchema schema;
  schema.tables = inspect_mysql(db);
  if (!db.failed() && (schema.tables.found.empty() || is_unfinished(db, schema.tables))) {
    schema.origin = MysqlSchema::Origin::kMade;
    make_schema(db, charset);
    schema.tables = inspect_mysql(db);
  }
  if (db.failed()) return db.error();
  if (const Status fits = check_mysql_schema(schema.tables, place); !fits) return fits.error();
  ensure_own_tables(db, schema.tables);
  if (db.failed()) return db.error();
  return schema;
}

std::string declared_charset(const MysqlTables& tables) {
  return tables.column("param_values", "value").charset == "latin1" ? "latin1" : "utf8mb4";
}

std::vector<std::string> mysql_widening(SqlConnection& db) {
  std::vector<std::string> statements;
  const MysqlTables tables = inspect_mysql(db);
  for (const std::string_view table : {"param_values", "fact_values"}) {
    const MysqlColumn column = tables.column(table, "value");
    if (column.type == "text") statements.push_back(widening_of(table, column));
  }
  return statements;
}

}  // namespace stompbox::catalog
