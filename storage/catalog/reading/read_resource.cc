#include "storage/catalog/reading/read_resource.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <unordered_set>
#include <utility>

namespace stompbox::catalog::reading {
namespace {

using storage::Error;
using storage::ErrorCode;

// Up to here a search from front to back beats a set.
constexpr std::size_t kShortListMax = 32;

constexpr std::string_view kSeparator = "::";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

// \w of Ruby, and the letters beyond ASCII that Puppet 4.9 and later let in.
constexpr bool is_word(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c >= 0x80;
}

constexpr auto kTagBytes = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < table.size(); ++c) {
    table[c] = is_word(static_cast<unsigned char>(c)) || c == '-' || c == ':' || c == '.';
  }
  return table;
}();

std::string reference(const Resource& resource) {
  return shown(resource.type + "[" + resource.title + "]");
}

// The list has each name once afterwards: the last one's values (as PSON reads duplicate keys).
void drop_overridden(std::vector<Parameter>& parameters) {
  const std::size_t count = parameters.size();
  if (count <= kShortListMax) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t later = i + 1; later < count; ++later) {
        if (parameters[i].name == parameters[later].name) parameters[i].values.clear();
      }
    }
  } else {
    std::unordered_set<std::string_view> seen(count);
    for (std::size_t i = count; i-- > 0;) {
      if (!seen.insert(parameters[i].name).second) parameters[i].values.clear();
    }
  }
  std::erase_if(parameters, [](const Parameter& parameter) { return parameter.values.empty(); });
}

void make_unique(std::vector<std::string>& tags) {
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

// Beyond a short list equal tags are let in and sorted out in the end.
void add_new(std::string tag, std::vector<std::string>& tags) {
  const bool look = tags.size() <= kShortListMax;
  if (look && std::find(tags.begin(), tags.end(), tag) != tags.end()) return;
  tags.push_back(std::move(tag));
}

// "a::b" is a tag of "a" and of "b" too.
void add_segments(std::string_view tag, std::vector<std::string>& tags) {
  while (!tag.empty()) {
    const std::size_t end = std::min(tag.find(kSeparator), tag.size());
    if (end > 0) add_new(std::string(tag.substr(0, end)), tags);
    tag.remove_prefix(std::min(end + kSeparator.size(), tag.size()));
  }
}

// Names whose values are secret, sorted.
std::vector<std::string_view> sensitive_names(const PsonNode* list) {
  std::vector<std::string_view> names;
  if (list == nullptr || list->kind != PsonKind::kArray) return names;
  for (const PsonNode* name = list->first(); name != list->after(); name = name->after()) {
    if (name->is_text()) names.push_back(name->text());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::int64_t> line_number(const PsonNode& node) {
  if (node.kind != PsonKind::kNumber) return std::nullopt;
  const std::string_view text = node.text();
  std::int64_t line = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), line);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return line;
}

}  // namespace

std::string capitalised_type(std::string_view type) {
  std::string out(type);
  bool first = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = first ? upper(out[i]) : lower(out[i]);
    first = out[i] == ':' && i > 0 && out[i - 1] == ':';
  }
  return out;
}

bool is_valid_tag(std::string_view tag) {
  if (tag.empty() || !is_word(static_cast<unsigned char>(tag.front()))) return false;
  return std::all_of(tag.begin(), tag.end(),
                     [](char c) { return kTagBytes[static_cast<unsigned char>(c)]; });
}

void drop_duplicates(std::vector<Resource>& resources, ReadWarnings& warnings) {
  struct Hash {
    std::size_t operator()(const Resource* r) const {
      return std::hash<std::string_view>{}(r->title) * 31 + std::hash<std::string_view>{}(r->type);
    }
  };
  struct Equal {
    bool operator()(const Resource* a, const Resource* b) const {
      return a->title == b->title && a->type == b->type;
    }
  };
  std::unordered_set<const Resource*, Hash, Equal> seen(resources.size());
  std::vector<std::size_t> overridden;
  for (std::size_t i = resources.size(); i-- > 0;) {
    if (!seen.insert(&resources[i]).second) overridden.push_back(i);
  }
  if (overridden.empty()) return;
  std::vector<Resource> kept;
  kept.reserve(resources.size() - overridden.size());
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (!overridden.empty() && overridden.back() == i) {
      overridden.pop_back();
      warnings.add(reference(resources[i]) + " is there twice: the last one counts");
    } else {
      kept.push_back(std::move(resources[i]));
    }
  }
  resources = std::move(kept);
}

// The known fields of a resource object; the last of equal keys.
struct ResourceReader::Fields {
  const PsonNode* type = nullptr;
  const PsonNode* title = nullptr;
  const PsonNode* tags = nullptr;
  const PsonNode* file = nullptr;
  const PsonNode* line = nullptr;
  const PsonNode* exported = nullptr;
  const PsonNode* parameters = nullptr;
  const PsonNode* sensitive = nullptr;
  const PsonNode* data = nullptr;

  explicit Fields(const PsonNode& object) {
    for (const PsonNode* key = object.first(); key != object.after();) {
      const PsonNode* value = key->after();
      if (const PsonNode** place = field(key->text())) *place = value;
      key = value->after();
    }
  }

