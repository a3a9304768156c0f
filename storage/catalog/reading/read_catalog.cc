#include "storage/catalog/reading/read_catalog.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "storage/catalog/reading/pson_node.h"
#include "storage/catalog/reading/pson_parse.h"
#include "storage/catalog/reading/pson_text.h"
#include "storage/catalog/reading/read_body.h"
#include "storage/catalog/reading/read_digest.h"
#include "storage/catalog/reading/read_resource.h"
#include "storage/catalog/reading/read_warnings.h"

namespace stompbox::catalog::reading {
namespace {

using storage::Error;
using storage::ErrorCode;

// The resources of one message as they come, and what there is to say about them.
class ResourceList {
 public:
  explicit ResourceList(const ReadOptions& options)
      : options_(options), text_(options.byte_policy), reader_(options, text_, warnings_) {}

  void restart() {
    text_.restart();
    warnings_.clear();
    clear();
  }
  void clear() {
    resources_.clear();
    value_count_ = 0;
  }
  [[nodiscard]] std::size_t values_left() const {
    return options_.value_count_max - std::min(value_count_, options_.value_count_max);
  }

  [[nodiscard]] storage::Status add(const PsonNode& node) {
    if (resources_.size() >= options_.resource_count_max) {
      return Error{ErrorCode::kTooLarge, "the catalog has more than " +
                                             std::to_string(options_.resource_count_max) +
                                             " resources"};
    }
    value_count_ += node.span;
    auto resource = reader_.read(node, resources_.size());
    if (!resource) return resource.error();
    resources_.push_back(std::move(*resource));
    return storage::kOk;
  }

  [[nodiscard]] PsonText& text() { return text_; }

  // Ends the list: moves all into the catalog.
  void move_to(Catalog& catalog) {
    drop_duplicates(resources_, warnings_);
    catalog.resources = std::move(resources_);
    for (std::string& finding : text_.findings())
      warnings_.add(std::move(finding));
    catalog.warnings = warnings_.take();
  }

 private:
  const ReadOptions& options_;
  PsonText text_;
  ReadWarnings warnings_;
  ResourceReader reader_;
  std::vector<Resource> resources_;
  std::size_t value_count_ = 0;
};

// What a parse begins with.
enum class Start { kDocument, kResources };

// Follows the events of one text. Only the resource at hand is on the tape; edges, classes and
// metadata pass by.
//
//   kOutside ─{─▶ kTop ─"data":{─▶ kData ─┐
//                  └───"resources":[──────┴─"resources":[─▶ kResources ─{─▶ kResource
//   anything else in kTop and kData: kSkipped until it closes
class CatalogHandler : public rapidjson::BaseReaderHandler<PsonBytes, CatalogHandler> {
 public:
  CatalogHandler(Start start, const ReadOptions& options, ResourceList& list)
      : start_(start), options_(options), list_(list), depth_max_(reader_depth(options)) {}

  void restart(const PsonSource& source);
  [[nodiscard]] Error error() const { return *error_; }
  // After a parse without error: node, environment and digest.
  [[nodiscard]] storage::Result<Catalog> finish();

