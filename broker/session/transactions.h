#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/router.h"
#include "broker/session/unacked.h"

namespace stompbox::session {

// What one peer wants to happen together, in the order of its frames.
class Transaction {
 public:
  void add_send(routing::Draft&& draft);
  void add_verdict(routing::TransactedVerdict verdict);
  // That an ACK or NACK in it covers.
  void add_claims(std::vector<Unacked::Claim> claims);
  // The last action asked for a receipt, which is due at the end.
  void add_receipt(std::string_view text);

  // The texts of the receipts, in the order of the frames.
  struct Receipt {
    std::size_t action = 0;
    std::string text;
  };
  [[nodiscard]] const std::vector<Receipt>& receipts() const { return receipts_; }
  [[nodiscard]] const std::vector<Unacked::Claim>& claims() const { return claims_; }
  [[nodiscard]] const std::vector<routing::Transacted>& actions() const { return actions_; }
  [[nodiscard]] std::size_t send_count() const { return send_count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void set_receipt(std::size_t action, routing::ReceiptNumber number);
  [[nodiscard]] std::vector<routing::Transacted> take_actions() { return std::move(actions_); }

 private:
  std::vector<routing::Transacted> actions_;
  std::vector<Receipt> receipts_;
  std::vector<Unacked::Claim> claims_;
  std::size_t send_count_ = 0;
  std::size_t bytes_ = 0;
};

// The open transactions of one peer, by their ids.
class Transactions {
 public:
  // Nothing if one of that id is open.
  [[nodiscard]] Transaction* begin(std::string_view id);
  [[nodiscard]] Transaction* find(std::string_view id);
  [[nodiscard]] std::optional<Transaction> take(std::string_view id);
  void clear() { open_.clear(); }

  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::size_t bytes() const;  // of all

 private:
  std::map<std::string, Transaction, std::less<>> open_;
};

}  // namespace stompbox::session
