#include "storage/catalog/schema_diff.h"

#include <functional>
#include <ranges>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace stompbox::catalog {
namespace {

struct Reference {
  std::string_view type, title;
  friend bool operator==(const Reference&, const Reference&) = default;
};

struct ReferenceHash {
  std::size_t operator()(const Reference& reference) const {
    const std::hash<std::string_view> hash;
    return hash(reference.type) * 31 + hash(reference.title);
  }
};

class Comparison {
 public:
  Comparison(const StoredRows& stored, const WantedRows& wanted, StoreScope scope)
      : stored_(stored), wanted_(wanted), scope_(scope), matched_(wanted.rows.size(), false) {
    places_.reserve(wanted.rows.size());
    for (std::size_t i = 0; i < wanted.rows.size(); ++i) {
      const Resource& resource = *wanted.rows[i].resource;
      places_.insert_or_assign(Reference{resource.type, resource.title}, i);
    }
  }

  CatalogDiff run() {
    for (const StoredResource& row : stored_.resources | std::views::reverse)
      place(row);
    for (const auto& [reference, i] : places_) {
      if (!matched_[i]) unmatched_.push_back(i);
    }
    std::ranges::sort(unmatched_);  // the catalog's own order
    for (std::size_t i : unmatched_)
      diff_.new_resources.push_back(wanted_.rows[i].resource);
    diff_.new_places = std::move(unmatched_);
    return std::move(diff_);
  }

 private:
  void place(const StoredResource& row) {
    const auto at = places_.find(Reference{row.type, row.title});
    if (at == places_.end()) {
      const bool ours = scope_ == StoreScope::kAll || row.exported == StoredFlag::kTrue;
      return ours ? diff_.removed_resources.push_back(row.id) : keep_whole(row);
    }
    if (matched_[at->second]) return diff_.removed_resources.push_back(row.id);
    matched_[at->second] = true;
    diff_.kept_resources.push_back({row.id, at->second});
    const WantedRows::Row& wanted = wanted_.rows[at->second];
    compare_columns(row, wanted);
    compare_parameters(row, wanted);
    compare_tags(row, wanted);
  }

  void keep_whole(const StoredResource& row) {
    diff_.kept.resources.add(row.id, row.updated_at);
    for (const StoredParameter& parameter : parameters_of(row))
      keep(parameter);
    for (const StoredTag& tag : tags_of(row))
      diff_.kept.tags.add(tag.id, {});
  }

  void compare_columns(const StoredResource& row, const WantedRows::Row& wanted) {
    const Resource& resource = *wanted.resource;
    const auto exported = resource.exported ? StoredFlag::kTrue : StoredFlag::kFalse;
    const bool line_differs = resource.line && resource.line != row.line;
    // A file whose name has no row yet differs from every stored one.
    const bool file_differs = resource.file && (wanted.source_file_id == kNoRow ||
                                                wanted.source_file_id != row.source_file_id);
    if (row.exported != exported || line_differs || file_differs) {
      diff_.changed_resources.push_back({row.id, &resource});
    }
    diff_.kept.resources.add(row.id, row.updated_at);
  }

  // Both sides by name id; stored rows of one name keep their order, which is the array's (rule 8).
  void compare_parameters(const StoredResource& row, const WantedRows::Row& wanted) {
    const auto stored = parameters_of(row);
    sorted_parameters_.assign(stored.begin(), stored.end());
    std::ranges::stable_sort(sorted_parameters_, {}, &StoredParameter::name_id);
    order_by_id(wanted.ids_begin, wanted.resource->parameters.size());
    std::size_t at = 0;
    for (const auto& [name_id, index] : wanted_order_) {
      const Parameter& parameter = wanted.resource->parameters[index];
      while (at < sorted_parameters_.size() && sorted_parameters_[at].name_id < name_id) {
        remove(sorted_parameters_[at++]);
      }
      if (name_id == kNoRow) {
        diff_.new_parameters.push_back({row.id, &parameter});
        continue;
      }
      const std::size_t end = end_of_name(at, name_id);
      compare_values(row.id, parameter, std::span(sorted_parameters_).subspan(at, end - at));
      at = end;
    }
    while (at < sorted_parameters_.size())
      remove(sorted_parameters_[at++]);
  }

