#include "storage/catalog/mysql_fit.h"

#include <algorithm>
#include <string>

#include "storage/catalog/pson_text.h"

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
  if (utf8_prefix(text) != text.size()) return Misfit::kNoUtf8;
  return limit.three_bytes && has_four_bytes(text) ? Misfit::kFourBytes : Misfit::kNone;
}

std::optional<Error> MysqlFit::check(std::string_view text, const Limit& limit,
                                     std::string_view what, std::string_view name,
                                     const Resource* resource, std::string_view node) const {
  const Misfit misfit = look(text, limit);
  if (misfit == Misfit::kNone) return std::nullopt;
  std::string where = "the " + std::string(what);
  if (!name.empty()) where += " `" + std::string(name.substr(0, 80)) + "`";
  if (resource != nullptr) {
    where += " of " + resource->type + "[" + resource->title.substr(0, 80) + "]";
  }
  where += " of " + std::string(node.substr(0, 255));
  const std::string column = "column " + std::string(limit.name) + " of the catalog database";
  if (misfit == Misfit::kNoUtf8) {
    return Error{ErrorCode::kInvalid, where + " is not UTF-8, which " + column +
                                          " demands: let such texts be converted "
                                          "(--catalog-bytes)"};
  }
  if (misfit == Misfit::kFourBytes) {
    return Error{ErrorCode::kInvalid, where + " has a character of four bytes, which " + column +
                                          " cannot hold: convert the tables to utf8mb4"};
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

}  // namespace stompbox::catalog
