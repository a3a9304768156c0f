#include "broker/verbs/catalogs.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string_view>

#include "broker/control/json.h"
#include "broker/verbs/ask_broker.h"
#include "broker/verbs/database.h"
#include "broker/verbs/json_texts.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

using control::Json;

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

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::int64_t clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Timestamps may have digits behind the second.
std::string to_seconds(const std::string& stored_time) {
  return stored_time.substr(0, stored_time.find('.'));
}

std::optional<std::int64_t> age_ms(const std::string& stored_time, std::int64_t now_ms) {
  const auto time = unix_ms_of(stored_time);
  if (!time) return std::nullopt;
  return std::max<std::int64_t>(0, now_ms - *time);
}

std::string show_lag(std::int64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  return show_age(milliseconds);
}

// What waits to be stored at the broker on that data folder; nothing when none runs there, or
// nothing waits.
std::string show_waiting(const options::Options& options) {
  const auto answer = ask_broker(options, R"({"verb":"status"})");
  if (!answer) return {};
  const std::uint64_t count = number_in(answer->ok(), "catalogs_unstored");
  const std::int64_t oldest = time_in(answer->ok(), "oldest_unstored_ms");
  if (count == 0 || oldest == 0) return {};
  return "\n" + counted(count, "catalog") + (count == 1 ? " waits" : " wait") +
         " at the broker, the oldest for " +
         show_age(std::max<std::int64_t>(0, time_in(answer->ok(), "now_ms") - oldest)) + ".\n";
}

std::string_view name_of(catalog::NodeChanges::Kind kind) {
  using Kind = catalog::NodeChanges::Kind;
  return kind == Kind::kAdded ? "added" : kind == Kind::kRemoved ? "removed" : "changed";
}

std::string show_details(const catalog::NodeChanges::Change& change) {
  std::vector<std::string> details = change.parameters;
  if (change.tags) details.emplace_back("(tags)");
  if (change.place) details.emplace_back("(exported, file or line)");
  return join(details);
}

std::string counts_of(const catalog::NodeChanges& changes) {
  return std::to_string(changes.added_count) + " added, " + std::to_string(changes.removed_count) +
         " removed, " + std::to_string(changes.changed_count) + " changed";
}

std::size_t total_of(const catalog::NodeChanges& changes) {
  return changes.added_count + changes.removed_count + changes.changed_count;
}

Exit fail_of_node(const std::string& node, const storage::Error& error) {
  return fail(error.code == storage::ErrorCode::kNotFound ? no_such_node(node) : error);
}

}  // namespace

std::string show_nodes(const std::vector<catalog::NodeRow>& rows, std::int64_t now_ms) {
  Table table({{"NODE"},
               {"ENVIRONMENT"},
               {"IP"},
               {"LAST CATALOG"},
               {"AGE", Align::kRight},
               {"LAG", Align::kRight},
               {"RESOURCES", Align::kRight},
               {"EXPORTED", Align::kRight},
               {"FACTS", Align::kRight}});
  for (const catalog::NodeRow& row : rows) {
    const auto age = age_ms(row.last_compile, now_ms);
    table.add({row.name, or_dash(row.environment), or_dash(row.ip),
               or_dash(to_seconds(row.last_compile)), age ? show_age(*age) : "-",
               row.lag_ms ? show_lag(*row.lag_ms) : "-", std::to_string(row.resource_count),
               std::to_string(row.exported_count), std::to_string(row.fact_count)});
  }
  return table.empty() ? "There are no nodes yet.\n" : table.text();
}

