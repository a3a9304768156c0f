#include "broker/options/options_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include <toml++/toml.h>

#include "broker/access/mistakes.h"
#include "broker/options/nearest.h"
#include "broker/options/options_file_policy.h"
#include "broker/options/options_file_value.h"
#include "broker/options/options_table.h"

namespace stompbox::options {
namespace {

using access::Mistakes;
using storage::Error;
using storage::ErrorCode;
using storage::Status;

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const Row& row : table()) {
    if (names.empty() || names.back() != section_of(row)) names.push_back(section_of(row));
  }
  return names;
}

// The nearest key, in this section if there is one, else anywhere.
std::string nearest_key(std::string_view section, std::string_view name) {
  std::vector<std::string_view> here;
  for (const Row& row : table()) {
    if (section_of(row) == section) here.push_back(name_of(row));
  }
  if (const std::string near = nearest(name, here); !near.empty()) {
    return std::string(section) + "." + near;
  }
  for (const Row& row : table()) {
    if (name_of(row) == name) return std::string(row.key);
  }
  return {};
}

void apply_section(Options& options, std::string_view section, const toml::table& values,
                   Mistakes& mistakes) {
  for (const auto& [name, node] : values) {
    const std::string key = std::string(section) + "." + std::string(name.str());
    if (const Row* row = find_row(key); row != nullptr) {
      set_from_toml(row->field, options, key, node, mistakes);
    } else {
      mistakes.add(line_of(name),
                   with_hint("there is no option " + key, nearest_key(section, name.str())));
    }
  }
}

void apply_table(Options& options, const toml::table& root, Mistakes& mistakes) {
  std::vector<std::string_view> sections = section_names();
  for (const auto& [name, node] : root) {
    const std::string section(name.str());
    const toml::table* values = node.as_table();
    if (section == kPolicySection) {
      apply_policies(options, node, mistakes);
    } else if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
      const std::string near =
          values != nullptr ? nearest(section, sections) : nearest_key("", section);
      mistakes.add(line_of(name), with_hint("there is no section or option " + section, near));
    } else if (values == nullptr) {
      mistakes.add(line_of(name), section + " is a section: write [" + section + "]");
    } else {
      apply_section(options, section, *values, mistakes);
    }
  }
}

enum class Sentences { kNone, kAll };

std::string write_toml(const Options& options, Sentences sentences) {
  std::string out;
  std::string_view section;
  for (const Row& row : table()) {
    if (section_of(row) != section) {
      section = section_of(row);
      if (!out.empty()) out += '\n';
      out.append("[").append(section).append("]\n");
    }
    if (sentences == Sentences::kAll) {
      out.append("# ").append(row.help).append("\n# ").append(row.flag);
      const std::string placeholder = placeholder_of(row.field);
      if (!placeholder.empty()) out.append(" ").append(placeholder);
      out += '\n';
    }
    out.append(name_of(row)).append(" = ");
    append_value(out, row.field, show_field(row.field, options));
    out += '\n';
  }
  append_policies(out, options);
  return out;
}

}  // namespace

Status apply_toml(Options& options, std::string_view text, const std::string& source) {
  Mistakes mistakes(source);
  try {
    apply_table(options, toml::parse(text, source), mistakes);
  } catch (const toml::parse_error& error) {
    mistakes.add(error.source().begin.line, std::string(error.description()));
  }
  if (mistakes.empty()) return storage::kOk;
  return Error{ErrorCode::kInvalid, mistakes.text()};
}

Status apply_file(Options& options, const std::string& path) {
  std::error_code unknown;  // then reading it tells
  if (std::filesystem::is_directory(path, unknown)) {
    return Error{ErrorCode::kInvalid,
                 "the configuration file " + path + " is a folder: name the file in it"};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) {
    const std::string why = std::system_category().message(errno);
    return Error{ErrorCode::kNotFound,
                 "the configuration file " + path + " cannot be read: " + why};
  }
  options.config_file = path;
  return apply_toml(options, text, path);
}

std::string show_toml(const Options& options) {
  return write_toml(options, Sentences::kNone);
}

std::string sample_toml(const Options& options) {
  return write_toml(options, Sentences::kAll);
}

}  // namespace stompbox::options
