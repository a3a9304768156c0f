#include "broker/drain/drain.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stompbox::drain {
namespace {

constexpr routing::Credit kNoCredit{0, 0};
// One message shows whether the database is back.
constexpr routing::Credit kProbeCredit{1, 1};

routing::Credit share(const DrainOptions& options, std::size_t quarters) {
  return {std::max<std::size_t>(1, options.window_count * quarters / 4),
          std::max<std::size_t>(1, options.window_bytes * quarters / 4)};
}

// Whether the result shows that the database takes what it is given.
bool proves_database(const ItemResult& result) {
  return result.fate != ItemFate::kRetry && result.fate != ItemFate::kDeadLetter;
}

}  // namespace

Drain::Drain(routing::Router& router, Workshop& workshop, DrainObserver& observer,
             const DrainOptions& options, std::function<void()> wake, Suspects suspects)
    : router_(router),
      workshop_(workshop),
      observer_(observer),
      options_(options),
      wake_(std::move(wake)),
      suspects_(std::move(suspects)) {
  const bool both = !options_.catalog_queue.empty() && !options_.facts_queue.empty();
  if (!options_.catalog_queue.empty()) {
    sources_.push_back(
        {options_.catalog_queue, MessageKind::kCatalog, share(options_, both ? 3 : 4), {}, false});
  }
  if (!options_.facts_queue.empty()) {
    sources_.push_back(
        {options_.facts_queue, MessageKind::kFacts, share(options_, both ? 1 : 4), {}, false});
  }
  figures_.enabled = !sources_.empty();
}

Drain::~Drain() {
  if (peer_) router_.detach(*peer_);
}

void Drain::start(TimePoint now, std::int64_t wall_ms) {
  assert(phase_ == Phase::kFresh);
  if (sources_.empty()) return;
  phase_ = Phase::kDraining;
  peer_ = router_.attach(*this);
  competition_at_ = now;
  subscribe(now, wall_ms);
}

// Those that have no subscription yet; a refusal is tried again like trouble of the database.
void Drain::subscribe(TimePoint now, std::int64_t wall_ms) {
  for (std::size_t tag = 0; tag < sources_.size(); ++tag) {
    Source& source = sources_[tag];
    if (source.subscription) continue;
    routing::SubscribeRequest request;
    request.peer = *peer_;
    request.tag = static_cast<std::uint32_t>(tag);
    request.destinations = {{routing::DestinationKind::kQueue, source.queue}};
    request.ack_mode = routing::AckMode::kIndividual;
    request.credit = source.credit;
    const auto made = router_.subscribe(request);
    if (!made) return back_off(made.error().text, now, wall_ms);
    source.subscription = *made;
    router_.start_delivery(*made);
  }
}

void Drain::stop() {
  if (phase_ == Phase::kStopped) return;
  phase_ = Phase::kStopped;
  retry_at_.reset();
  competition_at_.reset();
  for (const Source& source : sources_) {
    if (source.subscription) router_.unsubscribe(*source.subscription);
  }
  give_back_waiting();
}

void Drain::deliver(const routing::Delivery& delivery) {
  assert(delivery.tag < sources_.size());
  const std::uint64_t item = ++last_item_;
  held_.emplace(item, Held{delivery.subscription, delivery.id, sources_[delivery.tag].kind,
                           delivery.message});
  waiting_.push_back(item);
  if (wake_asked_) return;
  wake_asked_ = true;
  wake_();
}

// The drain asks for no receipts, publishes nothing and listens to no topic.
void Drain::receipt_due(routing::ReceiptNumber) {
  assert(false);
}
void Drain::refused(routing::ReceiptNumber, const storage::Error&) {
  assert(false);
}
void Drain::too_slow(std::uint32_t) {
  assert(false);
}
void Drain::room_again() {}

void Drain::on_wake(TimePoint now, std::int64_t wall_ms) {
  wake_asked_ = false;
  hand_over_waiting(now, wall_ms);
}

void Drain::hand_over_waiting(TimePoint now, std::int64_t wall_ms) {
  if (phase_ == Phase::kStopped || phase_ == Phase::kBackingOff) return give_back_waiting();
  if (round_) return;
  give_up_crashed(now, wall_ms);
  if (phase_ == Phase::kBackingOff) return give_back_waiting();
  std::sort(waiting_.begin(), waiting_.end(), [this](std::uint64_t a, std::uint64_t b) {
    return held_.at(a).message->id < held_.at(b).message->id;
  });
  const std::size_t size = next_round_size();
  if (size == 0) return;
  Round round{++last_round_, {}};
  round.items.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const Held& held = held_.at(waiting_[i]);
    round.items.push_back({waiting_[i], held.kind, held.message});
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
  round_ = round.number;
  workshop_.hand_over(std::move(round));
}

