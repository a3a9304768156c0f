#include "broker/verbs/catalogs.h"

#include <cctype>
#include <memory>

#include "broker/control/json.h"
#include "broker/verbs/table.h"
#include "storage/catalog/sqlite_open.h"

namespace stompbox::verbs {
namespace {

using control::Json;

storage::Result<std::unique_ptr<catalog::CatalogReader>> open_reader(
    const options::Options& options) {
  const auto path = options::sqlite_path(options);
  if (!path) return path.error();
  if (path->empty()) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "there is no catalog database here: name one with --catalog-store "
                          "sqlite:FILE or the broker's folder with --data"};
  }
  return catalog::open_sqlite_reader(*path);
}

std::string where(const catalog::ResourceRow& row) {
  if (row.file.empty()) return "-";
  return row.line ? row.file + ":" + std::to_string(*row.line) : row.file;
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    if (!joined.empty()) joined += ", ";
    joined += text;
  }
  return joined;
}

void write_texts(Json& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts)
    json.value(text);
  json.end_array();
}

}  // namespace

std::string show_nodes(const std::vector<catalog::NodeRow>& rows) {
  Table table({{"NODE"},
               {"ENVIRONMENT"},
               {"IP"},
               {"LAST COMPILE"},
               {"RESOURCES", Align::kRight},
               {"EXPORTED", Align::kRight},
               {"FACTS", Align::kRight}});
  for (const catalog::NodeRow& row : rows) {
    table.add({row.name, row.environment.empty() ? "-" : row.environment,
               row.ip.empty() ? "-" : row.ip, row.last_compile.empty() ? "-" : row.last_compile,
               std::to_string(row.resource_count), std::to_string(row.exported_count),
               std::to_string(row.fact_count)});
  }
  return table.empty() ? "There are no nodes yet.\n" : table.text();
}

std::string nodes_json(const std::vector<catalog::NodeRow>& rows) {
  Json json;
  json.begin_array();
  for (const catalog::NodeRow& row : rows) {
    json.begin_object()
        .field("name", row.name)
        .field("environment", row.environment)
        .field("ip", row.ip)
        .field("last_compile", row.last_compile)
        .field("resources", row.resource_count)
        .field("exported", row.exported_count)
        .field("facts", row.fact_count)
        .end_object();
  }
  return json.end_array().text() + "\n";
}

std::string show_resources(const std::vector<catalog::ResourceRow>& rows) {
  Table table({{"NODE"}, {"RESOURCE"}, {"EXPORTED"}, {"PLACE"}});
  for (const catalog::ResourceRow& row : rows) {
    table.add(
        {row.node, row.type + "[" + row.title + "]", row.exported ? "yes" : "no", where(row)});
  }
  return table.empty() ? "No resource is like that.\n" : table.text();
}

std::string resources_json(const std::vector<catalog::ResourceRow>& rows) {
  Json json;
  json.begin_array();
  for (const catalog::ResourceRow& row : rows) {
    json.begin_object()
        .field("node", row.node)
        .field("type", row.type)
        .field("title", row.title)
        .field("exported", row.exported)
        .field("file", row.file)
        .field("line", row.line);
    json.key("parameters").begin_object();
    for (const auto& [name, values] : row.parameters)
      write_texts(json, name, values);
    json.end_object();
    write_texts(json, "tags", row.tags);
    json.end_object();
  }
  return json.end_array().text() + "\n";
}

std::string show_facts(const std::vector<catalog::FactRow>& rows) {
  Table table({{"FACT"}, {"VALUE"}});
  for (const catalog::FactRow& row : rows)
    table.add({row.name, join(row.values)});
  return table.empty() ? "There are no facts of that node.\n" : table.text();
}

std::string facts_json(const std::vector<catalog::FactRow>& rows) {
  Json json;
  json.begin_object();
  for (const catalog::FactRow& row : rows)
    write_texts(json, row.name, row.values);
  return json.end_object().text() + "\n";
}

Exit nodes(const options::Options& options, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  const auto rows = (*reader)->nodes();
  if (!rows) return fail(rows.error());
  print(output == Output::kJson ? nodes_json(*rows) : show_nodes(*rows));
  return Exit::kDone;
}

Exit resources(const options::Options& options, catalog::ResourceQuery query, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  if (query.type) query.type = capitalise_type(*query.type);
  const auto rows = (*reader)->resources(query);
  if (!rows) return fail(rows.error());
  print(output == Output::kJson ? resources_json(*rows) : show_resources(*rows));
  if (rows->size() == query.count_max) {
    complain("only the first " + std::to_string(query.count_max) +
             " are shown: ask for less, or for more with --count");
  }
  return Exit::kDone;
}

Exit facts(const options::Options& options, const std::string& node, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  const auto rows = (*reader)->facts(node);
  if (!rows) return fail(rows.error());
  print(output == Output::kJson ? facts_json(*rows) : show_facts(*rows));
  return Exit::kDone;
}

std::string capitalise_type(std::string type) {
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool starts_segment = i == 0 || (i >= 2 && type[i - 1] == ':' && type[i - 2] == ':');
    if (!starts_segment) continue;
    type[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(type[i])));
  }
  return type;
}

storage::Result<std::pair<std::string, std::string>> parse_parameter(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "'" + text + "' is no parameter: it looks like ensure=present"};
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace stompbox::verbs
