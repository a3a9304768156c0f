#include <algorithm>
#include <string>
#include <utility>

#include "broker/session/message_writer.h"
#include "broker/session/session.h"

// SEND, and the way of messages and transactions into routing.
namespace stompbox::session {

using routing::Admission;

namespace {

Refusal not_done(protocol::Command command, const storage::Error& error) {
  return {
      command == protocol::Command::kSend ? "Not sent" : "Not committed",
      std::string(protocol::to_text(command)) + ": " + error.text + "; nothing of it was done."};
}

}  // namespace

void Session::on_send(Frame&& frame) {
  auto read =
      read_send(frame, {.profile = *options_.profile, .owner = owner_, .now_ms = now_.wall_ms});
  if (const auto* const refusal = std::get_if<Refusal>(&read)) {
    fail(frame, *refusal);
    return;
  }
  auto& wish = std::get<SendWish>(read);
  if (rights_ && !may_send(frame, wish)) return;
  if (rights_ && wish.names_an_origin && !may_name_origin(frame, wish)) forget_origin(wish.draft);
  if (const auto refusal = check_members(wish)) {
    fail(frame, *refusal);
    return;
  }
  if (wish.reply_queue && !imply_reply_queue(frame, *wish.reply_queue)) return;
  if (wish.transaction) {
    if (Transaction* const transaction = find_transaction(frame, *wish.transaction)) {
      add_send(frame, *transaction, std::move(wish));
    }
    return;
  }
  ReceiptText receipt;
  if (wish.receipt && !output_dead_) receipt = *wish.receipt;
  if (wish.members.empty()) {
    submit(std::move(wish.draft), std::move(receipt));
    return;
  }
  // All of a composite destination or nothing.
  Transaction together;
  for (routing::Draft& draft : split_draft(std::move(wish.draft), wish.members))
    together.add_send(std::move(draft));
  submit_together(std::move(together), std::move(receipt), protocol::Command::kSend);
}

// Every member gets a copy; and schedules are managed by a SEND of its own.
std::optional<Refusal> Session::check_members(const SendWish& wish) const {
  if (wish.manages_schedules && (wish.transaction || !wish.members.empty())) {
    return Refusal{"Not supported",
                   "SEND: scheduled messages are cancelled by a SEND of its own, outside of "
                   "transactions."};
  }
  const std::size_t bytes = wish.draft.body.size() + wish.draft.header_block.size();
  if (bytes * wish.members.size() <= options_.transaction_bytes_max) return std::nullopt;
  return Refusal{"Too large",
                 "SEND: for so many destinations the message is too large; together "
                 "the copies may have " +
                     std::to_string(options_.transaction_bytes_max) + " bytes."};
}

bool Session::may_send(const Frame& frame, const SendWish& wish) {
  const Operation operation = wish.manages_schedules ? Operation::kManage : Operation::kWrite;
  if (wish.members.empty()) return permit_use(frame, operation, wish.destination);
  return std::all_of(wish.members.begin(), wish.members.end(),
                     [this, &frame](const routing::Destination& member) {
                       return permit_use(frame, Operation::kWrite, {member.kind, member.name});
                     });
}

// A replay obeys the letter in the broker's own name: whoever only writes to a dead-letter queue
// could have it write where he may not. Elsewhere the header means nothing.
bool Session::may_name_origin(const Frame& frame, const SendWish& wish) const {
  const auto may = [this, &frame](const routing::DestinationView& destination) {
    const bool is_letter = destination.kind == routing::DestinationKind::kQueue &&
                           router_.takes_letters(destination.name);
    return !is_letter || rights_->allows({.operation = Operation::kManage,
                                          .destination = destination,
                                          .headers = frame.headers});
  };
  if (wish.members.empty()) return may(wish.destination);
  return std::all_of(wish.members.begin(), wish.members.end(),
                     [&may](const routing::Destination& member) {
                       return may({member.kind, member.name});
                     });
}

// Mentioning one's own temporary queue in a reply-to subscribes to it, unless that has been done
// (fact 2.7): MESSAGEs come with subscription:/temp-queue/NAME, in 1.0 too. False: refused.
bool Session::imply_reply_queue(const Frame& frame, std::string_view destination) {
  const bool is_explicit = options_.profile->reply_queues == routing::ReplyQueues::kExplicit;
  if (is_explicit || !may_deliver()) return true;
  if (subscriptions_.find_oldest_of(destination) != nullptr) return true;
  if (subscriptions_.find_live(destination) != nullptr) return true;  // the id is the peer's own
  auto parsed = routing::parse_destinations(destination, *options_.profile);
  if (!parsed || parsed->size() != 1) {
    fail(frame, {"Bad header", "SEND: the header reply-to is " + quoted(destination) +
                                   ", which is no temporary queue."});
    return false;
  }
  const routing::DestinationView view{parsed->front().kind, parsed->front().name};
  if (!permit_use(frame, Operation::kRead, view)) return false;
  SubscribeWish wish;
  wish.id = destination;
  wish.destination_text = destination;
  wish.destinations = std::move(*parsed);
  wish.credit = {options_.auto_credit_count, options_.auto_credit_bytes};
  Subscription* const subscription = add_subscription(frame, std::move(wish));
  if (subscription == nullptr) return false;
  subscription->implied = true;
  start(*subscription);
  return true;
}

void Session::submit(routing::Draft&& draft, ReceiptText&& receipt) {
  switch (router_.admit(*peer_, draft, receipt.has_value())) {
    case Admission::kAccept: break;
    case Admission::kWait:
      held_.emplace(Held{.work = std::move(draft), .receipt = std::move(receipt)});
      return;
    case Admission::kRefuse:
      fail(CloseReason::kNoRoom, no_room(protocol::Command::kSend), receipt);
      return;
  }
  std::optional<routing::ReceiptNumber> number;
  if (receipt) number = receipts_.owe(*receipt);
  const auto status = router_.publish(*peer_, std::move(draft), now_.wall_ms, number);
  if (status) {
    ++figures_.sends;
    return;
  }
  if (number) receipts_.forget_from(*number);
  const bool is_invalid = status.error().code == storage::ErrorCode::kInvalid;
  fail(CloseReason::kProtocolError,
       {is_invalid ? "Unknown destination" : "Not sent", "SEND: " + status.error().text}, receipt);
}

Refusal Session::no_room(protocol::Command command) const {
  const std::string_view what = router_.figures().disk_full ? "disk" : "queue";
  return {"No room", std::string(protocol::to_text(command)) + ": the " + std::string(what) +
                         " is full; nothing was stored."};
}

// A COMMIT, or a SEND to several. Its receipts take their places now: a client may wait for a later
// plain receipt before it commits (DESIGN §1).
void Session::submit_together(Transaction&& transaction, ReceiptText&& receipt,
                              protocol::Command command) {
  const bool asks_receipt = receipt.has_value() || !transaction.receipts().empty();
  const auto admission = router_.admit_together(*peer_, transaction.actions(), asks_receipt);
  if (!admission) {
    fail(CloseReason::kNoRoom, not_done(command, admission.error()), receipt);
    return;
  }
  if (*admission == Admission::kWait) {
    held_.emplace(
        Held{.work = std::move(transaction), .receipt = std::move(receipt), .command = command});
    return;
  }
  if (*admission == Admission::kRefuse) {
    fail(CloseReason::kNoRoom, no_room(command), receipt);
    return;
  }
  std::optional<routing::ReceiptNumber> first;
  for (const Transaction::Receipt& owed : transaction.receipts()) {
    const routing::ReceiptNumber number = receipts_.owe(owed.text);
    transaction.set_receipt(owed.action, number);
    if (!first) first = number;
  }
  std::optional<routing::ReceiptNumber> last;
  if (receipt) last = receipts_.owe(*receipt);
  if (!first) first = last;
  const auto status = router_.commit(*peer_, transaction.take_actions(), now_.wall_ms, last);
  if (!status) {
    if (first) receipts_.forget_from(*first);
    fail(CloseReason::kProtocolError, not_done(command, status.error()), receipt);
    return;
  }
  figures_.sends += transaction.send_count();
  unacked_.settle(transaction.claims());
  for (const Unacked::Claim& claim : transaction.claims())
    drop_if_spent(claim.delivery.tag);
}

bool Session::submit_held() {
  if (!held_ || phase_ != Phase::kOpen) return false;
  Held held = *std::exchange(held_, std::nullopt);
  if (auto* const draft = std::get_if<routing::Draft>(&held.work)) {
    submit(std::move(*draft), std::move(held.receipt));
  } else {
    submit_together(std::move(std::get<Transaction>(held.work)), std::move(held.receipt),
                    held.command);
  }
  return !held_;
}

}  // namespace stompbox::session
