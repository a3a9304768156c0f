#include "broker/drain/drain.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/drain/crash_ledger.h"
#include "broker/drain/source_router.h"

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

Drain::Drain(Source& source, Workshop& workshop, DrainObserver& observer,
             const DrainOptions& options, std::function<void()> wake, Suspects suspects)
    : source_(source),
      workshop_(workshop),
      observer_(observer),
      options_(options),
      wake_(std::move(wake)),
      suspects_(std::move(suspects)) {
  add_feeds();
}

Drain::Drain(routing::Router& router, Workshop& workshop, DrainObserver& observer,
             const DrainOptions& options, std::function<void()> wake, Suspects suspects)
    : Drain(std::make_unique<RouterSource>(router), workshop, observer, options, std::move(wake),
            std::move(suspects)) {}

Drain::Drain(std::unique_ptr<Source> owned, Workshop& workshop, DrainObserver& observer,
             const DrainOptions& options, std::function<void()> wake, Suspects suspects)
    : owned_(std::move(owned)),
      source_(*owned_),
      workshop_(workshop),
      observer_(observer),
      options_(options),
      wake_(std::move(wake)),
      suspects_(std::move(suspects)) {
  add_feeds();
}

Drain::~Drain() = default;

void Drain::add_feeds() {
  const bool both = !options_.catalog_queue.empty() && !options_.facts_queue.empty();
  const auto add = [this](const std::string& queue, MessageKind kind, std::size_t quarters) {
    if (!queue.empty()) feeds_.push_back({queue, kind, share(options_, quarters)});
  };
  add(options_.catalog_queue, MessageKind::kCatalog, both ? 3 : 4);
  add(options_.facts_queue, MessageKind::kFacts, both ? 1 : 4);
  figures_.enabled = !feeds_.empty();
}

void Drain::start(TimePoint now, std::int64_t wall_ms) {
  assert(phase_ == Phase::kFresh);
  if (feeds_.empty()) return;
  phase_ = Phase::kDraining;
  source_.attach(*this);
  competition_at_ = now;
  subscribe(now, wall_ms);
}

// Those that have no subscription yet; a refusal is tried again like trouble of the database.
void Drain::subscribe(TimePoint now, std::int64_t wall_ms) {
  for (std::size_t tag = 0; tag < feeds_.size(); ++tag) {
    Feed& feed = feeds_[tag];
    if (feed.subscribed) continue;
    const auto made = source_.subscribe(static_cast<std::uint32_t>(tag), feed.queue, feed.credit);
    if (!made) return back_off(made.error().text, now, wall_ms);
    feed.subscribed = true;
  }
}

void Drain::stop() {
  if (phase_ == Phase::kStopped) return;
  if (phase_ != Phase::kFresh) source_.close();
  phase_ = Phase::kStopped;
  retry_at_.reset();
  competition_at_.reset();
  give_back_waiting();
}

void Drain::take(const Arriving& arriving) {
  assert(arriving.tag < feeds_.size());
  held_.emplace(arriving.item, Held{feeds_[arriving.tag].kind, arriving.message});
  waiting_.push_back(arriving.item);
  if (wake_asked_) return;
  wake_asked_ = true;
  wake_();
}

// One in the round stays held until its result; whether that reaches the broker is the source's.
void Drain::gone(std::uint64_t item) {
  if (std::erase(waiting_, item) > 0) held_.erase(item);
}

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
  Round round{++last_round_, {}, std::exchange(cleared_, {})};
  round.items.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const Held& held = held_.at(waiting_[i]);
    round.items.push_back({waiting_[i], held.kind, held.message});
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
  round_ = round.number;
  figures_.storing_since_ms = wall_ms;
  workshop_.hand_over(std::move(round));
}

bool Drain::is_suspect(std::uint64_t item) const {
  return suspects_.contains(key_of(item));
}

