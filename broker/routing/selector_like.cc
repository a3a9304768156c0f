#include "broker/routing/selector_like.h"

#include "broker/routing/star_match.h"

namespace stompbox::routing {
namespace {

class Characters {
 public:
  explicit Characters(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void advance() { rest_.remove_prefix(character().size()); }
  [[nodiscard]] std::string_view character() const { return first_character(rest_); }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<LikePattern> LikePattern::make(std::string_view pattern, std::string_view escape) {
  LikePattern made;
  Characters rest(pattern);
  while (!rest.at_end()) {
    Element element;
    if (!escape.empty() && rest.character() == escape) {
      rest.advance();
      if (rest.at_end()) return std::nullopt;
      element.character = rest.character();
    } else if (rest.character() == "%") {
      element.kind = Kind::kMany;
    } else if (rest.character() == "_") {
      element.kind = Kind::kOne;
    } else {
      element.character = rest.character();
    }
    made.elements_.push_back(std::move(element));
    rest.advance();
  }
  return made;
}

bool LikePattern::matches(std::string_view text) const {
  return star_match(
      elements_.size(), [this](std::size_t i) { return elements_[i].kind == Kind::kMany; },
      Characters(text),
      [this](std::size_t i, const Characters& at) {
        return elements_[i].kind == Kind::kOne || elements_[i].character == at.character();
      });
}

std::string_view first_character(std::string_view text) {
  std::size_t size = text.empty() ? 0 : 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    ++size;
  return text.substr(0, size);
}

}  // namespace stompbox::routing
