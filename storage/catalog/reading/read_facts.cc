#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "storage/catalog/reading/pson_node.h"
#include "storage/catalog/reading/pson_parse.h"
#include "storage/catalog/reading/pson_text.h"
#include "storage/catalog/reading/read_body.h"
#include "storage/catalog/reading/read_catalog.h"
#include "storage/catalog/reading/read_warnings.h"
#include "storage/catalog/reading/stored_value.h"

namespace stompbox::catalog::reading {
namespace {

using storage::Error;
using storage::ErrorCode;

// A time that masters of 3.x and 2.x keep among the facts (facts 4.5).
bool is_timestamp(std::string_view name) {
  return name == "_timestamp" || name == ":_timestamp";
}

bool is_scalar(const PsonNode* node) {
  return node != nullptr && !node->is_container() && node->kind != PsonKind::kNull;
}

// The fields of a facts document; the last of equal keys.
struct FactsFields {
  const PsonNode* name = nullptr;
  const PsonNode* values = nullptr;
  const PsonNode* timestamp = nullptr;
  const PsonNode* resources = nullptr;
  const PsonNode* data = nullptr;

  explicit FactsFields(const PsonNode& object) {
    for (const PsonNode* key = object.first(); key != object.after();) {
      const PsonNode* value = key->after();
      const std::string_view text = key->text();
      if (text == "name") name = value;
      if (text == "values") values = value;
      if (text == "timestamp") timestamp = value;
      if (text == "resources") resources = value;
      if (text == "data") data = value;
      key = value->after();
    }
  }
};

// Puts the whole message on the tape (facts are small) and reads it when it is closed.
class FactsHandler : public rapidjson::BaseReaderHandler<PsonBytes, FactsHandler> {
 public:
  explicit FactsHandler(const ReadOptions& options)
      : options_(options),
        depth_max_(reader_depth(options)),
        text_(options.byte_policy),
        stored_(text_,
                options.store_sensitive ? SensitivePolicy::kStore : SensitivePolicy::kWithhold) {}

  void restart(const PsonSource& source) {
    source_ = &source;
    error_.reset();
    tape_.clear();
    depth_ = 0;
    facts_ = {};
    text_.restart();
    text_.expect(source.traits());
  }
  [[nodiscard]] Error error() const { return *error_; }
  [[nodiscard]] NodeFacts take() { return std::move(facts_); }

  bool Null() { return add(PsonKind::kNull, {}); }
  bool Bool(bool value) { return add(value ? PsonKind::kTrue : PsonKind::kFalse, {}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return add(PsonKind::kNumber, source_->number({text, size}));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add(PsonKind::kString, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    return add(PsonKind::kString, {text, size});
  }
  bool StartObject() { return open(PsonKind::kObject); }
  bool StartArray() { return open(PsonKind::kArray); }
  bool EndObject(rapidjson::SizeType count) { return close(std::size_t{count} * 2); }
  bool EndArray(rapidjson::SizeType count) { return close(count); }

 private:
  bool fail(ErrorCode code, std::string text) {
    error_ = Error{code, std::move(text)};
    return false;
  }
  bool has_room();
  bool add(PsonKind kind, std::string_view text);
  bool open(PsonKind kind);
  bool close(std::size_t child_count);
  bool read_document(const PsonNode& root);
  void read_values(const PsonNode& values);
  void read_fact(const PsonNode& name, const PsonNode& value);
  void drop_overridden();

  const ReadOptions& options_;
  const std::size_t depth_max_;
  PsonText text_;
  StoredValues stored_;
  const PsonSource* source_ = nullptr;
  PsonTape tape_;
  std::size_t depth_ = 0;
  NodeFacts facts_;
  std::optional<Error> error_;
};

bool FactsHandler::has_room() {
  if (tape_.size() <= options_.value_count_max) return true;
  return fail(ErrorCode::kTooLarge,
              "the facts have more than " + std::to_string(options_.value_count_max) + " values");
}

bool FactsHandler::add(PsonKind kind, std::string_view text) {
  tape_.add_text(kind, text);
  return has_room();
}

bool FactsHandler::open(PsonKind kind) {
  if (++depth_ > depth_max_) return fail(ErrorCode::kTooLarge, too_deep(depth_max_));
  tape_.open(kind);
  return has_room();
}

bool FactsHandler::close(std::size_t child_count) {
  tape_.close(child_count);
  return --depth_ > 0 || read_document(tape_.root());
}

bool FactsHandler::read_document(const PsonNode& root) {
  if (root.kind != PsonKind::kObject) {
    return fail(ErrorCode::kInvalid, "the message is a list, not facts");
  }
  FactsFields fields(root);
  if (fields.data != nullptr && fields.data->kind == PsonKind::kObject) {
    fields = FactsFields(*fields.data);
  }
  const bool has_values = fields.values != nullptr && fields.values->kind == PsonKind::kObject;
  if (!has_values && fields.resources != nullptr) {
    return fail(ErrorCode::kInvalid,
                "this is a catalog, not facts: there are resources and no values");
  }
  if (is_scalar(fields.name)) facts_.node = text_.name(stored_.scalar(*fields.name));
  if (facts_.node.empty()) return fail(ErrorCode::kInvalid, "the facts have no name");
  if (!has_values) return fail(ErrorCode::kInvalid, "the facts have no values");
  read_values(*fields.values);
  if (is_scalar(fields.timestamp)) facts_.timestamp = stored_.scalar(*fields.timestamp);
  facts_.warnings = text_.findings();
  return true;
}

void FactsHandler::read_values(const PsonNode& values) {
  facts_.facts.reserve(values.size / 2);
  for (const PsonNode* name = values.first(); name != values.after();) {
    const PsonNode* value = name->after();
    read_fact(*name, *value);
    name = value->after();
  }
  drop_overridden();
}

// Names with a leading underscore are Puppet's own (facts 2.6); the time among them is kept.
void FactsHandler::read_fact(const PsonNode& name, const PsonNode& value) {
  if (is_timestamp(name.text()) && is_scalar(&value)) facts_.timestamp = stored_.scalar(value);
  if (is_timestamp(name.text()) || name.text().starts_with('_')) return;
  facts_.facts.push_back({text_.name(name.text()), stored_.rows(value, TextRule::kFact)});
}

// The last of equal names counts; a fact without a row is no fact.
void FactsHandler::drop_overridden() {
  std::unordered_set<std::string_view> seen(facts_.facts.size());
  for (std::size_t i = facts_.facts.size(); i-- > 0;) {
    Fact& fact = facts_.facts[i];
    if (!seen.insert(fact.name).second) fact.values.clear();
  }
  std::erase_if(facts_.facts, [](const Fact& fact) { return fact.values.empty(); });
}

}  // namespace

storage::Result<NodeFacts> read_facts(std::string_view body, const ReadOptions& options) {
  if (auto size = check_size(body, options); !size) return size.error();
  FactsHandler handler(options);
  if (auto parsed = parse_pson(body, handler); !parsed) return parsed.error();
  return handler.take();
}

}  // namespace stompbox::catalog::reading
