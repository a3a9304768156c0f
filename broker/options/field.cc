#include "broker/options/field.h"

#include <utility>

#include "broker/options/nearest.h"
#include "broker/options/units.h"

namespace stompbox::options {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

Error invalid(std::string sentence) {
  return Error{ErrorCode::kInvalid, std::move(sentence)};
}

// Reading needs no writable options, but one kind of accessor is enough.
template <typename T>
const T& look(MemberOf<T> member, const Options& options) {
  return member(const_cast<Options&>(options));
}

Status check_bounds(std::uint64_t value, const Bounds& bounds, const std::string& text,
                    const std::string& unit = "") {
  if (value < bounds.least) {
    return invalid("'" + text + "' is too little, the least is " + std::to_string(bounds.least) +
                   unit);
  }
  if (value > bounds.most) {
    return invalid("'" + text + "' is too much, the most is " + std::to_string(bounds.most) + unit);
  }
  return storage::kOk;
}

template <typename T>
Status set_number(T& member, const storage::Result<std::uint64_t>& value, const Bounds& bounds,
                  const std::string& text) {
  if (!value) return value.error();
  if (Status status = check_bounds(*value, bounds, text); !status) return status;
  member = static_cast<T>(*value);
  return storage::kOk;
}

Status set(const SwitchField& field, Options& options, const std::string& text) {
  if (text != "true" && text != "false") return invalid("'" + text + "' is neither true nor false");
  field.member(options) = text == "true";
  return storage::kOk;
}

Status set(const TextField& field, Options& options, const std::string& text) {
  field.member(options) = text;
  return storage::kOk;
}

Status set(const OptionalTextField& field, Options& options, const std::string& text) {
  field.member(options) = text.empty() ? std::nullopt : std::optional(text);
  return storage::kOk;
}

Status set(const SizeField& field, Options& options, const std::string& text) {
  return set_number(field.member(options), parse_size(text), field.bounds, text);
}

Status set(const CountField& field, Options& options, const std::string& text) {
  return set_number(field.member(options), parse_count(text), field.bounds, text);
}

Status set(const SmallCountField& field, Options& options, const std::string& text) {
  return set_number(field.member(options), parse_count(text), field.bounds, text);
}

Status set(const ModeField& field, Options& options, const std::string& text) {
  const auto mode = parse_mode(text);
  if (!mode) return mode.error();
  field.member(options) = *mode;
  return storage::kOk;
}

Status set(const DurationField& field, Options& options, const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error();
  const auto value = static_cast<std::uint64_t>(duration->count());
  if (Status status = check_bounds(value, field.bounds, text, "ms"); !status) return status;
  field.member(options) = *duration;
  return storage::kOk;
}

Status set(const FactorField& field, Options& options, const std::string& text) {
  const auto factor = parse_factor(text);
  if (!factor) return factor.error();
  field.member(options) = *factor;
  return storage::kOk;
}

std::string joined(std::span<const std::string_view> words, std::string_view between) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

Status set(const ChoiceField& field, Options& options, const std::string& text) {
  for (std::size_t i = 0; i < field.words.size(); ++i) {
    if (field.words[i] != text) continue;
    field.set(options, i);
    return storage::kOk;
  }
  std::string sentence = "'" + text + "' is none of " + joined(field.words, ", ");
  if (const std::string near = nearest(text, field.words); !near.empty()) {
    sentence += "; did you mean " + near + "?";
  }
  return invalid(std::move(sentence));
}

std::string show(const SwitchField& field, const Options& options) {
  return look(field.member, options) ? "true" : "false";
}
std::string show(const TextField& field, const Options& options) {
  return look(field.member, options);
}
std::string show(const OptionalTextField& field, const Options& options) {
  return look(field.member, options).value_or("");
}
std::string show(const SizeField& field, const Options& options) {
  return show_size(look(field.member, options));
}
std::string show(const CountField& field, const Options& options) {
  return std::to_string(look(field.member, options));
}
std::string show(const SmallCountField& field, const Options& options) {
  return std::to_string(look(field.member, options));
}
std::string show(const ModeField& field, const Options& options) {
  return show_mode(look(field.member, options));
}
std::string show(const DurationField& field, const Options& options) {
  return show_duration(look(field.member, options));
}
std::string show(const FactorField& field, const Options& options) {
  return show_factor(look(field.member, options));
}
std::string show(const ChoiceField& field, const Options& options) {
  return std::string(field.words[field.get(options)]);
}

template <typename Kind>
Status set_from(const Kind& kind, Options& options, std::span<const std::string> texts) {
  if (texts.size() != 1) return invalid("takes one value");
  return set(kind, options, texts.front());
}

Status set_from(const ListField& field, Options& options, std::span<const std::string> texts) {
  field.member(options).assign(texts.begin(), texts.end());
  return storage::kOk;
}

template <typename Kind>
std::vector<std::string> show_all(const Kind& kind, const Options& options) {
  return {show(kind, options)};
}

std::vector<std::string> show_all(const ListField& field, const Options& options) {
  return look(field.member, options);
}

std::string placeholder(const SwitchField&) {
  return {};
}
std::string placeholder(const TextField& field) {
  return std::string(field.placeholder);
}
std::string placeholder(const OptionalTextField& field) {
  return std::string(field.placeholder);
}
std::string placeholder(const ListField& field) {
  return std::string(field.placeholder);
}
std::string placeholder(const SizeField&) {
  return "SIZE";
}
std::string placeholder(const CountField&) {
  return "COUNT";
}
std::string placeholder(const SmallCountField&) {
  return "COUNT";
}
std::string placeholder(const ModeField&) {
  return "MODE";
}
std::string placeholder(const DurationField&) {
  return "TIME";
}
std::string placeholder(const FactorField&) {
  return "FACTOR";
}
std::string placeholder(const ChoiceField& field) {
  return joined(field.words, "|");
}

}  // namespace

Status set_field(const Field& field, Options& options, std::span<const std::string> texts) {
  return std::visit([&options, &texts](const auto& kind) { return set_from(kind, options, texts); },
                    field);
}

std::vector<std::string> show_field(const Field& field, const Options& options) {
  return std::visit([&options](const auto& kind) { return show_all(kind, options); }, field);
}

bool is_bare(const Field& field) {
  return std::holds_alternative<SwitchField>(field) || std::holds_alternative<CountField>(field) ||
         std::holds_alternative<SmallCountField>(field) ||
         std::holds_alternative<FactorField>(field);
}

std::string placeholder_of(const Field& field) {
  return std::visit([](const auto& kind) { return placeholder(kind); }, field);
}

}  // namespace stompbox::options
