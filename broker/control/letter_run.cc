#include "broker/control/letter_run.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include "broker/control/request.h"
#include "protocol/encoder.h"

namespace stompbox::control {
namespace {

constexpr routing::Credit kBounds{100'000, 64 * 1024 * 1024};

// What Router::dead_letter puts before the original headers, each once.
constexpr std::array<std::string_view, 4> kDeathHeaders = {
    "dead-letter-reason:", "dead-letter-detail:", "original-destination:", "original-message-id:"};

std::string_view without_death_headers(std::string_view block) {
  for (std::size_t i = 0; i < kDeathHeaders.size(); ++i) {
    const bool ours = std::any_of(kDeathHeaders.begin(), kDeathHeaders.end(),
                                  [block](auto name) { return block.starts_with(name); });
    if (!ours) break;
    block.remove_prefix(std::min(block.find('\n'), block.size() - 1) + 1);
  }
  return block;
}

}  // namespace

storage::Result<routing::Draft> revive(const queue::Message& letter) {
  const protocol::Headers headers = protocol::parse_block(letter.header_block);
  const auto destination = headers.find("original-destination");
  if (!destination) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "it names no original destination: it was not dead-lettered by a broker"};
  }
  routing::Draft draft;
  draft.destination = *destination;
  draft.header_block = without_death_headers(letter.header_block);
  draft.block_is_plain = draft.header_block.find('\\') == std::string::npos;
  draft.body = letter.body;
  return draft;
}

LetterRun::LetterRun(routing::Router& router, LetterAction action, std::optional<Ids> ids,
                     std::function<void()> wake, std::int64_t deadline_ms)
    : router_(router),
      action_(action),
      ids_(std::move(ids)),
      wake_(std::move(wake)),
      deadline_ms_(deadline_ms),
      peer_(router.attach(*this)) {}

LetterRun::~LetterRun() {
  router_.detach(peer_);
}

storage::Status LetterRun::start(const std::string& queue) {
  for (const routing::QueueFigures& figures : router_.queue_figures()) {
    if (figures.name == queue) expected_ = figures.waiting;
  }
  if (expected_ == 0) return storage::kOk;
  routing::SubscribeRequest request;
  request.peer = peer_;
  request.destinations = {{routing::DestinationKind::kQueue, queue}};
  request.ack_mode = routing::AckMode::kIndividual;
  request.credit = kBounds;
  const auto made = router_.subscribe(request);
  if (!made) return made.error();
  subscription_ = *made;
  taking_ = true;
  router_.start_delivery(*made);
  return storage::kOk;
}

void LetterRun::wake() {
  if (!std::exchange(wake_asked_, true)) wake_();
}

void LetterRun::deliver(const routing::Delivery& delivery) {
  arrived_.push_back(delivery);
  wake();
}

void LetterRun::receipt_due(routing::ReceiptNumber) {
  ++due_;
  wake();
}

void LetterRun::refused(routing::ReceiptNumber, const storage::Error& error) {
  outcome_.failures.push_back({"", error.text});
  --outcome_.done;
  ++due_;
  wake();
}

void LetterRun::too_slow(std::uint32_t) {
  assert(false);
}  // of topics only
void LetterRun::room_again() {}

void LetterRun::on_wake(std::int64_t wall_ms) {
  wake_asked_ = false;
  // The router delivers more while a letter is acted on.
  for (std::size_t i = 0; i < arrived_.size(); ++i) {
    const routing::Delivery letter = arrived_[i];
    take(letter, wall_ms);
  }
  arrived_.clear();
  if (taking_ && seen_enough()) stop_taking();
}

void LetterRun::take(const routing::Delivery& letter, std::int64_t wall_ms) {
  const queue::MessageId id = letter.message->id;
  const bool wanted = taking_ && outcome_.looked_at < expected_ && (!ids_ || ids_->contains(id));
  if (taking_) ++outcome_.looked_at;
  if (!wanted) return keep(letter);
  found_.insert(id);
  const storage::Status acted = act(letter, wall_ms);
  if (acted) return;
  outcome_.failures.push_back({to_text(id), acted.error().text});
  keep(letter);
}

storage::Status LetterRun::act(const routing::Delivery& letter, std::int64_t wall_ms) {
  const routing::ReceiptNumber receipt{asked_ + 1};
  if (action_ == LetterAction::kReplay) {
    auto draft = revive(*letter.message);
    if (!draft) return draft.error();
    auto moved = router_.move_to(*subscription_, letter.id, std::move(*draft), wall_ms, receipt);
    if (!moved) return moved;
  } else if (!router_.acknowledge(*subscription_, letter.id, routing::Reach::kOne, receipt)) {
    return storage::Error{storage::ErrorCode::kNotFound, "it is not in the queue any more"};
  }
  ++asked_;
  ++outcome_.done;
  return storage::kOk;
}

void LetterRun::keep(const routing::Delivery& letter) {
  kept_bytes_ += letter.message->bytes();
  kept_.push_back(letter);
}

bool LetterRun::seen_enough() const {
  return outcome_.looked_at >= expected_ || (ids_ && found_.size() == ids_->size()) ||
         kept_.size() >= kBounds.count_max || kept_bytes_ >= kBounds.bytes_max;
}

// No more deliveries first, so that what goes back does not come again.
void LetterRun::stop_taking() {
  taking_ = false;
  router_.unsubscribe(*subscription_);
  for (const auto* list : {&kept_, &arrived_}) {
    for (const routing::Delivery& letter : *list) {
      static_cast<void>(router_.give_back(*subscription_, letter.id, routing::Reach::kOne,
                                          routing::Seen::kNever, std::nullopt));
    }
  }
  kept_.clear();
  arrived_.clear();
}

void LetterRun::on_tick(std::int64_t wall_ms) {
  if (wall_ms < deadline_ms_) return;
  if (taking_) stop_taking();
  given_up_ = true;
}

bool LetterRun::finished() const {
  return !taking_ && (due_ >= asked_ || given_up_);
}

LetterOutcome LetterRun::outcome() const {
  LetterOutcome outcome = outcome_;
  const std::uint64_t unsafe = asked_ - std::min(due_, asked_);
  outcome.done -= unsafe;
  if (unsafe > 0) {
    outcome.failures.push_back({"", std::to_string(unsafe) +
                                        " letters were moved, but that is not on stable storage "
                                        "yet: look at the broker's disk"});
  }
  for (const queue::MessageId id : ids_.value_or(Ids{})) {
    if (!found_.contains(id)) outcome.not_found.push_back(to_text(id));
  }
  return outcome;
}

}  // namespace stompbox::control
