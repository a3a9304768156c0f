#include <algorithm>
#include <utility>

#include "broker/routing/batch.h"
#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"
#include "broker/routing/subscription.h"

// All or nothing (promise P5): everything is checked before anything is changed, and then it is one
// group in the journal.
namespace stompbox::routing {
namespace {

bool owes_a_receipt(const Transacted& action) {
  return std::visit([](const auto& one) { return one.receipt.has_value(); }, action);
}

bool is_durable_send(const Transacted& action) {
  const auto* send = std::get_if<TransactedSend>(&action);
  return send != nullptr && send->draft.persistence == queue::Persistence::kDurable;
}

}  // namespace

storage::Status Router::commit(PeerId peer, std::vector<Transacted> actions, std::int64_t now_ms,
                               std::optional<ReceiptNumber> receipt) {
  set_clock(now_ms);
  const bool somebody_waits =
      receipt || std::any_of(actions.begin(), actions.end(), owes_a_receipt);
  if (disk_full_ && somebody_waits &&
      std::any_of(actions.begin(), actions.end(), is_durable_send)) {
    return storage::Error{storage::ErrorCode::kFull,
                          "the broker's disk is full: the transaction was not committed"};
  }
  Claims claims;
  std::vector<std::vector<Target>> targets;
  for (const Transacted& action : actions) {
    storage::Status checked = check(action, claims);
    targets.emplace_back();
    if (const auto* send = std::get_if<TransactedSend>(&action); checked && send != nullptr) {
      checked = find_targets(peer, send->draft, targets.back());
    }
    if (checked) continue;
    forget_targets(targets);
    return checked;
  }
  carry_out(peer, std::move(actions), targets, receipt);
  return storage::kOk;
}

void Router::carry_out(PeerId peer, std::vector<Transacted> actions,
                       const std::vector<std::vector<Target>>& targets,
                       std::optional<ReceiptNumber> receipt) {
  Batch batch;
  batch.visibility = Batch::Visibility::kWhenSynced;
  batch.returns_ride = false;
  std::set<SubscriptionId> heard;
  const auto owe = [&batch, peer](std::optional<ReceiptNumber> number) {
    if (number) batch.debts.push_back({peer, *number});
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (auto* send = std::get_if<TransactedSend>(&actions[i])) {
      add_send(batch, peer, targets[i], std::move(send->draft));
      owe(send->receipt);
    } else if (const auto* verdict = std::get_if<TransactedVerdict>(&actions[i])) {
      add_verdict(batch, *verdict);
      heard.insert(verdict->subscription);
      owe(verdict->receipt);
    }
  }
  owe(receipt);
  figures_.transactions += 1;
  submit(std::move(batch));
  for (const SubscriptionId subscription : heard)
    after_verdicts(subscription);
}

// A delivery that is not in flight, or that an earlier verdict has named, makes an error of all.
storage::Status Router::check(const Transacted& action, Claims& claims) const {
  const auto* verdict = std::get_if<TransactedVerdict>(&action);
  if (verdict == nullptr) return storage::kOk;
  const Subscription* subscription = find(verdict->subscription);
  Claims::OfOne& claimed = claims.by_subscription[verdict->subscription.value];
  if (subscription == nullptr || subscription->in_flight.find(verdict->delivery) == nullptr ||
      verdict->delivery <= claimed.up_to || claimed.single.contains(verdict->delivery)) {
    return storage::Error{storage::ErrorCode::kNotFound,
                          "the transaction acknowledges a message that is not outstanding"};
  }
  if (verdict->reach == Reach::kUpTo) {
    claimed.up_to = verdict->delivery;
  } else {
    claimed.single.insert(verdict->delivery);
  }
  return storage::kOk;
}

void Router::add_verdict(Batch& batch, const TransactedVerdict& verdict) {
  Subscription& subscription = *find(verdict.subscription);
  while (const auto next = next_reached(subscription, verdict.delivery, verdict.reach)) {
    Entry entry = take_from_flight(subscription, *next);
    switch (verdict.outcome) {
      case Outcome::kAcknowledge:
        if (entry.home == nullptr) break;
        entry.home->acknowledged += 1;
        room_in(routed(*entry.home));
        add_erase(batch, entry);
        break;
      case Outcome::kReturn:
        come_back(batch, subscription, std::move(entry), CameBack::kRefused);
        break;
      case Outcome::kReject:
        come_back(batch, subscription, std::move(entry), CameBack::kRejected);
        break;
    }
  }
}

}  // namespace stompbox::routing