std::string nodes_json(const std::vector<catalog::NodeRow>& rows, std::int64_t now_ms) {
  Json json;
  json.begin_array();
  for (const catalog::NodeRow& row : rows) {
    json.begin_object()
        .field("name", row.name)
        .field("environment", row.environment)
        .field("ip", row.ip)
        .field("last_compile", row.last_compile)
        .field("age_ms", age_ms(row.last_compile, now_ms))
        .field("lag_ms", row.lag_ms)
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
    table.add({or_dash(row.node), row.type + "[" + row.title + "]", row.exported ? "yes" : "no",
               where(row)});
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

std::string show_found_facts(const std::vector<catalog::NodeFactRow>& rows) {
  Table table({{"NODE"}, {"VALUE"}});
  for (const catalog::NodeFactRow& row : rows)
    table.add({row.node, join(row.fact.values)});
  return table.empty() ? "No node has such a fact.\n" : table.text();
}

std::string found_facts_json(const std::vector<catalog::NodeFactRow>& rows) {
  Json json;
  json.begin_object();
  for (const catalog::NodeFactRow& row : rows)
    write_texts(json, row.node, row.fact.values);
  return json.end_object().text() + "\n";
}

std::string show_changes(const std::string& node, const catalog::ChangesRow& row,
                         std::int64_t now_ms) {
  if (row.changed_at.empty()) {
    return "It is not known what catalogs of " + printable(node) +
           " have changed: none has changed anything since this program stores them.\n";
  }
  const auto age = age_ms(row.changed_at, now_ms);
  const std::string when = to_seconds(row.changed_at) + (age ? ", " + show_age(*age) + " ago" : "");
  std::string text = row.changed_at == row.last_compile
                         ? "The last catalog of " + printable(node) + " (" + when + "): "
                         : "The last catalog of " + printable(node) + " (" +
                               or_dash(to_seconds(row.last_compile)) +
                               ") changed nothing; the last that did (" + when + "): ";
  text += counts_of(row.changes) + ".\n";
  Table table({{"CHANGE"}, {"RESOURCE"}, {"WHAT"}});
  for (const catalog::NodeChanges::Change& change : row.changes.changes) {
    table.add({std::string(name_of(change.kind)), change.type + "[" + change.title + "]",
               show_details(change)});
  }
  if (!table.empty()) text += "\n" + table.text();
  const std::size_t shown = row.changes.changes.size();
  if (total_of(row.changes) > shown) {
    text += std::string(shown == 0 ? "" : "and ") +
            counted(total_of(row.changes) - shown, shown == 0 ? "resource" : "more resource") +
            (shown == 0 ? ", which are not kept by name" : "") + "\n";
  }
  return text;
}

std::string changes_json(const std::string& node, const catalog::ChangesRow& row) {
  Json json;
  json.begin_object()
      .field("node", node)
      .field("last_compile", row.last_compile)
      .field("changed_at", row.changed_at)
      .field("changed_by_last", !row.changed_at.empty() && row.changed_at == row.last_compile)
      .field("added", std::uint64_t{row.changes.added_count})
      .field("removed", std::uint64_t{row.changes.removed_count})
      .field("changed", std::uint64_t{row.changes.changed_count});
  json.key("changes").begin_array();
  for (const catalog::NodeChanges::Change& change : row.changes.changes) {
    json.begin_object()
        .field("kind", name_of(change.kind))
        .field("type", change.type)
        .field("title", change.title)
        .field("tags", change.tags)
        .field("place", change.place);
    write_texts(json, "parameters", change.parameters);
    json.end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

Exit nodes(const options::Options& options, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  const auto rows = (*reader)->nodes();
  if (!rows) return fail(rows.error());
  print(output == Output::kJson ? nodes_json(*rows, clock_ms())
                                : show_nodes(*rows, clock_ms()) + show_waiting(options));
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
  if (!rows) return fail_of_node(node, rows.error());
  print(output == Output::kJson ? facts_json(*rows) : show_facts(*rows));
  return Exit::kDone;
}

Exit find_facts(const options::Options& options, const std::string& wanted, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  const std::size_t equals = wanted.find('=');
  std::optional<std::string> value;
  if (equals != std::string::npos) value = wanted.substr(equals + 1);
  const auto rows = (*reader)->find_facts(wanted.substr(0, equals), value);
  if (!rows) return fail(rows.error());
  print(output == Output::kJson ? found_facts_json(*rows) : show_found_facts(*rows));
  return Exit::kDone;
}

Exit diff(const options::Options& options, const std::string& node, Output output) {
  const auto reader = open_reader(options);
  if (!reader) return fail(reader.error());
  const auto row = (*reader)->changes(node);
  if (!row) return fail_of_node(node, row.error());
  print(output == Output::kJson ? changes_json(node, *row) : show_changes(node, *row, clock_ms()));
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

storage::Result<catalog::ParameterTest> parse_parameter(const std::string& text) {
  using Holds = catalog::ParameterTest::Holds;
  const auto equals = text.find('=');
  const bool negated = equals != std::string::npos && equals > 0 && text[equals - 1] == '!';
  const std::string name = text.substr(0, negated ? equals - 1 : equals);
  if (equals == std::string::npos || name.empty()) {
    return storage::Error{
        storage::ErrorCode::kInvalid,
        "'" + text + "' is no parameter: it looks like ensure=present or ensure!=absent"};
  }
  return catalog::ParameterTest{negated ? Holds::kOther : Holds::kEqual, name,
                                text.substr(equals + 1)};
}

std::optional<std::int64_t> unix_ms_of(const std::string& stored_time) {
  std::tm fields{};
  if (::strptime(stored_time.c_str(), "%Y-%m-%d %H:%M:%S", &fields) == nullptr) return std::nullopt;
  fields.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&fields);
  if (seconds == -1) return std::nullopt;
  return std::int64_t{seconds} * 1000;
}

}  // namespace stompbox::verbs
