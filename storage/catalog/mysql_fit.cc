#include "storage/catalog/mysql_fit.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "storage/utf8.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;

// Of a packet beside its one long text.
constexpr std::size_t kPacketReserve = 1024;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t characters_in(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

bool has_four_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_three_bytes(std::string_view charset) {
  return charset == "utf8" || charset == "utf8mb3";
}

}  // namespace

MysqlFit::MysqlFit(const MysqlTables& tables, std::string_view charset,
                   std::size_t packet_bytes_max)
    : is_utf8_(charset.starts_with("utf8")),
      utf8_of_three_bytes_(is_three_bytes(charset)),
      packet_bytes_max_(packet_bytes_max),
      host_(limit_of(tables, "hosts", "name", "hosts.name")),
      environment_(limit_of(tables, "hosts", "environment", "hosts.environment")),
      title_(limit_of(tables, "resources", "title", "resources.title")),
      type_(limit_of(tables, "resources", "restype", "resources.restype")),
      file_(limit_of(tables, "source_files", "filename", "source_files.filename")),
      parameter_name_(limit_of(tables, "param_names", "name", "param_names.name")),
      value_(limit_of(tables, "param_values", "value", "param_values.value")),
      tag_(limit_of(tables, "puppet_tags", "name", "puppet_tags.name")),
      fact_name_(limit_of(tables, "fact_names", "name", "fact_names.name")),
      fact_value_(limit_of(tables, "fact_values", "value", "fact_values.value")) {}

MysqlFit::Limit MysqlFit::limit_of(const MysqlTables& tables, std::string_view table,
                                   std::string_view column, std::string_view name) const {
  const MysqlColumn found = tables.column(table, column);
  Limit limit;
  limit.name = name;
  limit.three_bytes = utf8_of_three_bytes_ || (is_utf8_ && is_three_bytes(found.charset));
  const bool counts_characters = is_utf8_ && found.type == "varchar";
  limit.measure = counts_characters ? Measure::kCharacters : Measure::kBytes;
  limit.max = counts_characters ? found.characters_max : found.bytes_max;
  if (packet_bytes_max_ > kPacketReserve) {
    limit.max = std::min(limit.max, packet_bytes_max_ - kPacketReserve);
  }
  return limit;
}

MysqlFit::Misfit MysqlFit::look(std::string_view text, const Limit& limit) const {
  if (text.size() > limit.max) {
    const bool counts = limit.measure == Measure::kCharacters;
    if (!counts || characters_in(text) > limit.max) return Misfit::kTooLong;
  }
  if (!is_utf8_ || is_ascii(text)) return Misfit::kNone;
  if (!storage::is_utf8(text)) return Misfit::kNoUtf8;
  return limit.three_bytes && has_four_bytes(text) ? Misfit::kFourBytes : Misfit::kNone;
}

std::optional<Error> MysqlFit::check(std::string_view text, const Limit& limit,
                                     std::string_view what, std::string_view name,
                                     const Resource* resource, std::string_view node) const {
  const Misfit misfit = look(text, limit);
  if (misfit == Misfit::kNone) return std::nullopt;
  std::string where = "the " + std::string(what);
  if (!name.empty()) where += " `" + std::string(storage::whole_characters(name, 80)) + "`";
  if (resource != nullptr) {
    where += " of " + resource->type + "[" +
             std::string(storage::whole_characters(resource->title, 80)) + "]";
  }
  where += " of " + std::string(storage::whole_characters(node, 255));
  const std::string column = "column " + std::string(limit.name) + " of the catalog database";
  if (misfit == Misfit::kNoUtf8) {
    return Error{ErrorCode::kInvalid, where + " is not UTF-8, which " + column +
                                          " demands: let such texts be converted "
                                          "(--catalog-bytes)"};
  }
  if (misfit == Misfit::kFourBytes) {
    return Error{ErrorCode::kInvalid, where + " has a character of four bytes, which " + column +
                                          " cannot hold: convert the tables to utf8mb4, or let "
                                          "such characters be replaced (--catalog-four-bytes)"};
  }
  const bool counts = limit.measure == Measure::kCharacters;
  const std::size_t size = counts ? characters_in(text) : text.size();
  return Error{ErrorCode::kTooLarge,
               where + " has " + std::to_string(size) + (counts ? " characters" : " bytes") + ", " +
                   column + " holds " + std::to_string(limit.max) +
                   ": widen it (`stompbox store repair --widen` does that for values)"};
}

