#include "broker/faces/stompserver_yaml.h"

#include <yaml-cpp/yaml.h>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

std::string place(const std::string& source, const YAML::Mark& mark) {
  return source + " line " + std::to_string(mark.line + 1);
}

// Ruby's symbols begin with a colon; yaml-cpp leaves the other one to the mapping.
std::string plain_key(const YAML::Node& node) {
  const std::string& key = node.Scalar();
  return key.starts_with(':') ? key.substr(1) : key;
}

storage::Status apply_pair(StompserverSettings& settings, const YAML::Node& name,
                           const YAML::Node& value, const std::string& source,
                           std::vector<std::string>& warnings) {
  const std::string where = place(source, name.Mark());
  if (!name.IsScalar()) return Error{ErrorCode::kInvalid, where + ": a key is not a word"};
  const std::string key = plain_key(name);
  const SettingRow* const row = find_setting(key);
  if (row == nullptr) {
    warnings.push_back(where + ": there is no key " + key + ", it is ignored");
    return storage::kOk;
  }
  if (value.IsNull() || (value.IsScalar() && value.Scalar().empty())) return storage::kOk;
  if (!value.IsScalar()) {
    return Error{ErrorCode::kInvalid, where + ": the value of " + key + " is not a single one"};
  }
  if (auto status = set_setting(settings, *row, value.Scalar()); !status) {
    return Error{ErrorCode::kInvalid, where + ": " + key + " " + status.error().text};
  }
  return storage::kOk;
}

storage::Status apply_document(StompserverSettings& settings, const YAML::Node& document,
                               const std::string& source, std::vector<std::string>& warnings) {
  if (!document.IsDefined() || document.IsNull()) return storage::kOk;
  if (!document.IsMap()) {
    return Error{ErrorCode::kInvalid, source + " is not a list of `:key: value` lines"};
  }
  for (const auto& pair : document) {
    auto status = apply_pair(settings, pair.first, pair.second, source, warnings);
    if (!status) return status;
  }
  return storage::kOk;
}

}  // namespace

storage::Status apply_yaml(StompserverSettings& settings, std::string_view text,
                           const std::string& source, std::vector<std::string>& warnings) {
  try {
    return apply_document(settings, YAML::Load(std::string(text)), source, warnings);
  } catch (const YAML::Exception& fault) {
    return Error{ErrorCode::kInvalid, place(source, fault.mark) + ": " + fault.msg};
  }
}

}  // namespace stompbox::faces
