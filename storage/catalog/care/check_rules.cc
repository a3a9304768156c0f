#include "storage/catalog/care/check_rules.h"

#include <algorithm>
#include <cassert>

namespace stompbox::catalog::care {
namespace {

constexpr CheckRuleText kTexts[] = {
    {CheckRule::kExportedForm, "exported-form", 1,
     "resources whose `exported` is NULL or not in this database's form",
     "a master does not collect them"},
    {CheckRule::kTypeCase, "type-case", 2, "resources whose type is not capitalised",
     "a master does not find them"},
    {CheckRule::kExtraColumns, "extra-columns", 3,
     "columns of `resources` that Puppet does not know and that hold values",
     "a master fails with NoMethodError when it collects", Mending::kByHand},
    {CheckRule::kLostResources, "lost-resources", 4, "resources of a host that does not exist",
     "they are collected for ever, and no clean-up finds them"},
    {CheckRule::kTwinResources, "twin-resources", 5, "second rows of the same resource of a host",
     "compiling fails where they are collected"},
    {CheckRule::kTwinHosts, "twin-hosts", 6, "second rows of the same host",
     "a node collects its own exports; facts are split"},
    {CheckRule::kTwinNames, "twin-names", 7,
     "rows in tables of names that name nothing, or what an older row names",
     "values, tags and facts are split", Mending::kMergeNames},
    {CheckRule::kTwinNamesInUse, "twin-names-in-use", 7,
     "values, tags and facts under the second row of their name",
     "values are missing or come twice"},
    {CheckRule::kUnquotedTexts, "unquoted-texts", 10,
     "values with a line that begins with `--- ` which is no YAML",
     "a master reads them cut or changed"},
    {CheckRule::kNullValues, "null-values", 11, "values, names or facts that are NULL",
     "reading or saving fails"},
    {CheckRule::kForeignBytes, "foreign-bytes", 11, "values and facts that are not UTF-8",
     "a master on Ruby 1.9 or later fails when it collects"},
    {CheckRule::kForeignBytesInNames, "foreign-bytes-in-names", 11,
     "titles and names that are not UTF-8", "a master on Ruby 1.9 or later fails when it collects",
     Mending::kByHand},
    {CheckRule::kTagCase, "tag-case", 12, "tags of resources that are not in lower case",
     "searches miss them"},
    {CheckRule::kTwinTags, "twin-tags", 12, "second rows of the same tag of a resource",
     "a collection finds the resource twice"},
    {CheckRule::kLostParameters, "lost-parameters", 4,
     "parameter values of a resource that does not exist", "they only take room"},
    {CheckRule::kNamelessParameters, "nameless-parameters", 7,
     "parameter values whose name does not exist", "no master sees the parameter"},
    {CheckRule::kLostTags, "lost-tags", 4, "tags of a resource that does not exist",
     "they only take room"},
    {CheckRule::kNamelessTags, "nameless-tags", 7, "tags of resources whose name does not exist",
     "searches miss them"},
    {CheckRule::kLostFacts, "lost-facts", 4, "facts of a host that does not exist",
     "they only take room"},
    {CheckRule::kNamelessFacts, "nameless-facts", 7, "facts whose name does not exist",
     "manifests do not see them"},
    {CheckRule::kLostFiles, "lost-files", 0, "resources of a source file that does not exist",
     "reports do not show where they were declared"},
    {CheckRule::kEnvironmentObjects, "environment-objects", 0,
     "hosts whose environment is a stored object instead of a name",
     "it grows with each save of an old Puppet"},
    {CheckRule::kCutTexts, "cut-texts", 17, "texts as long as their column allows",
     "the server has probably cut them", Mending::kByHand},
    {CheckRule::kUniqueIndices, "unique-indices", 20, "unique indices that Puppet has not made",
     "an agent's run fails when two masters make the same row", Mending::kByHand},
};

bool starts_line(std::string_view text, std::size_t at) {
  return at == 0 || text[at - 1] == '\n';
}

// "a: 1", "- x", "{", a quote: what the writers of YAML put behind "--- ".
bool opens_yaml(std::string_view line) {
  constexpr std::string_view kIndicators = "!&*{[\"'|>-?#%";
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
  if (kIndicators.find(line.front()) != std::string_view::npos) return true;
  return line.find(": ") != std::string_view::npos || line.ends_with(':');
}

// Whether a line of plain text follows that YAML would have indented.
bool has_flush_line(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.front() != '\n' && rest.front() != ' ' && rest.front() != '\t') return true;
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

std::span<const CheckRuleText> check_rule_texts() {
  return kTexts;
}

const CheckRuleText& text_of(CheckRule rule) {
  const auto* const at = std::ranges::find(kTexts, rule, &CheckRuleText::rule);
  assert(at != std::end(kTexts));
  return *at;
}

void Findings::add(CheckRule rule, const std::string& example) {
  Finding& finding = by_rule_[rule];
  ++finding.count;
  if (finding.examples.size() < examples_max_) finding.examples.push_back(example);
}

void Findings::add(const Findings& others) {
  for (const auto& [rule, other] : others.by_rule_) {
    Finding& finding = by_rule_[rule];
    finding.count += other.count;
    for (const std::string& example : other.examples) {
      if (finding.examples.size() < examples_max_) finding.examples.push_back(example);
    }
  }
}

std::uint64_t Findings::count(CheckRule rule) const {
  const auto at = by_rule_.find(rule);
  return at == by_rule_.end() ? 0 : at->second.count;
}

bool reads_as_garbled_yaml(std::string_view text) {
  constexpr std::string_view kMark = "--- ";
  std::size_t at = text.find(kMark);
  while (at != std::string_view::npos && !starts_line(text, at))
    at = text.find(kMark, at + 1);
  if (at == std::string_view::npos) return false;
  if (at > 0) return true;
  const std::size_t end = text.find('\n');
  const std::string_view first = text.substr(kMark.size(), end - kMark.size());
  if (end == std::string_view::npos || opens_yaml(first)) return false;
  return has_flush_line(text.substr(end + 1));
}

}  // namespace stompbox::catalog::care
