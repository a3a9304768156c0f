#include "broker/session/unacked.h"

#include <cassert>
#include <iterator>
#include <limits>
#include <utility>

namespace stompbox::session {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void Unacked::add(const AckId& delivery, queue::MessageId message) {
  // Deliveries and messages mostly come in growing order: the end is the right guess.
  const ByDelivery by_delivery{delivery.tag, delivery.delivery.value, message.value};
  if (spare_deliveries_.empty()) {
    by_delivery_.insert(by_delivery_.end(), by_delivery);
  } else {
    spare_deliveries_.back().value() = by_delivery;
    by_delivery_.insert(by_delivery_.end(), std::move(spare_deliveries_.back()));
    spare_deliveries_.pop_back();
  }
  if (names_messages_) add_message({message.value, delivery.tag, delivery.delivery.value});
}

void Unacked::add_message(const ByMessage& message) {
  if (spare_messages_.empty()) {
    by_message_.insert(by_message_.end(), message);
    return;
  }
  spare_messages_.back().value() = message;
  by_message_.insert(by_message_.end(), std::move(spare_messages_.back()));
  spare_messages_.pop_back();
}

void Unacked::index_messages() {
  if (std::exchange(names_messages_, true)) return;
  for (const ByDelivery& each : by_delivery_)
    add_message({each.message, each.tag, each.delivery});
}

std::set<Unacked::ByDelivery>::iterator Unacked::remove(std::set<ByDelivery>::iterator at) {
  if (names_messages_) {
    MessageNode message = by_message_.extract({at->message, at->tag, at->delivery});
    assert(!message.empty());
    if (spare_messages_.size() < kSpareMax) spare_messages_.push_back(std::move(message));
  }
  const auto next = std::next(at);
  DeliveryNode delivery = by_delivery_.extract(at);
  if (spare_deliveries_.size() < kSpareMax) spare_deliveries_.push_back(std::move(delivery));
  return next;
}

void Unacked::remove(const AckId& delivery, routing::Reach reach) {
  const std::uint64_t first = reach == routing::Reach::kUpTo ? 0 : delivery.delivery.value;
  auto at = by_delivery_.lower_bound({delivery.tag, first, 0});
  while (at != by_delivery_.end() && at->tag == delivery.tag &&
         at->delivery <= delivery.delivery.value) {
    at = remove(at);
  }
}

std::vector<Unacked::Claim> Unacked::reached(const AckId& delivery, routing::Reach reach) const {
  const std::uint64_t first = reach == routing::Reach::kUpTo ? 0 : delivery.delivery.value;
  std::vector<Claim> found;
  for (auto at = by_delivery_.lower_bound({delivery.tag, first, 0});
       at != by_delivery_.end() && at->tag == delivery.tag &&
       at->delivery <= delivery.delivery.value;
       ++at) {
    found.push_back({{.tag = at->tag, .delivery = {at->delivery}}, {at->message}});
  }
  return found;
}

std::vector<Unacked::Claim> Unacked::claim(const AckId& delivery, routing::Reach reach) {
  std::vector<Claim> claims = reached(delivery, reach);
  remove(delivery, reach);
  for (const Claim& claim : claims) {
    claimed_.insert({claim.delivery.tag, claim.delivery.delivery.value, claim.message.value});
  }
  return claims;
}

void Unacked::release(const std::vector<Claim>& claims) {
  settle(claims);
  for (const Claim& claim : claims)
    add(claim.delivery, claim.message);
}

void Unacked::settle(const std::vector<Claim>& claims) {
  for (const Claim& claim : claims) {
    claimed_.erase({claim.delivery.tag, claim.delivery.delivery.value, claim.message.value});
  }
}

bool Unacked::has_claims(std::uint32_t tag) const {
  const auto at = claimed_.lower_bound({tag, 0, 0});
  return at != claimed_.end() && at->tag == tag;
}

bool Unacked::contains(const AckId& delivery) const {
  const auto at = by_delivery_.lower_bound({delivery.tag, delivery.delivery.value, 0});
  return at != by_delivery_.end() && at->tag == delivery.tag &&
         at->delivery == delivery.delivery.value;
}

std::optional<AckId> Unacked::find(queue::MessageId message, std::uint32_t tag) {
  index_messages();
  const auto after = by_message_.upper_bound({message.value, tag, kLast});
  if (after == by_message_.begin()) return std::nullopt;
  const ByMessage& found = *std::prev(after);
  if (found.message != message.value || found.tag != tag) return std::nullopt;
  return AckId{.tag = tag, .delivery = {found.delivery}};
}

std::optional<AckId> Unacked::find(queue::MessageId message) {
  return find_after(message, 0);
}

std::optional<AckId> Unacked::find_after(queue::MessageId message, std::uint32_t tag) {
  index_messages();
  const auto at = by_message_.upper_bound({message.value, tag, kLast});
  if (at == by_message_.end() || at->message != message.value) return std::nullopt;
  return AckId{.tag = at->tag, .delivery = {at->delivery}};
}

bool Unacked::any_of(std::uint32_t tag) const {
  const auto at = by_delivery_.lower_bound({tag, 0, 0});
  return (at != by_delivery_.end() && at->tag == tag) || has_claims(tag);
}

void Unacked::clear() {
  claimed_.clear();
  by_message_.clear();
  by_delivery_.clear();
  spare_messages_.clear();
  spare_deliveries_.clear();
}

}  // namespace stompbox::session
