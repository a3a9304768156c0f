#include <algorithm>
#include <utility>

#include "tests/sim/client.h"

// BEGIN, what stands inside, COMMIT or ABORT. A client has one transaction open at a time, and
// sends nothing outside it meanwhile, so that its numbers grow in the order of what the broker may
// show.
namespace stompbox::sim {

// False: the client goes on with something else, perhaps inside.
bool Client::turn_transaction() {
  if (!open_) {
    if (!chance_.once_in(12)) return false;
    begin();
    return true;
  }
  if (chance_.once_in(6)) {
    chance_.once_in(4) ? abort() : commit();
    return true;
  }
  if (role_ != Role::kConsumer || !chance_.once_in(4)) return false;
  send_message();
  return true;
}

void Client::begin() {
  open_.emplace();
  open_->id = "t" + std::to_string(++last_transaction_);
  protocol::Frame frame;
  frame.command = protocol::Command::kBegin;
  frame.headers.add("transaction", open_->id);
  write(std::move(frame));
}

void Client::send_inside(protocol::Frame frame, const Label& label) {
  frame.headers.add("transaction", open_->id);
  if (chance_.once_in(3)) {
    owed_at_end_.insert(ask_receipt(frame, [this, label, is_committed = open_->is_committed] {
      if (*is_committed) checker_.send_receipted(label);
    }));
  }
  open_->sends.push_back(label);
  write(std::move(frame));
}

void Client::answer_inside(protocol::Frame frame, std::vector<Held> reached) {
  frame.headers.add("transaction", open_->id);
  auto& answers = frame.command == protocol::Command::kAck ? open_->acks : open_->nacks;
  answers.insert(answers.end(), reached.begin(), reached.end());
  write(std::move(frame));
}

void Client::commit() {
  Open done = std::move(*open_);
  open_.reset();
  *done.is_committed = true;
  Deal deal;
  deal.sends = done.sends;
  for (const Held& held : done.acks)
    deal.acks.push_back(held.label);
  for (const auto* answers : {&done.acks, &done.nacks}) {
    for (const Held& held : *answers)
      outstanding_[held.subscription] -= 1;
  }
  const std::uint64_t number = checker_.committed(std::move(deal));
  protocol::Frame frame;
  frame.command = protocol::Command::kCommit;
  frame.headers.add("transaction", done.id);
  if (!chance_.once_in(3)) {
    (void)ask_receipt(frame, [this, number] { checker_.deal_is_done(number); });
  }
  write(std::move(frame));
}

// Nothing of it happens. What it answered is in the client's hands as before.
void Client::abort() {
  Open undone = std::move(*open_);
  open_.reset();
  for (auto* answers : {&undone.acks, &undone.nacks})
    held_.insert(held_.end(), answers->begin(), answers->end());
  std::sort(held_.begin(), held_.end(),
            [](const Held& one, const Held& other) { return one.order < other.order; });
  protocol::Frame frame;
  frame.command =
      fault_ == Fault::kAbortCommits ? protocol::Command::kCommit : protocol::Command::kAbort;
  frame.headers.add("transaction", undone.id);
  write(std::move(frame));
}

}  // namespace stompbox::sim
