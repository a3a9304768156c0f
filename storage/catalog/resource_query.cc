#include "storage/catalog/resource_query.h"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace stompbox::catalog {
namespace {

bool is_exact(const std::string& type) {
  return type.find('*') == std::string::npos;
}

class Select {
 public:
  explicit Select(const SqlDialect& dialect) : dialect_(dialect) {
    made_.sql =
        "SELECT r.id, h.name, r.restype, r.title, r.source_file_id, r.exported, r.line"
        " FROM resources r LEFT JOIN hosts h ON h.id = r.host_id WHERE 1 = 1";
  }

  void equal(std::string_view column, const std::optional<std::string>& text) {
    if (text) add({" AND ", column, " = ", place(*text)});
  }

  void type(const std::string& type) {
    if (is_exact(type)) return equal("r.restype", type);
    add({" AND r.restype LIKE ", place(pattern_of(type)), " ESCAPE '!'"});
  }

  void exported(bool exported) { equal("r.exported", flag(exported)); }

  // As Puppet says it: without a row in `hosts` the collector excludes nothing.
  void not_of(const std::string& collector) {
    const std::string name = place(collector);
    add({" AND (NOT EXISTS (SELECT 1 FROM hosts own WHERE own.name = ", name,
         ") OR r.host_id <> (SELECT min(own.id) FROM hosts own WHERE own.name = ", name, "))"});
  }

  // Names have no index: they are looked through once, not for each tag of each resource.
  void tag(const std::string& tag) {
    add(
        {" AND EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.resource_id = r.id"
         " AND rt.puppet_tag_id IN (SELECT id FROM puppet_tags WHERE name = ",
         place(tag), "))"});
  }

  // With type and exported, what has the tag is found by indices alone; only of that rows are read.
  void tag(const std::string& tag, const std::string& type, bool exported) {
    add(
        {" AND r.id IN (SELECT m.id FROM resources m JOIN resource_tags rt ON rt.resource_id = m.id"
         " WHERE m.restype = ",
         place(type), " AND m.exported = ", place(flag(exported)),
         " AND rt.puppet_tag_id IN (SELECT id FROM puppet_tags WHERE name = ", place(tag), "))"});
  }

  void parameter(const ParameterTest& test) {
    const bool equal = test.holds == ParameterTest::Holds::kEqual;
    add(
        {" AND EXISTS (SELECT 1 FROM param_values v JOIN param_names n"
         " ON n.id = v.param_name_id WHERE v.resource_id = r.id AND n.name = ",
         place(test.name), " AND v.value ", equal ? "= " : "<> ", place(test.value), ")"});
  }

  ResourceSelect take(std::size_t count_max) {
    add({" ORDER BY h.name, r.restype, r.title, r.id LIMIT ", std::to_string(count_max)});
    return std::move(made_);
  }

 private:
  void add(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts)
      made_.sql += part;
  }

  std::string place(const std::string& text) {
    made_.texts.push_back(text);
    return "?" + std::to_string(made_.texts.size());
  }

  [[nodiscard]] std::string flag(bool exported) const {
    return std::string(exported ? dialect_.yes : dialect_.no);
  }

  static std::string pattern_of(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
      if (c == '%' || c == '_' || c == '!') pattern += '!';
      pattern += c == '*' ? '%' : c;
    }
    return pattern;
  }

  const SqlDialect& dialect_;
  ResourceSelect made_;
};

}  // namespace

ResourceSelect select_of(const ResourceQuery& query, const SqlDialect& dialect) {
  Select select(dialect);
  if (query.exported) select.exported(*query.exported);
  if (query.type) select.type(*query.type);
  select.equal("r.title", query.title);
  select.equal("h.name", query.node);
  if (query.tag && query.exported && query.type && is_exact(*query.type)) {
    select.tag(*query.tag, *query.type, *query.exported);
  } else if (query.tag) {
    select.tag(*query.tag);
  }
  for (const ParameterTest& test : query.parameters)
    select.parameter(test);
  if (query.collector) select.not_of(*query.collector);
  return select.take(query.count_max);
}

}  // namespace stompbox::catalog