std::uint64_t Drain::key_of(std::uint64_t item) const {
  return ledger_key(*held_.at(item).message, options_.ledger_keys);
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
  std::vector<std::pair<std::uint64_t, unsigned>> crashed;  // with the number of exits
  std::erase_if(waiting_, [this, &crashed](std::uint64_t item) {
    const auto suspect = suspects_.find(key_of(item));
    if (suspect == suspects_.end() || suspect->second < options_.crash_count_max) return false;
    crashed.emplace_back(item, suspect->second);
    return true;
  });
  for (const auto& [item, exits] : crashed) {
    const std::uint64_t key = key_of(item);
    const std::string reason =
        "the process ended " + std::to_string(exits) + " times while this message was being stored";
    dead_letter(item, {item, ItemFate::kDeadLetter, {}, "crashed", reason, {}}, wall_ms);
    if (held_.contains(item)) continue;
    suspects_.erase(key);
    cleared_.push_back(key);
  }
  return_unstored_letters(now, wall_ms);
}

void Drain::on_round_done(RoundResult result, TimePoint now, std::int64_t wall_ms) {
  assert(round_ == result.number);
  round_.reset();
  figures_.storing_since_ms.reset();
  if (result.items.empty()) return on_answer(result, now, wall_ms);
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
  if (!suspects_.empty()) suspects_.erase(key_of(result.item));
  if (result.fate == ItemFate::kDeadLetter) return dead_letter(result.item, result, wall_ms);
  count(result, found->second.kind, wall_ms);
  held_.erase(found);
  source_.done(result.item);
}

void Drain::dead_letter(std::uint64_t item, const ItemResult& result, std::int64_t wall_ms) {
  if (!source_.dead_letter(item, {result.kind, result.reason}, wall_ms)) {
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
  if (wrote) {
    figures_.last_stored_ms = wall_ms;
    figures_.last_lag_ms = wall_ms - held_.at(result.item).message->arrived_ms;
  }
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
  held_.erase(item);
  source_.give_back(item);
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
  if (!figures_.trouble_since_ms) figures_.trouble_since_ms = wall_ms;
  if (!std::exchange(figures_.database_in_trouble, true) || trouble_ != reason) {
    trouble_ = reason;
    observer_.on_trouble(reason, retry_in_);
  }
}

void Drain::recover() {
  if (!std::exchange(figures_.database_in_trouble, false)) return;
  figures_.trouble_since_ms.reset();
  trouble_.clear();
  observer_.on_recovery();
  if (phase_ == Phase::kProbing) set_credit(Phase::kDraining);
}

void Drain::set_credit(Phase phase) {
  phase_ = phase;
  for (std::size_t tag = 0; tag < feeds_.size(); ++tag) {
    if (!feeds_[tag].subscribed) continue;
    const auto credit = phase == Phase::kBackingOff ? kNoCredit
                        : phase == Phase::kProbing  ? kProbeCredit
                                                    : feeds_[tag].credit;
    source_.set_credit(static_cast<std::uint32_t>(tag), credit);
  }
}

void Drain::on_time(TimePoint now) {
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    ask_database();
  }
  if (competition_at_ && *competition_at_ <= now) look_for_competition(now);
}

// Not by a message: a broker may count each that is taken in vain, and give it up in the end.
void Drain::ask_database() {
  assert(phase_ == Phase::kBackingOff && !round_);
  round_ = ++last_round_;
  workshop_.hand_over({*round_, {}});
}

void Drain::on_answer(const RoundResult& answer, TimePoint now, std::int64_t wall_ms) {
  if (phase_ == Phase::kStopped) return;
  if (answer.trouble) return back_off(*answer.trouble, now, wall_ms);
  set_credit(Phase::kProbing);
  subscribe(now, wall_ms);
}

void Drain::look_for_competition(TimePoint now) {
  competition_at_ = now + options_.competition_check;
  for (std::size_t tag = 0; tag < feeds_.size(); ++tag) {
    Feed& feed = feeds_[tag];
    const bool contested = source_.contested(static_cast<std::uint32_t>(tag));
    if (contested && !feed.contested) observer_.on_competition(feed.queue);
    feed.contested = contested;
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
  for (const Feed& feed : feeds_) {
    if (feed.contested) figures.contested_queues.push_back(feed.queue);
  }
  return figures;
}

}  // namespace stompbox::drain