  bool Null() { return scalar(PsonKind::kNull, {}); }
  bool Bool(bool value) { return scalar(value ? PsonKind::kTrue : PsonKind::kFalse, {}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return scalar(PsonKind::kNumber, source_->number({text, size}));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return scalar(PsonKind::kString, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool);
  bool StartObject();
  bool EndObject(rapidjson::SizeType count);
  bool StartArray();
  bool EndArray(rapidjson::SizeType count);

 private:
  enum class Place { kOutside, kTop, kData, kResources, kResource, kSkipped };
  enum class Field { kOther, kData, kName, kEnvironment, kResources, kValues, kCertname };

  // What the fields of a catalog have said; those of `data` count where there is a `data`.
  struct Fields {
    std::string name;
    std::string environment;
    std::string digest;  // of the resources; empty: none seen
    bool values_seen = false;
    bool certname_seen = false;
  };

  static Field field_of(std::string_view key);
  bool fail(ErrorCode code, std::string text);
  bool enter();
  bool scalar(PsonKind kind, std::string_view text);
  bool field_value(PsonKind kind, std::string_view text);
  bool skip();
  bool in_fields() const { return place_ == Place::kData || (place_ == Place::kTop && !in_data_); }
  void clear_tape() {
    tape_.clear();
    tape_max_ = list_.values_left();
  }
  bool tape_has_room();
  bool end_resource();
  bool resources_as_text(std::string_view text);
  void begin_resources();
  [[nodiscard]] std::string digest_of_resources() const;

  const Start start_;
  const ReadOptions& options_;
  ResourceList& list_;
  const std::size_t depth_max_;
  const PsonSource* source_ = nullptr;
  std::optional<Error> error_;
  PsonTape tape_;
  std::size_t tape_max_ = 0;  // nodes that the limit of values leaves to the resource at hand
  Fields fields_;
  Place place_ = Place::kOutside;
  Place outer_ = Place::kOutside;  // where kSkipped or kResources leads back to
  Field field_ = Field::kOther;    // of the last key in kTop or kData
  bool in_data_ = false;           // there is a `data`
  std::size_t depth_ = 0;
  std::size_t inner_ = 0;  // open containers within kResource or kSkipped
  std::size_t resources_start_ = 0;
};

void CatalogHandler::restart(const PsonSource& source) {
  source_ = &source;
  error_.reset();
  fields_ = {};
  place_ = Place::kOutside;
  field_ = Field::kOther;
  in_data_ = false;
  depth_ = inner_ = 0;
  list_.restart();
  list_.text().expect(source.traits());
}

CatalogHandler::Field CatalogHandler::field_of(std::string_view key) {
  if (key == "data") return Field::kData;
  if (key == "name") return Field::kName;
  if (key == "environment") return Field::kEnvironment;
  if (key == "resources") return Field::kResources;
  if (key == "values") return Field::kValues;
  if (key == "certname") return Field::kCertname;
  return Field::kOther;
}

bool CatalogHandler::fail(ErrorCode code, std::string text) {
  error_ = Error{code, std::move(text)};
  return false;
}

bool CatalogHandler::enter() {
  if (++depth_ <= depth_max_) return true;
  return fail(ErrorCode::kTooLarge, too_deep(depth_max_));
}

bool CatalogHandler::tape_has_room() {
  if (tape_.size() <= tape_max_) return true;
  return fail(ErrorCode::kTooLarge,
              "the catalog has more than " + std::to_string(options_.value_count_max) + " values");
}

bool CatalogHandler::Key(const char* text, rapidjson::SizeType size, bool) {
  if (place_ == Place::kResource) {
    tape_.add_text(PsonKind::kString, {text, size});
  } else if (place_ != Place::kSkipped) {
    field_ = field_of({text, size});
    if (in_fields() && field_ == Field::kValues) fields_.values_seen = true;
    if (in_fields() && field_ == Field::kCertname) fields_.certname_seen = true;
  }
  return true;
}

bool CatalogHandler::scalar(PsonKind kind, std::string_view text) {
  switch (place_) {
    case Place::kSkipped: return true;
    case Place::kResource: tape_.add_text(kind, text); return tape_has_room();
    case Place::kTop:
    case Place::kData: return in_fields() ? field_value(kind, text) : true;
    case Place::kResources:
      clear_tape();
      tape_.add_text(kind, text);
      return end_resource();
    case Place::kOutside: break;
  }
  return fail(ErrorCode::kInvalid, "the message is not an object");
}

bool CatalogHandler::field_value(PsonKind kind, std::string_view text) {
  const bool is_number = kind == PsonKind::kNumber;
  const bool is_text = kind == PsonKind::kString;
  if (field_ == Field::kResources && is_text) return resources_as_text(text);
  if (field_ == Field::kResources) fields_.digest.clear();
  if (field_ != Field::kName && field_ != Field::kEnvironment) return true;
  std::string& target = field_ == Field::kName ? fields_.name : fields_.environment;
  target = is_number ? number_text(text) : is_text ? list_.text().name(text) : std::string();
  return true;
}

bool CatalogHandler::skip() {
  if (place_ != Place::kSkipped) outer_ = std::exchange(place_, Place::kSkipped);
  ++inner_;
  return true;
}

bool CatalogHandler::StartObject() {
  if (!enter()) return false;
  switch (place_) {
    case Place::kOutside:
      if (start_ == Start::kResources) {
        return fail(ErrorCode::kInvalid, "the text of the resources is not a list");
      }
      place_ = Place::kTop;
      return true;
    case Place::kTop:
      if (field_ != Field::kData) return skip();
      place_ = Place::kData;
      in_data_ = true;
      fields_ = {};
      list_.clear();
      return true;
    case Place::kResources:
      clear_tape();
      place_ = Place::kResource;
      [[fallthrough]];
    case Place::kResource:
      tape_.open(PsonKind::kObject);
      ++inner_;
      return tape_has_room();
    case Place::kData:
    case Place::kSkipped: break;
  }
  return skip();
}

bool CatalogHandler::EndObject(rapidjson::SizeType count) {
  --depth_;
  switch (place_) {
    case Place::kResource:
      tape_.close(std::size_t{count} * 2);
      if (--inner_ > 0) return true;
      place_ = Place::kResources;
      return end_resource();
    case Place::kSkipped:
      if (--inner_ == 0) place_ = outer_;
      return true;
    case Place::kData: place_ = Place::kTop; return true;
    default: place_ = Place::kOutside; return true;
  }
}

void CatalogHandler::begin_resources() {
  outer_ = std::exchange(place_, Place::kResources);
  resources_start_ = source_->offset();
  list_.clear();
}

bool CatalogHandler::StartArray() {
  if (!enter()) return false;
  switch (place_) {
    case Place::kOutside:
      if (start_ == Start::kDocument) {
        return fail(ErrorCode::kInvalid, "the message is a list, not a catalog");
      }
      begin_resources();
      return true;
    case Place::kTop:
    case Place::kData:
      if (!in_fields() || field_ != Field::kResources) return skip();
      begin_resources();
      return true;
    case Place::kResources:
      clear_tape();
      tape_.add(PsonKind::kNull);
      return end_resource();  // refuses what is not an object
    case Place::kResource:
      tape_.open(PsonKind::kArray);
      ++inner_;
      return tape_has_room();
    case Place::kSkipped: break;
  }
  return skip();
}

std::string CatalogHandler::digest_of_resources() const {
  const std::size_t end = source_->offset();
  ReadDigest digest;
  digest.add(source_->text().substr(resources_start_, end - resources_start_));
  for (const OddNumber& number : source_->odd_numbers(resources_start_, end))
    digest.add(number.text);
  return digest.bytes();
}

bool CatalogHandler::EndArray(rapidjson::SizeType count) {
  --depth_;
  if (place_ == Place::kResource) {
    tape_.close(count);
    --inner_;
  } else if (place_ == Place::kSkipped) {
    if (--inner_ == 0) place_ = outer_;
  } else if (place_ == Place::kResources) {
    fields_.digest = digest_of_resources();
    place_ = outer_;
  }
  return true;
}

bool CatalogHandler::end_resource() {
  if (!tape_has_room()) return false;
  const storage::Status added = list_.add(tape_.root());
  return added ? true : fail(added.error().code, added.error().text);
}

// 0.25.0, and what 0.25.1 to 2.7 still accept: the list is JSON text in a string (facts 2.3).
bool CatalogHandler::resources_as_text(std::string_view text) {
  ReadDigest digest;
  digest.add(text);
  CatalogHandler inner(Start::kResources, options_, list_);
  const storage::Status parsed = parse_pson(text, inner);
  if (!parsed) {
    return fail(parsed.error().code, "in the text of the resources: " + parsed.error().text);
  }
  list_.text().expect(source_->traits());
  fields_.digest = digest.bytes();
  return true;
}

storage::Result<Catalog> CatalogHandler::finish() {
  const auto invalid = [](const char* text) { return Error{ErrorCode::kInvalid, text}; };
  if (fields_.digest.empty() && fields_.values_seen) {
    return invalid("these are facts, not a catalog: there are values and no resources");
  }
  if (fields_.name.empty() && fields_.certname_seen) {
    return invalid("a catalog in PuppetDB's wire format: it has certname instead of name");
  }
  if (fields_.name.empty()) return invalid("the catalog has no name");
  if (fields_.digest.empty()) return invalid("the catalog has no list of resources");
  Catalog catalog;
  catalog.digest = catalog_digest(options_, fields_.name, fields_.environment, fields_.digest);
  catalog.node = std::move(fields_.name);
  catalog.environment = std::move(fields_.environment);
  list_.move_to(catalog);
  return catalog;
}

}  // namespace

storage::Result<Catalog> read_catalog(std::string_view body, const ReadOptions& options) {
  if (auto size = check_size(body, options); !size) return size.error();
  ResourceList list(options);
  CatalogHandler handler(Start::kDocument, options, list);
  if (auto parsed = parse_pson(body, handler); !parsed) return parsed.error();
  return handler.finish();
}

}  // namespace stompbox::catalog::reading
