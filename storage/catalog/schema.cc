#include "storage/catalog/schema.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace stompbox::catalog {
namespace {

using Columns = std::string_view;

constexpr Columns kResources[] = {"id",       "title", "restype",    "host_id",   "source_file_id",
                                  "exported", "line",  "updated_at", "created_at"};
constexpr Columns kSourceFiles[] = {"id", "filename", "updated_at", "created_at"};
constexpr Columns kResourceTags[] = {"id", "resource_id", "puppet_tag_id", "updated_at",
                                     "created_at"};
constexpr Columns kNames[] = {"id", "name", "updated_at", "created_at"};
constexpr Columns kHosts[] = {"id",           "name",       "ip",        "environment",
                              "last_compile", "updated_at", "created_at"};
constexpr Columns kFactValues[] = {"id",      "value",      "fact_name_id",
                                   "host_id", "updated_at", "created_at"};
constexpr Columns kParamValues[] = {"id",          "value",      "param_name_id", "line",
                                    "resource_id", "updated_at", "created_at"};

constexpr TableSpec kTables[] = {
    {"resources", kResources},
    {"source_files", kSourceFiles},
    {"resource_tags", kResourceTags},
    {"puppet_tags", kNames},
    {"hosts", kHosts},
    {"fact_names", kNames},
    {"fact_values", kFactValues},
    {"param_names", kNames},
    {"param_values", kParamValues},
};

constexpr OwnColumn kOwnColumns[] = {
    {"host_id", "integer", "bigint"},          // of the hosts row that the digest is about
    {"digest", "varchar(64)", "varchar(64)"},  // of the stored catalog; NULL: none
    {"witness", "text", "varchar(255)"},       // of the rows after that save
    {"saves_since_compare", "integer", "int"},
    {"store", "varchar(255)", "varchar(255)"},  // Arrival of the stored catalog
    {"arrival", "integer", "bigint"},
    {"facts_store", "varchar(255)", "varchar(255)"},  // Arrival of the stored facts
    {"facts_arrival", "integer", "bigint"},
    {"lag_ms", "integer", "bigint"},         // from the catalog's arrival until it was stored
    {"changed_at", "datetime", "datetime"},  // the last catalog that changed rows
    {"changes", "text", "text"},             // what it changed: see changes.h
    {"updated_at", "datetime", "datetime"},
    {"fingerprints", "text", "mediumtext"},  // of the resources' rows: see fingerprints.h
};

std::optional<std::string> table_mismatch(const TableSpec& table, const FoundColumns& found) {
  for (std::string_view column : table.columns) {
    if (!found.contains(column)) {
      return "table `" + std::string(table.name) + "` has no column `" + std::string(column) + "`";
    }
  }
  for (const auto& [name, column] : found) {
    const bool ours = std::ranges::find(table.columns, name) != table.columns.end();
    if (!ours && column.must_be_given) {
      return "table `" + std::string(table.name) + "` has a column `" + name +
             "` that must be given and that Puppet does not know";
    }
  }
  return std::nullopt;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

std::span<const TableSpec> needed_tables() {
  return kTables;
}

std::span<const OwnColumn> own_columns() {
  return kOwnColumns;
}

std::optional<std::string> schema_mismatch(const FoundTables& found) {
  for (const TableSpec& table : kTables) {
    const auto at = found.find(table.name);
    if (at == found.end()) return "table `" + std::string(table.name) + "` is missing";
    if (auto mismatch = table_mismatch(table, at->second)) return mismatch;
  }
  return std::nullopt;
}

std::optional<std::string> environment_in_yaml(std::string_view stored) {
  if (!stored.starts_with("--- ")) return std::nullopt;
  constexpr std::string_view kKey = "name:";
  // Each round trip wrapped the former text: the innermost name is the last one.
  for (std::size_t at = stored.rfind(kKey); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : stored.rfind(kKey, at - 1)) {
    std::string_view rest = stored.substr(at + kKey.size());
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == ':' || rest[0] == '"')) {
      rest.remove_prefix(1);
    }
    const auto end = std::ranges::find_if_not(rest, is_word);
    if (end != rest.begin()) return std::string(rest.begin(), end);
  }
  return std::nullopt;
}

}  // namespace stompbox::catalog
