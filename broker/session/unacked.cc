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
  lines_[delivery.tag].add({delivery.delivery, message});
  ++waiting_;
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
  for (const auto& [tag, line] : lines_) {
    line.for_each([this, tag = tag](const AckLine::Item& item) {
      add_message({item.message.value, tag, item.delivery.value});
    });
  }
}

const AckLine* Unacked::line_of(std::uint32_t tag) const {
  const auto found = lines_.find(tag);
  return found == lines_.end() ? nullptr : &found->second;
}

void Unacked::note_removed(std::uint32_t tag, const AckLine::Item& item) {
  --waiting_;
  if (!names_messages_) return;
  MessageNode message = by_message_.extract({item.message.value, tag, item.delivery.value});
  assert(!message.empty());
  if (spare_messages_.size() < kSpareMax) spare_messages_.push_back(std::move(message));
}

void Unacked::remove(const AckId& delivery, routing::Reach reach) {
  const auto found = lines_.find(delivery.tag);
  if (found == lines_.end()) return;
  if (reach == routing::Reach::kOne) {
    if (const auto message = found->second.take(delivery.delivery))
      note_removed(delivery.tag, {delivery.delivery, *message});
    return;
  }
  found->second.take_to(delivery.delivery, [this, &delivery](const AckLine::Item& item) {
    note_removed(delivery.tag, item);
  });
}

std::vector<Unacked::Claim> Unacked::reached(const AckId& delivery, routing::Reach reach) const {
  std::vector<Claim> found;
  const AckLine* const line = line_of(delivery.tag);
  if (line == nullptr) return found;
  if (reach == routing::Reach::kOne) {
    if (const auto message = line->find(delivery.delivery)) found.push_back({delivery, *message});
    return found;
  }
  line->for_each_to(delivery.delivery, [&found, &delivery](const AckLine::Item& item) {
    found.push_back({{.tag = delivery.tag, .delivery = item.delivery}, item.message});
  });
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
  std::unordered_map<std::uint32_t, std::vector<AckLine::Item>> by_tag;
  for (const auto& [delivery, message] : claims) {
    by_tag[delivery.tag].push_back({delivery.delivery, message});
    if (names_messages_) add_message({message.value, delivery.tag, delivery.delivery.value});
  }
  for (auto& [tag, items] : by_tag)
    lines_[tag].put_back(std::move(items));
  waiting_ += claims.size();
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
  const AckLine* const line = line_of(delivery.tag);
  return line != nullptr && line->find(delivery.delivery).has_value();
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
  const AckLine* const line = line_of(tag);
  return (line != nullptr && !line->empty()) || has_claims(tag);
}

void Unacked::clear() {
  lines_.clear();
  waiting_ = 0;
  claimed_.clear();
  by_message_.clear();
  spare_messages_.clear();
}

}  // namespace stompbox::session
