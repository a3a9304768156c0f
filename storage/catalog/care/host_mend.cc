#include "storage/catalog/care/host_mend.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "storage/catalog/reading/pson_text.h"
#include "storage/catalog/reading/read_resource.h"
#include "storage/catalog/reading/stored_value.h"
#include "storage/catalog/schema.h"
#include "storage/utf8.h"

namespace stompbox::catalog::care {
namespace {

// Plans one host; a step a table.
class Mender {
 public:
  Mender(const HostImage& host, NameImages& names, const SqlDialect& dialect,
         std::size_t examples_max)
      : host_(host), names_(names), dialect_(dialect) {
    mend_.findings = Findings(examples_max);
  }

  HostMend run() {
    mend_environment();
    mend_resources();
    mend_parameters();
    mend_tags();
    mend_facts();
    return std::move(mend_);
  }

 private:
  void found(CheckRule rule, const std::string& what) {
    mend_.findings.add(rule, what.empty() ? host_.name : host_.name + ": " + what);
  }

  void mend_environment();
  void mend_resources();
  void mend_resource(const HostImage::Resource& row, const std::string& type);
  void mend_parameters();
  void mend_value(const HostImage::Parameter& row, const std::string& name);
  void mend_tags();
  void mend_facts();
  template <typename Row>
  void settle_names(const std::map<std::string, std::vector<const Row*>>& by_name, NameImage& names,
                    const std::string& of, std::vector<std::int64_t>& removed,
                    std::vector<HostMend::Move>& moved, std::vector<const Row*>& kept);

  // "File[/etc/motd]"; empty for a resource that goes.
  [[nodiscard]] std::string reference(std::int64_t resource_id) const {
    const auto at = references_.find(resource_id);
    return at == references_.end() ? std::string() : at->second;
  }