bool Drain::is_suspect(std::uint64_t item) const {
  return suspects_.contains(held_.at(item).message->id.value);
}

// A suspect goes alone, so that the next exit accuses nobody else.
std::size_t Drain::next_round_size() const {
  if (suspects_.empty() || waiting_.empty()) return waiting_.size();
  if (is_suspect(waiting_.front())) return 1;
  const auto first = std::find_if(waiting_.begin(), waiting_.end(),
                                  [this](std::uint64_t item) { return is_suspect(item); });
  return static_cast<std::size_t>(first - waiting_.begin());
}

void Drain::give_up_crashed(TimePoint now, std::int64_t wall_ms) {
  if (suspects_.empty()) return;
  std::vector<std::uint64_t> crashed;
  std::erase_if(waiting_, [this, &crashed](std::uint64_t item) {
    const auto suspect = suspects_.find(held_.at(item).message->id.value);
    if (suspect == suspects_.end() || suspect->second < options_.crash_count_max) return false;
    crashed.push_back(item);
    return true;
  });
  for (const std::uint64_t item : crashed) {
    const std::uint64_t message = held_.at(item).message->id.value;
    const auto suspect = suspects_.find(message);
    const std::string reason = "the broker ended " + std::to_string(suspect->second) +
                               " times while this message was being stored";
    dead_letter(item, {item, ItemFate::kDeadLetter, {}, "crashed", reason, {}}, wall_ms);
    if (!held_.contains(item)) suspects_.erase(message);
  }
  return_unstored_letters(now, wall_ms);
}

void Drain::on_round_done(RoundResult result, TimePoint now, std::int64_t wall_ms) {
  assert(round_ == result.number);
  round_.reset();
  const bool proven = std::any_of(result.items.begin(), result.items.end(), proves_database);
  const auto retry = std::find_if(result.items.begin(), result.items.end(),
                                  [](const auto& item) { return item.fate == ItemFate::kRetry; });
  if (proven) retry_in_ = std::chrono::milliseconds{0};
  if (phase_ != Phase::kStopped && retry != result.items.end()) {
    back_off(retry->reason, now, wall_ms);
  } else if (proven) {
    recover();
  }
  for (const ItemResult& item : result.items)
    settle(item, wall_ms);
  return_unstored_letters(now, wall_ms);
  hand_over_waiting(now, wall_ms);
}

void Drain::settle(const ItemResult& result, std::int64_t wall_ms) {
  const auto found = held_.find(result.item);
  assert(found != held_.end());
  for (const std::string& warning : result.warnings)
    observer_.on_warning(result.node, warning);
  if (result.fate == ItemFate::kRetry) {
    ++figures_.retries;
    return give_back(result.item);
  }
  if (!suspects_.empty()) suspects_.erase(found->second.message->id.value);
  if (result.fate == ItemFate::kDeadLetter) return dead_letter(result.item, result, wall_ms);
  count(result, found->second.kind, wall_ms);
  // False only if the delivery was taken from us, which leaves nothing to acknowledge.
  static_cast<void>(router_.acknowledge(found->second.subscription, found->second.delivery,
                                        routing::Reach::kOne, std::nullopt));
  held_.erase(found);
}

void Drain::dead_letter(std::uint64_t item, const ItemResult& result, std::int64_t wall_ms) {
  const Held& held = held_.at(item);
  if (!router_.dead_letter(held.subscription, held.delivery, {result.kind, result.reason},
                           wall_ms)) {
    unstored_letters_.push_back(item);
    return;
  }
  const Held letter = std::move(held_.extract(item).mapped());
  ++figures_.dead_lettered;
  figures_.last_error = result.reason;
  figures_.last_error_ms = wall_ms;
  observer_.on_dead_letter(result.node, letter.message->id, result.reason);
}

