#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What can be wrong with the rows of a storeconfigs database (the contract, facts 5.4).
namespace stompbox::catalog::care {

enum class CheckRule : std::uint8_t {
  kExportedForm,
  kTypeCase,
  kExtraColumns,
  kLostResources,
  kTwinResources,
  kTwinHosts,
  kTwinNames,
  kTwinNamesInUse,
  kUnquotedTexts,
  kNullValues,
  kForeignBytes,
  kForeignBytesInNames,
  kTagCase,
  kTwinTags,
  kLostParameters,
  kNamelessParameters,
  kLostTags,
  kNamelessTags,
  kLostFacts,
  kNamelessFacts,
  kLostFiles,
  kEnvironmentObjects,
  kCutTexts,
  kUniqueIndices,
};

enum class Mending : std::uint8_t {
  kRepair,      // store repair
  kMergeNames,  // store repair --merge-names, with all masters stopped
  kByHand,
};

struct CheckRuleText {
  CheckRule rule{};
  std::string_view name;    // one word, for scripts
  int contract = 0;         // the rule's number in facts 5.4; 0: none of them
  std::string_view what;    // "rows of …"
  std::string_view breaks;  // what it does to masters
  Mending mending = Mending::kRepair;
};

[[nodiscard]] std::span<const CheckRuleText> check_rule_texts();
[[nodiscard]] const CheckRuleText& text_of(CheckRule rule);

struct Finding {
  std::uint64_t count = 0;
  std::vector<std::string> examples;  // the first few
};

// What was found, by rule; a rule that holds is not there.
class Findings {
 public:
  explicit Findings(std::size_t examples_max) : examples_max_(examples_max) {}

  void add(CheckRule rule, const std::string& example);
  void add(const Findings& others);
  [[nodiscard]] const std::map<CheckRule, Finding>& by_rule() const { return by_rule_; }
  [[nodiscard]] std::uint64_t count(CheckRule rule) const;
  [[nodiscard]] bool empty() const { return by_rule_.empty(); }
  [[nodiscard]] std::size_t examples_max() const { return examples_max_; }

 private:
  std::size_t examples_max_;
  std::map<CheckRule, Finding> by_rule_;
};

// A line that stands alone in a text and begins with "--- ": a reader takes the whole text for YAML
// (facts 5.1). True where the text was not made to be read so, and comes back cut or changed: the
// line is not the first, or more plain text follows it.
[[nodiscard]] bool reads_as_garbled_yaml(std::string_view text);

}  // namespace stompbox::catalog::care
