#include "broker/access/rules.h"

#include <algorithm>

#include "broker/routing/selector.h"

namespace stompbox::access {
namespace {

bool contains(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool matches(const Rule& rule, const Principal& principal,
             const routing::DestinationView& destination) {
  const Naming naming = destination.has_wildcards ? Naming::kPattern : Naming::kOne;
  const auto speaks_of = [&](const DestinationTemplate& wanted) {
    if (!wanted.kind) return true;
    if (*wanted.kind != destination.kind) return false;
    const Substitutes substitutes = principal.substitutes();
    return rule.effect == Effect::kAllow
               ? wanted.name->covers(destination.name, naming, substitutes)
               : wanted.name->overlaps(destination.name, naming, substitutes);
  };
  return std::any_of(rule.destinations.begin(), rule.destinations.end(), speaks_of);
}

// Which of several headers of a name counts is for who reads the message: so a rule that allows
// holds if all fit, one that denies if any does.
bool holds(const HeaderCondition& condition, Effect effect, const Substitutes& substitutes,
           const protocol::Headers& headers) {
  bool any_fits = false;
  bool all_fit = true;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers.at(i);
    if (name != condition.header) continue;
    const bool fits = condition.value.fits(value, substitutes);
    any_fits = any_fits || fits;
    all_fit = all_fit && fits;
  }
  return any_fits && (effect == Effect::kDeny || all_fit);
}

bool holds(const SelectorCondition& condition, const Substitutes& substitutes,
           const protocol::Headers& headers) {
  const auto text = headers.find("selector");
  if (!text) return false;
  const auto selector = routing::Selector::parse(*text);
  if (!selector) return false;
  const auto& equality = (*selector)->equality();
  return equality && equality->header == condition.header &&
         condition.value.fits(equality->value, substitutes);
}

bool conditions_hold(const Rule& rule, const Substitutes& substitutes,
                     const protocol::Headers& headers) {
  if (rule.selector && !holds(*rule.selector, substitutes, headers)) return false;
  return std::all_of(rule.headers.begin(), rule.headers.end(),
                     [&](const HeaderCondition& condition) {
                       return holds(condition, rule.effect, substitutes, headers);
                     });
}

}  // namespace

bool Who::includes(const Principal& principal) const {
  if (anyone) return true;
  if (!principal.user.empty()) {
    if (authenticated || contains(users, principal.user)) return true;
    const auto has = [this](const std::string& group) { return contains(groups, group); };
    if (std::any_of(principal.groups.begin(), principal.groups.end(), has)) return true;
  }
  const Substitutes substitutes = principal.substitutes();
  for (const std::string& name : principal.certificate_names) {
    const auto fits = [&](const TextTemplate& wanted) { return wanted.fits(name, substitutes); };
    if (std::any_of(certificates.begin(), certificates.end(), fits)) return true;
  }
  return false;
}

Rules::Shortlist Rules::shortlist(const Principal& principal, Operation operation,
                                  const routing::DestinationView& destination) const {
  Shortlist found;
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    const bool speaks = (rule.operations & bit_of(operation)) != 0 &&
                        rule.who.includes(principal) && matches(rule, principal, destination);
    if (!speaks) continue;
    found.push_back(i);
    if (!rule.has_conditions()) break;
  }
  return found;
}

Effect Rules::judge(const Shortlist& shortlist, const Principal& principal,
                    const protocol::Headers& headers) const {
  for (const std::uint32_t i : shortlist) {
    const Rule& rule = rules_[i];
    if (!rule.has_conditions() || conditions_hold(rule, principal.substitutes(), headers)) {
      return rule.effect;
    }
  }
  return Effect::kDeny;
}

}  // namespace stompbox::access
