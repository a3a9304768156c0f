#include "broker/access/bearer.h"

#include <utility>

namespace stompbox::access {
namespace {

constexpr std::size_t kRememberedMax = 4;

}  // namespace

Bearer::Bearer(std::shared_ptr<const House> house, Identity identity)
    : house_(std::move(house)), identity_(std::move(identity)) {
  look_again();
}

void Bearer::look_again() const {
  edition_ = house_->edition;
  user_ = house_->users ? house_->users->find(identity_.user) : nullptr;
  remembered_.clear();
  oldest_ = 0;
}

Principal Bearer::principal() const {
  Principal principal;
  principal.certificate = identity_.certificate;
  principal.certificate_names = identity_.certificate_names;
  if (identity_.proof == Proof::kNone) return principal;
  if (user_ == nullptr && identity_.proof == Proof::kPasscode) return principal;
  principal.user = identity_.user;
  if (user_ != nullptr) principal.groups = user_->groups;
  return principal;
}

const Rules::Shortlist& Bearer::shortlist(Operation operation,
                                          const routing::DestinationView& destination,
                                          const Principal& principal) const {
  for (const Remembered& known : remembered_) {
    if (known.operation == operation && known.kind == destination.kind &&
        known.has_wildcards == destination.has_wildcards && known.name == destination.name) {
      return known.shortlist;
    }
  }
  Remembered made{operation, destination.kind, destination.has_wildcards,
                  std::string(destination.name),
                  house_->rules->shortlist(principal, operation, destination)};
  if (remembered_.size() < kRememberedMax) {
    remembered_.push_back(std::move(made));
    return remembered_.back().shortlist;
  }
  Remembered& replaced = remembered_[oldest_];
  oldest_ = (oldest_ + 1) % kRememberedMax;
  replaced = std::move(made);
  return replaced.shortlist;
}

bool Bearer::may(Operation operation, const routing::DestinationView& destination,
                 const protocol::Headers& headers) const {
  if (edition_ != house_->edition) look_again();
  const Principal whose = principal();
  if (!house_->rules) return identity_.proof == Proof::kNone || !whose.user.empty();
  return house_->rules->judge(shortlist(operation, destination, whose), whose, headers) ==
         Effect::kAllow;
}

}  // namespace stompbox::access