std::optional<Error> MysqlFit::misfit(const Resource& resource, std::string_view node) const {
  if (auto error = check(resource.type, type_, "type", {}, &resource, node)) return error;
  if (auto error = check(resource.title, title_, "title", {}, &resource, node)) return error;
  if (resource.file) {
    if (auto error = check(*resource.file, file_, "file", {}, &resource, node)) return error;
  }
  for (const Parameter& parameter : resource.parameters) {
    const std::string& name = parameter.name;
    if (auto error = check(name, parameter_name_, "name of parameter", name, &resource, node)) {
      return error;
    }
    for (const std::string& value : parameter.values) {
      if (auto error = check(value, value_, "parameter", name, &resource, node)) return error;
    }
  }
  for (const std::string& tag : resource.tags) {
    if (auto error = check(tag, tag_, "tag", tag, &resource, node)) return error;
  }
  return std::nullopt;
}

std::optional<Error> MysqlFit::misfit(const Catalog& catalog, StoreScope scope) const {
  const std::string& node = catalog.node;
  if (auto error = check(node, host_, "name", {}, nullptr, node)) return error;
  if (auto error = check(catalog.environment, environment_, "environment", {}, nullptr, node)) {
    return error;
  }
  for (const Resource& resource : catalog.resources) {
    if (scope == StoreScope::kExported && !resource.exported) continue;
    if (auto error = misfit(resource, node)) return error;
  }
  return std::nullopt;
}

std::optional<Error> MysqlFit::misfit(const NodeFacts& facts) const {
  const std::string& node = facts.node;
  if (auto error = check(node, host_, "name", {}, nullptr, node)) return error;
  for (const Fact& fact : facts.facts) {
    if (auto error = check(fact.name, fact_name_, "name of fact", fact.name, nullptr, node)) {
      return error;
    }
    for (const std::string& value : fact.values) {
      if (auto error = check(value, fact_value_, "fact", fact.name, nullptr, node)) return error;
    }
  }
  return std::nullopt;
}

std::size_t MysqlFit::replace_in(std::string& text, const Limit& limit) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  if (!limit.three_bytes || !has_four_bytes(text)) return 0;
  std::size_t count = 0;
  std::string replaced;
  for (std::size_t at = 0; at < text.size();) {
    const bool four =
        static_cast<unsigned char>(text[at]) >= 0xF0 && at + 4 <= text.size() &&
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                    text.begin() + static_cast<std::ptrdiff_t>(at) + 4, is_continuation);
    if (four) {
      replaced += kReplacement;
      ++count;
    } else {
      replaced += text[at];
    }
    at += four ? 4 : 1;
  }
  if (count > 0) text = std::move(replaced);
  return count;
}

std::size_t MysqlFit::replace_in_titles(Catalog& catalog) const {
  const auto is_wide = [](const Resource& resource) { return has_four_bytes(resource.title); };
  if (!title_.three_bytes || std::ranges::none_of(catalog.resources, is_wide)) return 0;
  std::set<std::pair<std::string, std::string>> taken;
  for (const Resource& resource : catalog.resources)
    taken.emplace(resource.type, resource.title);
  std::size_t count = 0;
  for (Resource& resource : catalog.resources) {
    std::string title = resource.title;
    const std::size_t replaced = replace_in(title, title_);
    if (replaced == 0 || !taken.emplace(resource.type, title).second) continue;
    resource.title = std::move(title);
    count += replaced;
  }
  return count;
}

// Tags that become alike are one (rule 12).
std::size_t MysqlFit::replace_in_tags(std::vector<std::string>& tags) const {
  std::size_t count = 0;
  for (std::string& tag : tags)
    count += replace_in(tag, tag_);
  if (count == 0) return 0;
  std::set<std::string, std::less<>> seen;
  std::erase_if(tags, [&seen](const std::string& tag) { return !seen.insert(tag).second; });
  return count;
}

std::size_t MysqlFit::replace_four_bytes(Catalog& catalog) const {
  std::size_t count = replace_in_titles(catalog);
  for (Resource& resource : catalog.resources) {
    if (resource.file) count += replace_in(*resource.file, file_);
    for (Parameter& parameter : resource.parameters) {
      for (std::string& value : parameter.values)
        count += replace_in(value, value_);
    }
    count += replace_in_tags(resource.tags);
  }
  return count;
}

std::size_t MysqlFit::replace_four_bytes(NodeFacts& facts) const {
  std::size_t count = 0;
  for (Fact& fact : facts.facts) {
    for (std::string& value : fact.values)
      count += replace_in(value, fact_value_);
  }
  return count;
}

}  // namespace stompbox::catalog
