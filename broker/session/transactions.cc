#include "broker/session/transactions.h"

#include <cassert>
#include <utility>
#include <variant>

namespace stompbox::session {
namespace {

// What an action costs besides its texts.
constexpr std::size_t kActionBytes = sizeof(routing::Transacted);

}  // namespace

void Transaction::add_send(routing::Draft&& draft) {
  bytes_ += kActionBytes + draft.body.size() + draft.header_block.size() + draft.destination.size();
  actions_.emplace_back(routing::TransactedSend{std::move(draft), std::nullopt});
  ++send_count_;
}

void Transaction::add_verdict(routing::TransactedVerdict verdict) {
  bytes_ += kActionBytes;
  actions_.emplace_back(verdict);
}

void Transaction::add_claims(std::vector<Unacked::Claim> claims) {
  bytes_ += claims.size() * sizeof(Unacked::Claim);
  claims_.insert(claims_.end(), claims.begin(), claims.end());
}

void Transaction::add_receipt(std::string_view text) {
  assert(!actions_.empty());
  bytes_ += sizeof(Receipt) + text.size();
  receipts_.push_back({actions_.size() - 1, std::string(text)});
}

void Transaction::set_receipt(std::size_t action, routing::ReceiptNumber number) {
  std::visit([number](auto& what) { what.receipt = number; }, actions_.at(action));
}

Transaction* Transactions::begin(std::string_view id) {
  const auto [at, inserted] = open_.try_emplace(std::string(id));
  return inserted ? &at->second : nullptr;
}

Transaction* Transactions::find(std::string_view id) {
  const auto at = open_.find(id);
  return at == open_.end() ? nullptr : &at->second;
}

std::optional<Transaction> Transactions::take(std::string_view id) {
  const auto at = open_.find(id);
  if (at == open_.end()) return std::nullopt;
  std::optional<Transaction> taken(std::move(at->second));
  open_.erase(at);
  return taken;
}

std::size_t Transactions::bytes() const {
  std::size_t sum = 0;
  for (const auto& [id, transaction] : open_)
    sum += transaction.bytes();
  return sum;
}

}  // namespace stompbox::session