// Letters that the dead-letter queue had no room for wait in their own queue.
void Drain::return_unstored_letters(TimePoint now, std::int64_t wall_ms) {
  if (unstored_letters_.empty()) return;
  if (phase_ != Phase::kStopped) {
    back_off("the queue store has no room for a dead letter", now, wall_ms);
  }
  for (const std::uint64_t item : std::exchange(unstored_letters_, {}))
    give_back(item);
}

void Drain::count(const ItemResult& result, MessageKind kind, std::int64_t wall_ms) {
  const bool wrote = result.fate == ItemFate::kStored || result.fate == ItemFate::kUnchanged;
  if (wrote) figures_.last_stored_ms = wall_ms;
  if (kind == MessageKind::kFacts && wrote) {
    ++figures_.facts_stored;
    return;
  }
  switch (result.fate) {
    case ItemFate::kStored: ++figures_.stored; break;
    case ItemFate::kUnchanged: ++figures_.unchanged; break;
    case ItemFate::kSuperseded: ++figures_.superseded; break;
    case ItemFate::kSkipped: ++figures_.skipped; break;
    case ItemFate::kRetry:
    case ItemFate::kDeadLetter: break;  // counted where they are settled
  }
}

void Drain::give_back(std::uint64_t item) {
  const auto held = held_.extract(item);
  static_cast<void>(router_.give_back(held.mapped().subscription, held.mapped().delivery,
                                      routing::Reach::kOne, routing::Seen::kNever, std::nullopt));
}

void Drain::give_back_waiting() {
  const std::vector<std::uint64_t> waiting = std::exchange(waiting_, {});
  for (const std::uint64_t item : waiting)
    give_back(item);
}

// No credit first, so that what is given back does not come again at once.
void Drain::back_off(const std::string& reason, TimePoint now, std::int64_t wall_ms) {
  set_credit(Phase::kBackingOff);
  retry_in_ =
      retry_in_.count() == 0 ? options_.retry_first : std::min(2 * retry_in_, options_.retry_max);
  retry_at_ = now + retry_in_;
  figures_.last_error = reason;
  figures_.last_error_ms = wall_ms;
  if (!std::exchange(figures_.database_in_trouble, true) || trouble_ != reason) {
    trouble_ = reason;
    observer_.on_trouble(reason, retry_in_);
  }
}

void Drain::recover() {
  if (!std::exchange(figures_.database_in_trouble, false)) return;
  trouble_.clear();
  observer_.on_recovery();
  if (phase_ == Phase::kProbing) set_credit(Phase::kDraining);
}

void Drain::set_credit(Phase phase) {
  phase_ = phase;
  for (const Source& source : sources_) {
    if (!source.subscription) continue;
    const auto credit = phase == Phase::kBackingOff ? kNoCredit
                        : phase == Phase::kProbing  ? kProbeCredit
                                                    : source.credit;
    router_.set_credit(*source.subscription, credit);
  }
}

void Drain::on_time(TimePoint now, std::int64_t wall_ms) {
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    set_credit(Phase::kProbing);
    subscribe(now, wall_ms);
  }
  if (competition_at_ && *competition_at_ <= now) look_for_competition(now);
}

void Drain::look_for_competition(TimePoint now) {
  competition_at_ = now + options_.competition_check;
  const std::vector<routing::QueueFigures> queues = router_.queue_figures();
  for (Source& source : sources_) {
    const auto queue = std::find_if(queues.begin(), queues.end(), [&source](const auto& figures) {
      return figures.name == source.queue;
    });
    const bool contested = queue != queues.end() && queue->consumers > 1;
    if (contested && !source.contested) observer_.on_competition(source.queue);
    source.contested = contested;
  }
}

std::optional<TimePoint> Drain::next_event() const {
  if (!retry_at_ || !competition_at_) return retry_at_ ? retry_at_ : competition_at_;
  return std::min(*retry_at_, *competition_at_);
}

DrainFigures Drain::figures() const {
  DrainFigures figures = figures_;
  figures.in_drain = held_.size();
  for (const auto& [item, held] : held_) {
    if (held.kind != MessageKind::kCatalog) continue;
    const std::int64_t arrived_ms = held.message->arrived_ms;
    if (!figures.oldest_unstored_ms || arrived_ms < *figures.oldest_unstored_ms) {
      figures.oldest_unstored_ms = arrived_ms;
    }
  }
  for (const Source& source : sources_) {
    if (source.contested) figures.contested_queues.push_back(source.queue);
  }
  return figures;
}

}  // namespace stompbox::drain
