#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/access/name_template.h"
#include "broker/access/text_template.h"
#include "broker/routing/destination.h"
#include "protocol/frame.h"

// Who may do what with which destination. Pure: no file, clock or log.
namespace stompbox::access {

enum class Operation : std::uint8_t { kRead, kWrite, kCreate, kBrowse, kManage };
inline constexpr std::size_t kOperationCount = 5;

enum class Effect : std::uint8_t { kDeny, kAllow };

// Whose rights are asked for. Views live for the call.
struct Principal {
  std::string_view user;  // who logged in, by passcode or certificate; empty: nobody did
  std::span<const std::string> groups;
  std::string_view certificate;  // the common name of what was shown; empty: nothing was
  std::span<const std::string> certificate_names;

  [[nodiscard]] Substitutes substitutes() const { return {user, certificate}; }
};

// Whom a rule speaks of: anybody in one of the lists.
struct Who {
  bool anyone = false;         // *
  bool authenticated = false;  // +
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<TextTemplate> certificates;  // any name of it

  [[nodiscard]] bool includes(const Principal& principal) const;
};

struct DestinationTemplate {
  std::optional<routing::DestinationKind> kind;  // nothing: every destination
  std::optional<NameTemplate> name;
};

// The header has to be there and to have such a value: all of that name for a rule that allows, one
// of them for one that denies.
struct HeaderCondition {
  std::string header;
  TextTemplate value;
};

// The selector header has to be `header = 'value'` and nothing else, however it is written.
struct SelectorCondition {
  std::string header;
  TextTemplate value;  // exact: no stars
};

struct Rule {
  Effect effect = Effect::kDeny;
  std::uint8_t operations = 0;  // a bit each
  Who who;
  std::vector<DestinationTemplate> destinations;
  std::vector<HeaderCondition> headers;
  std::optional<SelectorCondition> selector;

  [[nodiscard]] bool has_conditions() const { return !headers.empty() || selector.has_value(); }
};

[[nodiscard]] constexpr std::uint8_t bit_of(Operation operation) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(operation));
}

// First match wins; no match is a denial. A rule that allows has to cover all that a pattern names,
// for one that denies it is enough that the two may have a name in common. Immutable.
class Rules {
 public:
  Rules() = default;
  explicit Rules(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  // The rules that match but for their conditions, in order, up to the first without any: the same
  // for every frame with that destination, so it can be remembered.
  using Shortlist = std::vector<std::uint32_t>;
  [[nodiscard]] Shortlist shortlist(const Principal& principal, Operation operation,
                                    const routing::DestinationView& destination) const;
  [[nodiscard]] Effect judge(const Shortlist& shortlist, const Principal& principal,
                             const protocol::Headers& headers) const;

  [[nodiscard]] std::size_t count() const { return rules_.size(); }

 private:
  std::vector<Rule> rules_;
};

}  // namespace stompbox::access
