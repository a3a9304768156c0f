#include "broker/control/letter_run.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "broker/control/request.h"
#include "broker/routing/death_headers.h"
#include "protocol/encoder.h"

namespace stompbox::control {
namespace {

constexpr routing::Credit kBounds{100'000, 64 * 1024 * 1024};

// STOMP's priority 4 is the default, and class 5.
queue::PriorityClass class_of(const protocol::Headers& headers) {
  const auto priority = headers.find("priority");
  if (!priority || priority->size() != 1) return {};
  const char digit = priority->front();
  if (digit < '0' || digit > '9') return {};
  return {static_cast<std::uint8_t>('9' - digit)};
}

// 0: none, or it has passed.
std::int64_t expiry_of(const protocol::Headers& death, std::int64_t now_ms) {
  const std::string_view text = death.find(routing::kOriginalExpires).value_or("");
  std::int64_t expires_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expires_ms);
  if (error != std::errc{} || end != text.data() + text.size()) return 0;
  return expires_ms > now_ms ? expires_ms : 0;
}

}  // namespace

storage::Result<routing::Draft> revive(const queue::Message& letter, std::int64_t now_ms) {
  const routing::LetterBlock block = routing::split_letter_block(letter.header_block);
  const protocol::Headers death = protocol::parse_block(block.death);
  const auto destination = death.find(routing::kOriginalDestination);
  if (!destination) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "it names no original destination: it was not dead-lettered by a broker"};
  }
  const protocol::Headers own = protocol::parse_block(block.original);
  routing::Draft draft;
  draft.destination = *destination;
  draft.header_block = block.original;
  draft.block_is_plain = block.original.find('\\') == std::string_view::npos;
  draft.body = letter.body;
  draft.priority = class_of(own);
  draft.has_group = !own.find("JMSXGroupID").value_or("").empty();
  draft.expires_ms = expiry_of(death, now_ms);
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

void LetterRun::start(const std::vector<std::string>& queues) {
  for (const std::string& queue : queues) {
    const auto figures = router_.queue_figures(queue);
    if (figures && figures->waiting > 0) parts_.push_back({queue, figures->waiting});
  }
  begin_next();
}

void LetterRun::begin_next() {
  while (!taking_ && !given_up_ && !found_all() && !parts_.empty()) {
    part_ = std::move(parts_.front());
    parts_.pop_front();
    routing::SubscribeRequest request;
    request.peer = peer_;
    request.destinations = {{routing::DestinationKind::kQueue, part_.queue}};
    request.ack_mode = routing::AckMode::kIndividual;
    request.credit = kBounds;
    const auto made = router_.subscribe(request);
    if (!made) {
      outcome_.failures.push_back({"", "the queue '" + part_.queue + "': " + made.error().text});
      continue;
    }
    subscription_ = *made;
    looked_at_here_ = 0;
    taking_ = true;
    router_.start_delivery(*made);
  }
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
  std::size_t taken = 0;
  for (; taken < arrived_.size(); ++taken) {
    const routing::Delivery letter = arrived_[taken];
    if (take(letter, wall_ms) == Taken::kLater) break;
  }
  arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (!taking_ || !seen_enough()) return;
  stop_taking();
  begin_next();
}

// While the journal is full of what this run has moved, the rest waits for the next receipt.
LetterRun::Taken LetterRun::take(const routing::Delivery& letter, std::int64_t wall_ms) {
  const queue::MessageId id = letter.message->id;
  const bool wanted = taking_ && looked_at_here_ < part_.expected && (!ids_ || ids_->contains(id));
  storage::Status acted = storage::kOk;
  if (wanted) {
    acted = act(letter, wall_ms);
    const bool is_full = !acted && acted.error().code == storage::ErrorCode::kFull;
    if (is_full && due_ < asked_) return Taken::kLater;
    found_.insert(id);
  }
  if (taking_) {
    ++looked_at_here_;
    ++outcome_.looked_at;
  }
  if (!wanted || !acted) keep(letter);
  if (!acted) outcome_.failures.push_back({to_text(id), acted.error().text});
  return Taken::kYes;
}

storage::Status LetterRun::act(const routing::Delivery& letter, std::int64_t wall_ms) {
  const routing::ReceiptNumber receipt{asked_ + 1};
  if (action_ == LetterAction::kReplay) {
    auto draft = revive(*letter.message, wall_ms);
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
  return looked_at_here_ >= part_.expected || found_all() || kept_.size() >= kBounds.count_max ||
         kept_bytes_ >= kBounds.bytes_max;
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
  kept_bytes_ = 0;
  arrived_.clear();
}

void LetterRun::on_tick(std::int64_t wall_ms) {
  given_up_ = wall_ms >= deadline_ms_;
  if (!taking_ || (!given_up_ && !others_took_the_rest())) return;
  stop_taking();
  begin_next();
}

bool LetterRun::others_took_the_rest() const {
  const auto figures = router_.queue_figures(part_.queue);
  return arrived_.empty() && (!figures || figures->waiting == 0);
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
