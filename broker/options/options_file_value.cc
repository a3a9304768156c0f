#include "broker/options/options_file_value.h"

#include <optional>
#include <sstream>
#include <variant>
#include <vector>

#include "broker/options/units.h"

namespace stompbox::options {
namespace {

// The text form of a TOML value; nothing for kinds that no option has.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return show_factor(number->get());
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

}  // namespace

void set_from_toml(const Field& field, Options& options, const std::string& key,
                   const toml::node& node, access::Mistakes& mistakes) {
  const auto texts = texts_of(node, field);
  if (!texts) {
    const bool takes_list = std::holds_alternative<ListField>(field);
    mistakes.add(line_of(node),
                 key + (takes_list ? " takes a list of texts" : " takes a single value"));
    return;
  }
  if (const auto status = set_field(field, options, *texts); !status) {
    mistakes.add(line_of(node), key + ": " + status.error().text);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  std::ostringstream quoted;
  const toml::value<std::string> value(text);
  quoted << toml::toml_formatter(value, toml::format_flags::none);  // "…", never '…'
  out += quoted.str();
}

void append_value(std::string& out, const Field& field, std::span<const std::string> texts) {
  if (is_bare(field)) {
    out += texts.front();
  } else if (std::holds_alternative<ListField>(field)) {
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

std::string with_hint(std::string sentence, const std::string& near) {
  if (!near.empty()) sentence += "; did you mean " + near + "?";
  return sentence;
}

}  // namespace stompbox::options
