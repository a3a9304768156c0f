#include "broker/options/options_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>
#include <vector>

#include <toml++/toml.h>

#include "broker/options/nearest.h"
#include "broker/options/options_table.h"

namespace stompbox::options {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

// What is read, for errors.
struct Source {
  const std::string& name;

  [[nodiscard]] Error error_at(const toml::source_region& where,
                               const std::string& sentence) const {
    return Error{ErrorCode::kInvalid,
                 name + ":" + std::to_string(where.begin.line) + ": " + sentence};
  }
};

std::string with_hint(std::string sentence, const std::string& near) {
  if (!near.empty()) sentence += "; did you mean " + near + "?";
  return sentence;
}

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

// The text form of a TOML value; nothing for kinds that no option has.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return std::nullopt;
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node, const Field& field) {
  std::vector<std::string> texts;
  const bool takes_list = std::holds_alternative<ListField>(field);
  const toml::array* array = node.as_array();
  if (array == nullptr || !takes_list) {
    const auto text = text_of(node);
    if (!text || takes_list) return std::nullopt;
    texts.push_back(*text);
    return texts;
  }
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    texts.push_back(text->get());
  }
  return texts;
}

Status apply_value(Options& options, const Row& row, const toml::node& node, const Source& source) {
  const auto texts = texts_of(node, row.field);
  if (!texts) {
    const bool takes_list = std::holds_alternative<ListField>(row.field);
    return source.error_at(
        node.source(),
        std::string(row.key) + (takes_list ? " takes a list of texts" : " takes a single value"));
  }
  const Status status = set_field(row.field, options, *texts);
  if (status) return status;
  return source.error_at(node.source(), std::string(row.key) + ": " + status.error().text);
}

Status apply_section(Options& options, std::string_view section, const toml::table& values,
                     const Source& source) {
  for (const auto& [name, node] : values) {
    const std::string key = std::string(section) + "." + std::string(name.str());
    const Row* row = find_row(key);
    if (row == nullptr) {
      return source.error_at(
          name.source(), with_hint("there is no option " + key, nearest_key(section, name.str())));
    }
    if (Status status = apply_value(options, *row, node, source); !status) return status;
  }
  return storage::kOk;
}

Status apply_table(Options& options, const toml::table& root, const Source& source) {
  const std::vector<std::string_view> sections = section_names();
  for (const auto& [name, node] : root) {
    const std::string section(name.str());
    const bool known = std::find(sections.begin(), sections.end(), section) != sections.end();
    const toml::table* values = node.as_table();
    if (!known) {
      const std::string near =
          values != nullptr ? nearest(section, sections) : nearest_key("", section);
      return source.error_at(name.source(),
                             with_hint("there is no section or option " + section, near));
    }
    if (values == nullptr) {
      return source.error_at(name.source(), section + " is a section: write [" + section + "]");
    }
    if (Status status = apply_section(options, section, *values, source); !status) return status;
  }
  return storage::kOk;
}

void append_quoted(std::string& out, std::string_view text) {
  std::ostringstream quoted;
  const toml::value<std::string> value(text);
  quoted << toml::toml_formatter(value, toml::format_flags::none);  // "…", never '…'
  out += quoted.str();
}

void append_value(std::string& out, const Row& row, const Options& options) {
  const std::vector<std::string> texts = show_field(row.field, options);
  const bool bare = std::holds_alternative<SwitchField>(row.field) ||
                    std::holds_alternative<CountField>(row.field) ||
                    std::holds_alternative<SmallCountField>(row.field);
  if (bare) {
    out += texts.front();
  } else if (std::holds_alternative<ListField>(row.field)) {
    out += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) out += ", ";
      append_quoted(out, texts[i]);
    }
    out += ']';
  } else {
    append_quoted(out, texts.front());
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
    append_value(out, row, options);
    out += '\n';
  }
  return out;
}

}  // namespace

Status apply_toml(Options& options, std::string_view text, const std::string& source) {
  try {
    const toml::table root = toml::parse(text, source);
    return apply_table(options, root, Source{source});
  } catch (const toml::parse_error& error) {
    return Source{source}.error_at(error.source(), std::string(error.description()));
  }
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
