#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/care/check.h"
#include "storage/catalog/schema.h"

namespace stompbox::catalog::care {
namespace {

bool is_sqlite(SqlConnection& db) {
  return db.dialect().kind == SqlKind::kSqlite;
}

std::vector<std::string> texts_of(SqlConnection& db, const std::string& sql) {
  std::vector<std::string> texts;
  SqlStatement select(db, sql);
  while (select.step())
    texts.emplace_back(select.text(0));
  return texts;
}

// "'resources', 'hosts', …"
std::string table_list() {
  std::string list;
  for (const TableSpec& table : needed_tables())
    list += (list.empty() ? "'" : ", '") + std::string(table.name) + "'";
  return list;
}

bool is_name(std::string_view text) {
  constexpr std::string_view kWord =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return text.find_first_not_of(kWord) == std::string_view::npos;
}

// Rule 3: a master turns every column that is not NULL into an attribute.
void check_columns(SqlConnection& db, Findings& findings) {
  const auto columns =
      texts_of(db, is_sqlite(db) ? "SELECT name FROM pragma_table_info('resources')"
                                 : "SELECT column_name FROM information_schema.columns WHERE"
                                   " table_schema = database() AND table_name = 'resources'");
  const auto tables = needed_tables();
  const auto known = std::ranges::find(tables, "resources", &TableSpec::name);
  for (const std::string& column : columns) {
    if (std::ranges::find(known->columns, column) != known->columns.end()) continue;
    const std::string quote = is_sqlite(db) ? "\"" : "`";
    const bool filled =
        is_name(column) && integer_of(db, "SELECT EXISTS (SELECT 1 FROM resources WHERE " + quote +
                                              column + quote + " IS NOT NULL)") != 0;
    if (filled || !is_name(column)) findings.add(CheckRule::kExtraColumns, column);
  }
}

// Rule 20. Those of the inventory tables and of the migrations are Puppet's own.
void check_indices(SqlConnection& db, Findings& findings) {
  const auto indices = texts_of(
      db, is_sqlite(db)
              ? "SELECT t.name || '.' || i.name FROM sqlite_master t JOIN pragma_index_list(t.name)"
                " i WHERE t.type = 'table' AND i.\"unique\" = 1 AND i.origin <> 'pk' AND t.name"
                " IN (" +
                    table_list() + ") ORDER BY 1"
              : "SELECT DISTINCT concat(table_name, '.', index_name) FROM"
                " information_schema.statistics WHERE table_schema = database() AND non_unique = 0"
                " AND index_name <> 'PRIMARY' AND table_name IN (" +
                    table_list() + ") ORDER BY 1");
  for (const std::string& index : indices)
    findings.add(CheckRule::kUniqueIndices, index);
}

void remark_on_sqlite(SqlConnection& db, std::vector<std::string>& remarks) {
  const std::string journal = text_of(db, "PRAGMA journal_mode").value_or("unknown");
  if (journal == "wal") return;
  if (journal == "off" || journal == "memory") {
    remarks.push_back("the journal mode is " + journal +
                      ": a crash in the middle of a commit destroys the database; with all masters "
                      "stopped, PRAGMA journal_mode=WAL ends that");
    return;
  }
  remarks.push_back("the journal mode is " + journal +
                    ": masters cannot read while somebody commits; with all masters stopped, "
                    "PRAGMA journal_mode=WAL ends that");
}

void remark_on_mysql(SqlConnection& db, std::vector<std::string>& remarks) {
  for (const std::string& table :
       texts_of(db,
                "SELECT table_name FROM information_schema.tables WHERE table_schema ="
                " database() AND engine <> 'InnoDB' AND table_name IN (" +
                    table_list() + ") ORDER BY 1")) {
    remarks.push_back("table `" + table +
                      "` is not of the engine InnoDB: saves are not atomic there; ALTER TABLE " +
                      table + " ENGINE=InnoDB, once, ends that");
  }
  const auto charsets =
      texts_of(db,
               "SELECT DISTINCT character_set_name FROM information_schema.columns WHERE"
               " table_schema = database() AND character_set_name IS NOT NULL AND table_name"
               " IN (" +
                   table_list() + ") ORDER BY 1");
  std::string list;
  for (const std::string& charset : charsets)
    list += (list.empty() ? "" : ", ") + charset;
  if (charsets.size() > 1) {
    remarks.push_back("the tables mix the character sets " + list +
                      ": texts may change when masters read them");
  } else if (list != "utf8mb4") {
    remarks.push_back("the character set of the tables is " + list +
                      ": characters beyond it cannot be stored, or are kept as bytes (see "
                      "catalog.charset)");
  }
  if (text_of(db, "SELECT @@innodb_flush_log_at_trx_commit").value_or("1") != "1") {
    remarks.emplace_back(
        "innodb_flush_log_at_trx_commit is not 1: a crash of the server's machine loses the last "
        "second of what was acknowledged");
  }
}

struct LimitedColumn {
  std::string table, column;
  std::int64_t characters = 0, bytes = 0;
  bool is_text = false;  // its limit is in bytes
};

std::vector<LimitedColumn> limited_columns(SqlConnection& db) {
  std::vector<LimitedColumn> columns;
  SqlStatement select(
      db,
      "SELECT table_name, column_name, character_maximum_length, character_octet_length, data_type"
      " FROM information_schema.columns WHERE table_schema = database() AND"
      " character_maximum_length <= 65535 AND column_name IN ('name', 'title', 'restype',"
      " 'filename', 'value') AND table_name IN (" +
          table_list() + ") ORDER BY 1, 2");
  while (select.step()) {
    const std::string type(select.text(4));
    columns.push_back({std::string(select.text(0)), std::string(select.text(1)), select.integer(2),
                       select.integer(3), type.ends_with("text")});
  }
  return columns;
}

// Rule 17. A cut in the middle of a character leaves up to three bytes less than the limit.
void check_cuts(SqlConnection& db, const LimitedColumn& column, Findings& findings) {
  const std::string where =
      column.is_text ? "length(" + column.column + ") > " + std::to_string(column.bytes - 4)
                     : "char_length(" + column.column + ") >= " + std::to_string(column.characters);
  IdWindows windows(db, column.table);
  SqlStatement select(
      db, "SELECT c.id FROM " + column.table + " c WHERE c.id > ?1 AND c.id <= ?2 AND " + where);
  while (const auto window = windows.next()) {
    bind(select, *window);
    while (select.step()) {
      findings.add(CheckRule::kCutTexts, column.table + "." + column.column + " of id " +
                                             std::to_string(select.integer(0)));
    }
  }
}

}  // namespace

void check_setup(SqlConnection& db, CheckReport& report) {
  check_columns(db, report.findings);
  check_indices(db, report.findings);
  if (is_sqlite(db)) return remark_on_sqlite(db, report.remarks);
  remark_on_mysql(db, report.remarks);
  for (const LimitedColumn& column : limited_columns(db))
    check_cuts(db, column, report.findings);
}

}  // namespace stompbox::catalog::care