  const HostImage& host_;
  NameImages& names_;
  const SqlDialect& dialect_;
  HostMend mend_;
  std::unordered_map<std::int64_t, std::string> references_;  // of resources that stay
};

void Mender::mend_environment() {
  if (!host_.environment) return;
  auto plain = environment_in_yaml(*host_.environment);
  if (!plain) return;
  found(CheckRule::kEnvironmentObjects, *plain);
  mend_.environment = std::move(plain);
}

void Mender::mend_resources() {
  std::map<std::string, std::int64_t> newest;
  std::vector<std::string> types;
  for (const HostImage::Resource& row : host_.resources) {  // by id: the last one stays
    types.push_back(reading::capitalised_type(row.type));
    newest[types.back() + "[" + std::string(row.title) + "]"] = row.id;
  }
  for (const auto& [text, id] : newest)
    references_.emplace(id, text);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const HostImage::Resource& row = host_.resources[i];
    if (references_.contains(row.id)) {
      mend_resource(row, types[i]);
    } else {
      found(CheckRule::kTwinResources, types[i] + "[" + std::string(row.title) + "]");
      mend_.removed_resources.push_back(row.id);
    }
  }
}

void Mender::mend_resource(const HostImage::Resource& row, const std::string& type) {
  const std::string& text = references_.at(row.id);
  if (type != row.type) {
    found(CheckRule::kTypeCase, text);
    mend_.types.push_back({row.id, type});
  }
  if (row.exported != dialect_.yes && row.exported != dialect_.no) {
    found(CheckRule::kExportedForm, text);
    constexpr std::string_view kTrue[] = {"1", "t", "true"};
    const bool is_true = row.exported && std::ranges::find(kTrue, *row.exported) != std::end(kTrue);
    mend_.exported.push_back({row.id, std::string(is_true ? dialect_.yes : dialect_.no)});
  }
  if (row.file_id && names_.files.find(*row.file_id) == nullptr) {
    found(CheckRule::kLostFiles, text);
    mend_.without_file.push_back(row.id);
  }
  if (!storage::is_utf8(row.title) || !storage::is_utf8(row.type))
    found(CheckRule::kForeignBytesInNames, text);
}

// Rows of one owner by name: those under the name's oldest row stay, or, when a twin of the name
// was used later, its rows come in their place.
template <typename Row>
void Mender::settle_names(const std::map<std::string, std::vector<const Row*>>& by_name,
                          NameImage& names, const std::string& of,
                          std::vector<std::int64_t>& removed, std::vector<HostMend::Move>& moved,
                          std::vector<const Row*>& kept) {
  for (const auto& [name, rows] : by_name) {
    const std::int64_t oldest = names.oldest(name);
    const Row* const last =
        *std::ranges::max_element(rows, {}, [](const Row* row) { return row->id; });
    for (const Row* row : rows) {
      if (row->name_id != oldest) found(CheckRule::kTwinNamesInUse, of + " " + name);
      if (row->name_id != last->name_id) {
        removed.push_back(row->id);
        continue;
      }
      if (row->name_id != oldest) moved.push_back({row->id, oldest, name});
      kept.push_back(row);
    }
  }
}

void Mender::mend_parameters() {
  std::map<std::int64_t, std::map<std::string, std::vector<const HostImage::Parameter*>>> owners;
  for (const HostImage::Parameter& row : host_.parameters) {
    const std::string of = reference(row.resource_id);
    if (of.empty()) continue;
    const NameImage::Row* const name = names_.parameters.find(row.name_id);
    if (name == nullptr || name->is_null || !row.value) {
      const bool nameless = name == nullptr || name->is_null;
      found(nameless ? CheckRule::kNamelessParameters : CheckRule::kNullValues, of);
      mend_.removed_parameters.push_back(row.id);
    } else {
      owners[row.resource_id][name->name].push_back(&row);
    }
  }
  for (const auto& [resource, by_name] : owners) {
    std::vector<const HostImage::Parameter*> kept;
    settle_names(by_name, names_.parameters, reference(resource), mend_.removed_parameters,
                 mend_.moved_parameters, kept);
    for (const HostImage::Parameter* row : kept)
      mend_value(*row, reference(resource) + " " + names_.parameters.find(row->name_id)->name);
  }
}

void Mender::mend_value(const HostImage::Parameter& row, const std::string& name) {
  const bool foreign = !storage::is_utf8(*row.value);
  const bool garbled = reads_as_garbled_yaml(*row.value);
  if (!foreign && !garbled) return;
  if (foreign) found(CheckRule::kForeignBytes, name);
  if (garbled) found(CheckRule::kUnquotedTexts, name);
  const std::string text = foreign ? reading::latin1_to_utf8(*row.value) : std::string(*row.value);
  mend_.values.push_back({row.id, garbled ? quoted_text(text) : text});
}

void Mender::mend_tags() {
  std::set<std::pair<std::int64_t, std::string>> seen;
  for (const HostImage::Tag& row : host_.tags) {
    const std::string of = reference(row.resource_id);
    if (of.empty()) continue;
    const NameImage::Row* const name = names_.tags.find(row.tag_id);
    if (name == nullptr || name->is_null) {
      found(CheckRule::kNamelessTags, of);
      mend_.removed_tags.push_back(row.id);
      continue;
    }
    const std::string tag = lower_case(name->name);
    const std::int64_t oldest = names_.tags.oldest(tag);
    if (tag != name->name) {
      found(CheckRule::kTagCase, of + " " + name->name);
    } else if (row.tag_id != oldest) {
      found(CheckRule::kTwinNamesInUse, of + " tag " + tag);
    }
    if (!seen.insert({row.resource_id, tag}).second) {
      found(CheckRule::kTwinTags, of + " " + tag);
      mend_.removed_tags.push_back(row.id);
    } else if (row.tag_id != oldest) {
      mend_.moved_tags.push_back({row.id, oldest, tag});
    }
  }
}

void Mender::mend_facts() {
  std::map<std::string, std::vector<const HostImage::Fact*>> by_name;
  for (const HostImage::Fact& row : host_.facts) {
    const NameImage::Row* const name = names_.facts.find(row.name_id);
    const bool nameless = name == nullptr || name->is_null;
    if (!nameless && row.value) {
      by_name[name->name].push_back(&row);
      continue;
    }
    found(nameless ? CheckRule::kNamelessFacts : CheckRule::kNullValues,
          nameless ? std::string() : "fact " + name->name);
    mend_.removed_facts.push_back(row.id);
  }
  std::vector<const HostImage::Fact*> kept;
  settle_names(by_name, names_.facts, "fact", mend_.removed_facts, mend_.moved_facts, kept);
  for (const HostImage::Fact* row : kept) {
    if (storage::is_utf8(*row->value)) continue;
    found(CheckRule::kForeignBytes, "fact " + names_.facts.find(row->name_id)->name);
    mend_.fact_values.push_back({row->id, reading::latin1_to_utf8(*row->value)});
  }
}

}  // namespace

bool HostMend::empty() const {
  return row_count() == 0;
}

std::size_t HostMend::row_count() const {
  return removed_resources.size() + removed_parameters.size() + removed_tags.size() +
         removed_facts.size() + types.size() + exported.size() + without_file.size() +
         moved_parameters.size() + moved_tags.size() + moved_facts.size() + values.size() +
         fact_values.size() + (environment ? 1 : 0);
}

HostMend mend_host(const HostImage& host, NameImages& names, const SqlDialect& dialect,
                   std::size_t examples_max) {
  return Mender(host, names, dialect, examples_max).run();
}

std::string quoted_text(std::string_view text) {
  std::string scalar = "--- ";
  reading::append_quoted(scalar, text);
  return scalar;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace stompbox::catalog::care