  const PsonNode** field(std::string_view key) {
    if (key == "type") return &type;
    if (key == "title") return &title;
    if (key == "tags") return &tags;
    if (key == "file") return &file;
    if (key == "line") return &line;
    if (key == "exported") return &exported;
    if (key == "parameters") return &parameters;
    if (key == "sensitive_parameters") return &sensitive;
    if (key == "data") return &data;
    return nullptr;
  }
};

ResourceReader::ResourceReader(const ReadOptions& options, PsonText& text, ReadWarnings& warnings)
    : text_(text),
      warnings_(warnings),
      store_sensitive_(options.store_sensitive),
      values_(text,
              options.store_sensitive ? SensitivePolicy::kStore : SensitivePolicy::kWithhold) {}

storage::Result<Resource> ResourceReader::read(const PsonNode& node, std::size_t index) {
  const auto fail = [index](const std::string& what) {
    return Error{ErrorCode::kInvalid,
                 "resource " + std::to_string(index + 1) + " of the catalog " + what};
  };
  if (node.kind != PsonKind::kObject) return fail("is not an object");
  Fields fields(node);
  if (fields.data != nullptr && fields.data->kind == PsonKind::kObject) {
    fields = Fields(*fields.data);  // the wrapper of 0.25.0 (facts 2.3)
  }
  if (fields.type == nullptr || !fields.type->is_text() || fields.type->size == 0) {
    return fail("has no type");
  }
  const PsonNode* title = fields.title;
  if (title == nullptr || title->kind == PsonKind::kNull || title->is_container()) {
    return fail("has no title (its type is " + shown(fields.type->text()) + ")");
  }
  Resource resource;
  resource.type = capitalised_type(text_.name(fields.type->text()));
  read_title(*title, resource);
  read_scalars(fields, resource);
  read_parameters(fields, resource);
  read_tags(fields.tags, resource);
  return resource;
}

// The main class has its own spelling in the tables (facts 4.4).
void ResourceReader::read_title(const PsonNode& title, Resource& resource) {
  resource.title = title.is_text() ? text_.name(title.text()) : values_.scalar(title);
  if (resource.type == "Class" && resource.title == "main") resource.title = "Main";
}

void ResourceReader::read_scalars(const Fields& fields, Resource& resource) {
  if (fields.exported != nullptr) {
    resource.exported = fields.exported->kind == PsonKind::kTrue ||
                        (fields.exported->is_text() && fields.exported->text() == "true");
  }
  if (fields.line != nullptr) resource.line = line_number(*fields.line);
  if (fields.file != nullptr && fields.file->is_text()) {
    resource.file = text_.name(fields.file->text());
  }
}

void ResourceReader::read_parameters(const Fields& fields, Resource& resource) {
  const PsonNode* parameters = fields.parameters;
  if (parameters == nullptr || parameters->kind == PsonKind::kNull) return;
  if (parameters->kind != PsonKind::kObject) {
    warnings_.add(reference(resource) + ": the parameters are no object and were left out");
    return;
  }
  const auto secret = sensitive_names(store_sensitive_ ? nullptr : fields.sensitive);
  resource.parameters.reserve(parameters->size);
  for (const PsonNode* name = parameters->first(); name != parameters->after();) {
    const PsonNode* value = name->after();
    if (!std::binary_search(secret.begin(), secret.end(), name->text())) {
      resource.parameters.push_back(
          {text_.name(name->text()), values_.rows(*value, TextRule::kParameter)});
    }
    name = value->after();
  }
  drop_overridden(resource.parameters);
}

// The message's tags, then what Puppet adds on loading: the type and the title (facts 4.4).
void ResourceReader::read_tags(const PsonNode* tags, Resource& resource) {
  constexpr std::size_t kAddedMax = 4;
  if (tags != nullptr && tags->is_text()) {
    add_tag(tags->text(), resource);
  } else if (tags != nullptr && tags->kind == PsonKind::kArray) {
    resource.tags.reserve(tags->size + kAddedMax);
    for (const PsonNode* tag = tags->first(); tag != tags->after(); tag = tag->after()) {
      if (tag->is_container() || tag->kind == PsonKind::kNull) continue;
      add_tag(tag->text(), resource);
    }
  }
  if (is_valid_tag(resource.type)) add_tag(resource.type, resource);
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (is_valid_tag(resource.title) &&
      std::all_of(resource.title.begin(), resource.title.end(), is_ascii)) {
    add_tag(resource.title, resource);
  }
  if (resource.tags.size() > kShortListMax) make_unique(resource.tags);
}

void ResourceReader::add_tag(std::string_view raw, Resource& resource) {
  if (!is_valid_tag(raw)) return warn_of_tag(raw, resource);
  std::string tag = text_.name(raw);
  std::transform(tag.begin(), tag.end(), tag.begin(), lower);
  if (tag.find(kSeparator) != std::string::npos) add_segments(tag, resource.tags);
  add_new(std::move(tag), resource.tags);
}

void ResourceReader::warn_of_tag(std::string_view tag, const Resource& resource) {
  if (!warnings_.wanted()) return warnings_.count_unseen();
  warnings_.add(reference(resource) + ": the tag \"" + shown(tag) +
                "\" is not valid and was left out");
}

}  // namespace stompbox::catalog::reading
