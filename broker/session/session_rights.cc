#include <string>
#include <utility>

#include "broker/session/session.h"

// What a peer may do is asked frame by frame: rules may be loaded anew while it is here.
namespace stompbox::session {
namespace {

std::string_view word_of(Operation operation) {
  switch (operation) {
    case Operation::kRead: return "read";
    case Operation::kWrite: return "write";
    case Operation::kCreate: return "create";
    case Operation::kBrowse: return "browse";
    case Operation::kManage: return "manage";
  }
  return "use";
}

}  // namespace

bool Session::permit(const Frame& frame, Operation operation,
                     const routing::DestinationView& destination) {
  const Wish wish{.operation = operation, .destination = destination, .headers = frame.headers};
  if (!rights_ || rights_->allows(wish)) return true;
  deny(frame, operation, destination);
  return false;
}

bool Session::permit_use(const Frame& frame, Operation operation,
                         const routing::DestinationView& destination) {
  if (!rights_) return true;
  if (!permit(frame, operation, destination)) return false;
  if (destination.has_wildcards || router_.exists(*peer_, destination)) return true;
  return permit(frame, Operation::kCreate, destination);
}

// One clear ERROR. The hold that follows keeps clients from coming back at once; or 1.0 and 1.1
// peers stay, which serves those with many subscriptions (fact mcollective 1.4). Never those that
// would commit a transaction with a gap.
void Session::deny(const Frame& frame, Operation operation,
                   const routing::DestinationView& destination) {
  const std::string text = routing::to_text(
      {destination.kind, std::string(destination.name), destination.has_wildcards});
  gate_.denied(number_, {.operation = word_of(operation), .destination = text});
  const Refusal refusal{"Access denied", std::string(protocol::to_text(frame.command)) +
                                             ": you may not " + std::string(word_of(operation)) +
                                             " " + quoted(text) + "."};
  const bool stays = options_.after_denial == AfterDenial::kKeep &&
                     version_ != protocol::Version::k12 && transactions_.size() == 0;
  if (!stays) {
    fail(frame, refusal);
    return;
  }
  ReceiptText receipt;
  if (const auto asked = frame.headers.find("receipt")) receipt = *asked;
  const std::uint64_t begin = outbox_.position();
  write_error(refusal, receipt);
  reply_end_ = outbox_.position();
  reply_bytes_ += static_cast<std::size_t>(reply_end_ - begin);
}

}  // namespace stompbox::session
