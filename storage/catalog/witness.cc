#include "storage/catalog/witness.h"

#include <charconv>

namespace stompbox::catalog {
namespace {

void append(std::string& text, const Witness::Table& table) {
  text += std::to_string(table.count) + "/" + std::to_string(table.id_max) + "/" +
          table.updated_max + ";";
}

// Takes a number and the mark behind it from the front.
bool take_number(std::string_view& text, char mark, std::int64_t& number) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at == end || *at != mark) return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
  return true;
}

bool take_table(std::string_view& text, Witness::Table& table) {
  if (!take_number(text, '/', table.count) || !take_number(text, '/', table.id_max)) return false;
  const std::size_t end = text.find(';');
  if (end == std::string_view::npos) return false;
  table.updated_max = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

Witness::Table rest_of(const Witness::Table& before, const Witness::Table& looked_at,
                       const Witness::Table& kept) {
  Witness::Table rest = kept;
  rest.count += before.count - looked_at.count;
  if (looked_at.id_max < before.id_max) rest.id_max = before.id_max;
  if (looked_at.updated_max < before.updated_max) rest.updated_max = before.updated_max;
  return rest;
}

bool is_as_high(const Witness::Table& after, const Witness::Table& before) {
  return after.id_max >= before.id_max && after.updated_max >= before.updated_max;
}

}  // namespace

std::string Witness::text() const {
  std::string text;
  append(text, resources);
  append(text, parameters);
  append(text, tags);
  return text;
}

std::optional<Witness> witness_in(std::string_view text) {
  Witness witness;
  const bool whole = take_table(text, witness.resources) && take_table(text, witness.parameters) &&
                     take_table(text, witness.tags) && text.empty();
  if (!whole) return std::nullopt;
  return witness;
}

Witness rest_of(const Witness& before, const Witness& looked_at, const Witness& kept) {
  return {rest_of(before.resources, looked_at.resources, kept.resources),
          rest_of(before.parameters, looked_at.parameters, kept.parameters),
          rest_of(before.tags, looked_at.tags, kept.tags)};
}

bool is_as_high(const Witness& after, const Witness& before) {
  return is_as_high(after.resources, before.resources) &&
         is_as_high(after.parameters, before.parameters) && is_as_high(after.tags, before.tags);
}

}  // namespace stompbox::catalog
