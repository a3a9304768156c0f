#include "storage/catalog/node_changes.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace stompbox::catalog {
namespace {

using Change = NodeChanges::Change;
using Kind = NodeChanges::Kind;

// Stored rows that a save changes, by id.
class ChangedRows {
 public:
  ChangedRows(const StoredRows& stored, NamesTable& names) : stored_(stored), names_(names) {}

  void add(const CatalogDiff& diff) {
    for (const auto& change : diff.changed_resources)
      note(change.id).place = true;
    for (const auto& added : diff.new_tags)
      note(added.resource_id).tags = true;
    for (const auto& added : diff.new_parameters)
      note_parameter(added.resource_id, added.parameter->name);
    add_removed(diff);
  }

  [[nodiscard]] std::vector<Change> take() {
    std::vector<Change> changes;
    for (auto& [id, change] : changes_)
      changes.push_back(std::move(change));
    return changes;
  }

  [[nodiscard]] const StoredResource* row(std::int64_t id) const {
    const auto at = std::ranges::lower_bound(stored_.resources, id, {}, &StoredResource::id);
    return at != stored_.resources.end() && at->id == id ? &*at : nullptr;
  }

 private:
  Change& note(std::int64_t id) {
    Change& change = changes_[id];
    if (const StoredResource* found = change.type.empty() ? row(id) : nullptr) {
      change = {Kind::kChanged, std::string(found->type), std::string(found->title), {}};
    }
    return change;
  }

  void note_parameter(std::int64_t id, std::string_view name) {
    std::vector<std::string>& names = note(id).parameters;
    if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
  }

  void add_removed(const CatalogDiff& diff) {
    const std::vector<std::int64_t> parameters = sorted(diff.removed_parameters);
    const std::vector<std::int64_t> tags = sorted(diff.removed_tags);
    if (parameters.empty() && tags.empty()) return;
    for (const StoredResource& resource : stored_.resources) {
      for (std::size_t i = resource.parameters_begin; i < resource.parameters_end; ++i) {
        const StoredParameter& parameter = stored_.parameters[i];
        if (!std::ranges::binary_search(parameters, parameter.id)) continue;
        if (const auto name = names_.name_of(parameter.name_id)) note_parameter(resource.id, *name);
      }
      for (std::size_t i = resource.tags_begin; i < resource.tags_end && !tags.empty(); ++i) {
        if (std::ranges::binary_search(tags, stored_.tags[i].id)) note(resource.id).tags = true;
      }
    }
  }

  static std::vector<std::int64_t> sorted(std::vector<std::int64_t> ids) {
    std::ranges::sort(ids);
    return ids;
  }

  const StoredRows& stored_;
  NamesTable& names_;
  std::map<std::int64_t, Change> changes_;  // by resource id
};

// Whatever the character set of the table: printable ASCII stays, the rest is %XX.
void append_escaped(std::string& text, std::string_view part) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '%') {
      text += c;
    } else {
      text += '%';
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
}

std::string unescaped(std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    unsigned code = 0;
    const char* const digits = part.data() + i + 1;
    const bool escape = part[i] == '%' && i + 2 < part.size() &&
                        std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2;
    text += escape ? static_cast<char>(code) : part[i];
    if (escape) i += 2;
  }
  return text;
}

std::string line_of(const Change& change) {
  std::string line(1, change.kind == Kind::kAdded     ? '+'
                      : change.kind == Kind::kRemoved ? '-'
                                                      : '~');
  const auto add = [&line](std::string_view part) {
    line += '\t';
    append_escaped(line, part);
  };
  add(change.type);
  add(change.title);
  if (change.kind == Kind::kChanged) {
    add(std::string(change.tags ? "t" : "") + (change.place ? "p" : ""));
    for (const std::string& name : change.parameters)
      add(name);
  }
  return line + "\n";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<Change> change_in(std::string_view line) {
  constexpr std::string_view kKinds = "+-~";
  const std::vector<std::string_view> parts = split(line, '\t');
  if (parts.size() < 3 || parts[0].size() != 1) return std::nullopt;
  const std::size_t kind = kKinds.find(parts[0][0]);
  if (kind == std::string_view::npos) return std::nullopt;
  Change change{static_cast<Kind>(kind), unescaped(parts[1]), unescaped(parts[2]), {}};
  if (parts.size() > 3) {
    change.tags = parts[3].find('t') != std::string_view::npos;
    change.place = parts[3].find('p') != std::string_view::npos;
  }
  for (std::size_t i = 4; i < parts.size(); ++i)
    change.parameters.push_back(unescaped(parts[i]));
  return change;
}

std::size_t count_in(std::string_view text) {
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

NodeChanges changes_of(const StoredRows& stored, const CatalogDiff& diff,
                       NamesTable& parameter_names) {
  NodeChanges made;
  made.added_count = diff.new_resources.size();
  if (stored.resources.empty() && stored.left_out_count == 0) return made;
  ChangedRows rows(stored, parameter_names);
  for (const std::int64_t id : diff.removed_resources) {
    const StoredResource* const row = rows.row(id);
    if (row == nullptr) continue;  // a twin's
    made.changes.push_back({Kind::kRemoved, std::string(row->type), std::string(row->title), {}});
  }
  made.removed_count = made.changes.size();
  rows.add(diff);
  std::ranges::move(rows.take(), std::back_inserter(made.changes));
  made.changed_count = made.changes.size() - made.removed_count;
  for (const Resource* resource : diff.new_resources)
    made.changes.push_back({Kind::kAdded, resource->type, resource->title, {}});
  return made;
}

std::string to_text(const NodeChanges& changes) {
  std::string text = std::to_string(changes.added_count) + " " +
                     std::to_string(changes.removed_count) + " " +
                     std::to_string(changes.changed_count) + "\n";
  for (const Change& change : changes.changes) {
    const std::string line = line_of(change);
    if (text.size() + line.size() > kChangesBytesMax) break;
    text += line;
  }
  return text;
}

NodeChanges changes_in(std::string_view text) {
  NodeChanges changes;
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.empty()) return changes;
  const std::vector<std::string_view> counts = split(lines[0], ' ');
  if (counts.size() < 3) return changes;
  changes.added_count = count_in(counts[0]);
  changes.removed_count = count_in(counts[1]);
  changes.changed_count = count_in(counts[2]);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (auto change = change_in(lines[i])) changes.changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace stompbox::catalog
