#include "storage/catalog/care/node_line.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "storage/catalog/reading/pson_text.h"
#include "storage/utf8.h"

namespace stompbox::catalog::care {
namespace {

using rapidjson::Value;
using storage::Error;
using storage::ErrorCode;
using storage::Result;

constexpr int kForm = 1;
constexpr const char* kFormName = "stompbox_node";
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  if (text.size() % 4 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    unsigned group = 0;
    std::size_t count = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t digit = kDigits.find(text[i + k]);
      const bool padding = text[i + k] == '=' && i + 4 == text.size() && k >= 2;
      if (digit == std::string_view::npos && !padding) return std::nullopt;
      group = group << 6 | (padding ? 0U : static_cast<unsigned>(digit));
      count += padding ? 0 : 1;
    }
    for (std::size_t k = 0; k + 1 < count; ++k)
      bytes += static_cast<char>(group >> (16 - 8 * k) & 255);
  }
  return bytes;
}

class LineWriter {
 public:
  std::string run(const NodeLine& node) {
    json_.StartObject();
    key(kFormName);
    json_.Int(kForm);
    field("node", node.catalog.node);
    field_or_null("environment", node.environment);
    field_or_null("ip", node.ip);
    field_or_null("last_compile", node.last_compile);
    if (node.compiled) resources(node.catalog);
    key("facts");
    json_.StartArray();
    for (const Fact& fact : node.facts.facts)
      named(fact.name, fact.values);
    json_.EndArray();
    json_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void key(const char* name) { json_.Key(name); }

  void text(std::string_view text) {
    if (storage::is_utf8(text)) {
      json_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
      return;
    }
    const std::string base64 = to_base64(text);
    json_.StartObject();
    key("base64");
    json_.String(base64.data(), static_cast<rapidjson::SizeType>(base64.size()));
    json_.EndObject();
  }

  void field(const char* name, std::string_view value) {
    key(name);
    text(value);
  }
  void field_or_null(const char* name, const std::optional<std::string>& value) {
    key(name);
    value ? text(*value) : static_cast<void>(json_.Null());
  }

  void texts(const std::vector<std::string>& all) {
    json_.StartArray();
    for (const std::string& one : all)
      text(one);
    json_.EndArray();
  }

  void named(const std::string& name, const std::vector<std::string>& values) {
    json_.StartObject();
    field("name", name);
    key("values");
    texts(values);
    json_.EndObject();
  }

  void resources(const Catalog& catalog) {
    key("resources");
    json_.StartArray();
    for (const Resource& resource : catalog.resources) {
      json_.StartObject();
      field("type", resource.type);
      field("title", resource.title);
      key("exported");
      json_.Bool(resource.exported);
      field_or_null("file", resource.file);
      key("line");
      resource.line ? json_.Int64(*resource.line) : json_.Null();
      key("parameters");
      json_.StartArray();
      for (const Parameter& parameter : resource.parameters)
        named(parameter.name, parameter.values);
      json_.EndArray();
      key("tags");
      texts(resource.tags);
      json_.EndObject();
    }
    json_.EndArray();
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{buffer_};
};

// Keeps the first thing that is wrong.
class LineReader {
 public:
  Result<NodeLine> run(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
        json.data(), json.size());
    if (document.HasParseError()) {
      const std::string what = rapidjson::GetParseError_En(document.GetParseError());
      return invalid("it is no JSON: " + what + " (byte " +
                     std::to_string(document.GetErrorOffset() + 1) + ")");
    }
    if (!document.IsObject() || !document.HasMember(kFormName)) {
      return invalid("it is none of 'stompbox store export'");
    }
    if (!document[kFormName].IsInt() || document[kFormName].GetInt() != kForm) {
      return Error{ErrorCode::kVersion, "it was written by a newer program: use that one"};
    }
    NodeLine node = read_node(document);
    if (!wrong_.empty()) return invalid(wrong_);
    return node;
  }

 private:
  static Error invalid(std::string what) { return {ErrorCode::kInvalid, std::move(what)}; }

  void note(const char* name, const char* what) {
    if (wrong_.empty()) wrong_ = std::string("\"") + name + "\" " + what;
  }

  const Value& member(const Value& object, const char* name) {
    static const Value nothing;
    const auto at = object.IsObject() ? object.FindMember(name) : Value::ConstMemberIterator();
    if (object.IsObject() && at != object.MemberEnd()) return at->value;
    note(name, "is missing");
    return nothing;
  }

  std::string text(const Value& value, const char* name) {
    if (value.IsString()) return {value.GetString(), value.GetStringLength()};
    if (value.IsObject() && value.HasMember("base64") && value["base64"].IsString()) {
      const Value& base64 = value["base64"];
      auto bytes = from_base64({base64.GetString(), base64.GetStringLength()});
      if (bytes) return std::move(*bytes);
    }
    note(name, "is no text");
    return {};
  }
  std::string text_of(const Value& object, const char* name) {
    return text(member(object, name), name);
  }
  // NULL in the database.
  std::optional<std::string> text_or_null(const Value& object, const char* name) {
    const Value& value = member(object, name);
    if (value.IsNull()) return std::nullopt;
    return text(value, name);
  }

  Value::ConstArray list(const Value& object, const char* name) {
    static const Value empty(rapidjson::kArrayType);
    const Value& value = member(object, name);
    if (value.IsArray()) return value.GetArray();
    note(name, "is no list");
    return empty.GetArray();
  }

  std::vector<std::string> texts(const Value& object, const char* name) {
    std::vector<std::string> all;
    for (const Value& one : list(object, name))
      all.push_back(text(one, name));
    return all;
  }

  template <typename Named>
  std::vector<Named> named(const Value& object, const char* name) {
    std::vector<Named> all;
    for (const Value& one : list(object, name)) {
      all.push_back({text_of(one, "name"), texts(one, "values")});
      if (all.back().values.empty()) note("values", "is empty");
    }
    return all;
  }

  Resource read_resource(const Value& value) {
    Resource resource;
    resource.type = text_of(value, "type");
    resource.title = text_of(value, "title");
    resource.file = text_or_null(value, "file");
    const Value& exported = member(value, "exported");
    if (!exported.IsBool()) note("exported", "is neither true nor false");
    resource.exported = exported.IsTrue();
    const Value& line = member(value, "line");
    if (line.IsInt64()) resource.line = line.GetInt64();
    if (!line.IsInt64() && !line.IsNull()) note("line", "is no number");
    resource.parameters = named<Parameter>(value, "parameters");
    resource.tags = texts(value, "tags");
    return resource;
  }

  NodeLine read_node(const Value& value) {
    NodeLine node;
    node.catalog.node = text_of(value, "node");
    if (node.catalog.node.empty()) note("node", "is empty");
    node.facts.node = node.catalog.node;
    node.environment = text_or_null(value, "environment");
    node.catalog.environment = node.environment.value_or("");
    node.ip = text_or_null(value, "ip");
    node.last_compile = text_or_null(value, "last_compile");
    node.compiled = value.HasMember("resources");
    if (node.compiled) {
      for (const Value& resource : list(value, "resources"))
        node.catalog.resources.push_back(read_resource(resource));
    }
    node.facts.facts = named<Fact>(value, "facts");
    return node;
  }

  std::string wrong_;
};

}  // namespace

std::string to_json(const NodeLine& node) {
  return LineWriter().run(node);
}

Result<NodeLine> parse_node_line(std::string_view json) {
  return LineReader().run(json);
}

}  // namespace stompbox::catalog::care