  std::size_t end_of_name(std::size_t at, std::int64_t name_id) const {
    while (at < sorted_parameters_.size() && sorted_parameters_[at].name_id == name_id)
      ++at;
    return at;
  }

  void compare_values(std::int64_t resource_id, const Parameter& wanted,
                      std::span<const StoredParameter> stored) {
    if (std::ranges::equal(stored, wanted.values, {}, &StoredParameter::value)) {
      for (const StoredParameter& parameter : stored)
        keep(parameter);
      return;
    }
    for (const StoredParameter& parameter : stored)
      remove(parameter);
    diff_.new_parameters.push_back({resource_id, &wanted});
  }

  void compare_tags(const StoredResource& row, const WantedRows::Row& wanted) {
    const auto stored = tags_of(row);
    sorted_tags_.assign(stored.begin(), stored.end());
    std::ranges::stable_sort(sorted_tags_, {}, &StoredTag::tag_id);
    order_by_id(wanted.ids_begin + wanted.resource->parameters.size(),
                wanted.resource->tags.size());
    std::size_t at = 0;
    for (const auto& [tag_id, index] : wanted_order_) {
      while (at < sorted_tags_.size() && sorted_tags_[at].tag_id < tag_id)
        remove_tag(at++);
      if (tag_id != kNoRow && at < sorted_tags_.size() && sorted_tags_[at].tag_id == tag_id) {
        diff_.kept.tags.add(sorted_tags_[at++].id, {});
      } else {
        diff_.new_tags.push_back({row.id, &wanted.resource->tags[index]});
      }
    }
    while (at < sorted_tags_.size())
      remove_tag(at++);
  }

  void order_by_id(std::size_t ids_begin, std::size_t count) {
    wanted_order_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      wanted_order_.emplace_back(wanted_.ids[ids_begin + i], i);
    }
    std::ranges::sort(wanted_order_);
  }

  std::span<const StoredParameter> parameters_of(const StoredResource& row) const {
    return std::span(stored_.parameters)
        .subspan(row.parameters_begin, row.parameters_end - row.parameters_begin);
  }
  std::span<const StoredTag> tags_of(const StoredResource& row) const {
    return std::span(stored_.tags).subspan(row.tags_begin, row.tags_end - row.tags_begin);
  }
  void keep(const StoredParameter& parameter) {
    diff_.kept.parameters.add(parameter.id, parameter.updated_at);
  }
  void remove(const StoredParameter& parameter) {
    diff_.removed_parameters.push_back(parameter.id);
  }
  void remove_tag(std::size_t at) { diff_.removed_tags.push_back(sorted_tags_[at].id); }

  const StoredRows& stored_;
  const WantedRows& wanted_;
  const StoreScope scope_;
  std::unordered_map<Reference, std::size_t, ReferenceHash> places_;
  std::vector<bool> matched_;
  std::vector<std::size_t> unmatched_;
  // Scratch, kept for its capacity.
  std::vector<StoredParameter> sorted_parameters_;
  std::vector<StoredTag> sorted_tags_;
  std::vector<std::pair<std::int64_t, std::size_t>> wanted_order_;  // id, place in the resource
  CatalogDiff diff_;
};

}  // namespace

bool CatalogDiff::empty() const {
  return removed_resources.empty() && removed_parameters.empty() && removed_tags.empty() &&
         changed_resources.empty() && new_parameters.empty() && new_tags.empty() &&
         new_resources.empty();
}

CatalogDiff diff_catalog(const StoredRows& stored, const WantedRows& wanted, StoreScope scope) {
  return Comparison(stored, wanted, scope).run();
}

}  // namespace stompbox::catalog
