#include <string>
#include <utility>

#include "broker/session/session.h"

// BEGIN, COMMIT, ABORT and what comes between (facts G10 to G17). What a transaction holds is kept
// here until its COMMIT; routing knows nothing of it before. The end of the connection drops it.
namespace stompbox::session {
namespace {

std::string command_of(const protocol::Frame& frame) {
  return std::string(protocol::to_text(frame.command));
}

// An empty id is none.
std::optional<std::string_view> transaction_of(const protocol::Frame& frame) {
  const auto id = frame.headers.find("transaction");
  return id && !id->empty() ? id : std::nullopt;
}

Refusal missing_id(const protocol::Frame& frame) {
  return {"Missing header", command_of(frame) + ": the header transaction is missing."};
}

}  // namespace

void Session::on_begin(const Frame& frame) {
  const auto id = transaction_of(frame);
  if (!id) {
    fail(frame, missing_id(frame));
    return;
  }
  if (transactions_.find(*id) != nullptr) {
    fail(frame, {"Transaction exists",
                 "BEGIN: the transaction " + quoted(*id) + " is open on this connection."});
    return;
  }
  if (transactions_.size() >= options_.transaction_count_max) {
    fail(frame,
         {"Too many transactions", "BEGIN: one connection may have " +
                                       std::to_string(options_.transaction_count_max) + " open."});
    return;
  }
  (void)transactions_.begin(*id);
  owe_due_receipt(frame);
}

void Session::on_end_of_transaction(const Frame& frame) {
  const auto id = transaction_of(frame);
  if (!id) {
    fail(frame, missing_id(frame));
    return;
  }
  if (find_transaction(frame, *id) == nullptr) return;
  Transaction transaction = *transactions_.take(*id);
  if (frame.command == protocol::Command::kAbort) {
    abort(transaction);
    owe_due_receipt(frame);
  } else if (transaction.actions().empty()) {
    owe_due_receipt(frame);
  } else {
    ReceiptText receipt;
    if (const auto text = frame.headers.find("receipt"); text && !output_dead_) receipt = *text;
    submit_together(std::move(transaction), std::move(receipt), frame.command);
  }
}

Transaction* Session::find_transaction(const Frame& frame, std::string_view id) {
  Transaction* const found = transactions_.find(id);
  if (found == nullptr) {
    fail(frame, {"Unknown transaction",
                 command_of(frame) + ": no transaction " + quoted(id) + " is open here."});
  }
  return found;
}

void Session::add_send(const Frame& frame, Transaction& transaction, SendWish&& wish) {
  if (wish.members.empty()) {
    transaction.add_send(std::move(wish.draft));
  } else {
    for (routing::Draft& draft : split_draft(std::move(wish.draft), wish.members))
      transaction.add_send(std::move(draft));
  }
  finish_addition(frame, transaction);
}

// A cumulative verdict reaches in routing whatever is in flight before it when the COMMIT comes:
// where another transaction has claimed some of that, ours are named one by one.
void Session::add_verdict(const Frame& frame, Transaction& transaction, const AckId& target,
                          routing::Outcome outcome) {
  const Subscription& subscription = *subscriptions_.find(target.tag);
  const bool is_cumulative = subscription.ack_mode == routing::AckMode::kClient;
  const auto reach = is_cumulative ? routing::Reach::kUpTo : routing::Reach::kOne;
  const bool one_by_one = unacked_.has_claims(target.tag);
  std::vector<Unacked::Claim> claims = unacked_.claim(target, reach);
  routing::TransactedVerdict verdict{.subscription = subscription.number,
                                     .delivery = target.delivery,
                                     .reach = reach,
                                     .outcome = outcome,
                                     .receipt = std::nullopt};
  if (one_by_one) {
    verdict.reach = routing::Reach::kOne;
    for (const Unacked::Claim& claim : claims) {
      verdict.delivery = claim.delivery.delivery;
      transaction.add_verdict(verdict);
    }
  } else {
    transaction.add_verdict(verdict);
  }
  transaction.add_claims(std::move(claims));
  finish_addition(frame, transaction);
}

// Its receipt and its bounds.
void Session::finish_addition(const Frame& frame, Transaction& transaction) {
  if (transaction.actions().size() > options_.transaction_actions_max ||
      transactions_.bytes() > options_.transaction_bytes_max) {
    fail(frame, {"Transaction too large",
                 command_of(frame) + ": the open transactions of a connection may have " +
                     std::to_string(options_.transaction_actions_max) + " actions each and " +
                     std::to_string(options_.transaction_bytes_max) + " bytes together."});
    return;
  }
  const auto receipt = frame.headers.find("receipt");
  if (!receipt || output_dead_) return;
  if (options_.profile->transaction_receipts == routing::TransactionReceipts::kWhenBuffered) {
    owe_due_receipt(frame);
  } else {
    transaction.add_receipt(*receipt);
  }
}

// What was acknowledged in it is still pending here (fact G14). Its frames were obeyed, so their
// receipts come, before that of the ABORT.
void Session::abort(const Transaction& transaction) {
  unacked_.release(transaction.claims());
  for (const Transaction::Receipt& owed : transaction.receipts())
    receipts_.mark_due(receipts_.owe(owed.text));
}

}  // namespace stompbox::session
