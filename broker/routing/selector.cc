#include "broker/routing/selector.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker/routing/selector_parser.h"
#include "broker/routing/selector_tree.h"

namespace stompbox::routing {
namespace {

constexpr std::array<std::string_view, 2> kPassedOver = {"convert_string_expressions:",
                                                         "hyphenated_props:"};
constexpr std::string_view kBlanks = " \t\r\n\f";

class ParsedSelector : public Selector {
 public:
  ParsedSelector(std::string_view text, SelectorTree tree) : tree_(std::move(tree)) {
    text_ = text;
    equality_ = tree_.equality();
  }

  bool matches(const queue::Message& message) const override {
    return tree_.evaluate(message) == Truth::kTrue;
  }

 private:
  const SelectorTree tree_;
};

// Blanks in the place of the prefixes, so that positions in errors are those of the whole text.
std::string without_prefixes(std::string_view text) {
  std::string rest(text);
  while (true) {
    const std::size_t begin = rest.find_first_not_of(kBlanks);
    if (begin == std::string::npos) return rest;
    const auto* const prefix =
        std::find_if(kPassedOver.begin(), kPassedOver.end(), [&rest, begin](std::string_view word) {
          return std::string_view(rest).substr(begin).starts_with(word);
        });
    if (prefix == kPassedOver.end()) return rest;
    rest.replace(begin, prefix->size(), prefix->size(), ' ');
  }
}

SelectorTree everything() {
  SelectorTree tree;
  tree.set_root(tree.add(SelectorTree::Op::kTrue));
  return tree;
}

}  // namespace

storage::Result<std::shared_ptr<const Selector>> Selector::parse(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return storage::Error{
        storage::ErrorCode::kInvalid,
        "the selector is longer than " + std::to_string(kTextBytesMax) + " bytes"};
  }
  const std::string condition = without_prefixes(text);
  const bool is_empty = condition.find_first_not_of(kBlanks) == std::string::npos;
  auto tree = is_empty ? everything() : parse_selector(condition);
  if (!tree) return tree.error();
  return std::shared_ptr<const Selector>(
      std::make_shared<const ParsedSelector>(text, std::move(*tree)));
}

}  // namespace stompbox::routing
