#include "broker/stomp_source.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "protocol/encoder.h"

namespace stompbox {
namespace {

using client::Dialogue;
using protocol::Frame;
using std::chrono::milliseconds;

// A connection that lasted so long was of use.
constexpr std::chrono::seconds kSettledIn{10};
// A broker that ignores the window is not read further when so many windows' worth is here.
constexpr std::size_t kWindowsMax = 2;

// What belongs to one delivery, and what would keep a letter from being kept.
constexpr std::array<std::string_view, 12> kNotTheMessages = {
    "message-id",  "subscription",   "ack",
    "destination", "content-length", "redelivered",
    "receipt",     "expires",        "persistent",
    "transaction", kOriginalArrival, client::kArrivalHeader};

void add_header(queue::Message& message, std::string_view name, std::string_view value) {
  protocol::append_header(message.header_block, protocol::Version::k12, name, value);
  const bool plain = !protocol::needs_escape(name) && !protocol::needs_escape(value);
  message.block_is_plain = message.block_is_plain && plain;
}

queue::MessagePtr make_message(Frame frame, std::uint64_t stamp) {
  auto message = std::make_shared<queue::Message>();
  message->id.value = stamp;
  message->arrived_ms = ArrivalStamps::time_ms(stamp);
  message->destination = frame.headers.find("destination").value_or("");
  for (std::size_t i = 0; i < frame.headers.size(); ++i) {
    const auto header = frame.headers.at(i);
    if (std::find(kNotTheMessages.begin(), kNotTheMessages.end(), header.name) !=
        kNotTheMessages.end()) {
      continue;
    }
    add_header(*message, header.name, header.value);
  }
  message->body = std::move(frame.body);
  return message;
}

std::string letter_headers(const queue::Message& message, const routing::DeadLetterReason& reason) {
  std::string block;
  const auto add = [&block](std::string_view name, std::string_view value) {
    protocol::append_header(block, protocol::Version::k12, name, value);
  };
  // Those of its death first: a Stompbox that replays it takes them off again, but for its arrival.
  add("dead-letter-reason", reason.kind);
  add("dead-letter-detail", reason.detail);
  add("original-destination", message.destination);
  add("persistent", "true");
  add(kOriginalArrival, ArrivalStamps::text(message.id.value));
  return block + message.header_block;
}

}  // namespace

StompSource::StompSource(StompSourceOptions options, SourceObserver& observer,
                         std::function<void()> wake)
    : options_(std::move(options)),
      observer_(observer),
      wake_(std::move(wake)),
      failover_(options_.brokers.size(), options_.failover) {}

StompSource::~StompSource() = default;

const client::BrokerUrl* StompSource::wants_connection(TimePoint now) const {
  const bool wanted =
      state_ == State::kAway && !closed_ && !feeds_.empty() && now >= failover_.next_try();
  // In trouble it comes back when the drain wants to try one message.
  const bool credit = std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) {
    return feed.second.credit.count_max > 0;
  });
  return wanted && credit ? &options_.brokers[failover_.current()] : nullptr;
}

void StompSource::connecting() {
  assert(state_ == State::kAway);
  state_ = State::kConnecting;
  close_asked_ = false;
  last_words_.clear();
}

void StompSource::connected(TimePoint now) {
  assert(state_ == State::kConnecting && !dialogue_);
  now_ = now;
  dialogue_ = std::make_unique<Dialogue>(options_.dialogue, now);
}

void StompSource::lost(const storage::Error& why, TimePoint now) {
  now_ = now;
  if (state_ == State::kAway) return;
  if (state_ == State::kOpen && now - opened_at_ >= kSettledIn) failover_.worked();
  const client::BrokerUrl& broker = options_.brokers[failover_.current()];
  drop_all();
  failover_.failed(now);
  if (leaving_) return;
  const auto pause = std::max(failover_.next_try() - now, TimePoint::duration::zero());
  observer_.on_source_lost(broker, why, std::chrono::ceil<milliseconds>(pause));
}

// The broker has all of it still.
void StompSource::drop_all() {
  ask_for_wake();
  state_ = State::kAway;
  dialogue_.reset();
  letters_.clear();
  held_bytes_ = 0;
  for (auto& [tag, feed] : feeds_) {
    feed.backlog.clear();
    feed.taken_count = 0;
    feed.taken_bytes = 0;
  }
  const auto taken = std::exchange(taken_, {});
  for (const auto& [item, one] : taken)
    taker_->gone(item);
}

// Without a word that would be waited for: to close is to give back.
void StompSource::go_away() {
  close_asked_ = true;
  if (dialogue_) last_words_ = dialogue_->take_output();
  drop_all();
}

void StompSource::came(std::string_view bytes, TimePoint now, std::int64_t wall_ms) {
  now_ = now;
  if (!dialogue_) return;
  dialogue_->feed(bytes, now);
  take_events(wall_ms);
}

void StompSource::take_events(std::int64_t wall_ms) {
  while (dialogue_) {
    auto event = dialogue_->next();
    if (!event) return;
    if (auto* const arrived = std::get_if<Dialogue::Arrived>(&*event)) {
      on_arrived(std::move(*arrived), wall_ms);
    } else if (const auto* const opened = std::get_if<Dialogue::Opened>(&*event)) {
      on_opened(*opened);
    } else if (const auto* const confirmed = std::get_if<Dialogue::Confirmed>(&*event)) {
      on_confirmed(confirmed->receipt);
    } else if (const auto* const failed = std::get_if<Dialogue::Failed>(&*event)) {
      close_asked_ = true;
      return lost(failed->error, now_);
    } else {
      go_away();  // it has left: the broker knows all that we said
    }
  }
}

void StompSource::on_opened(const Dialogue::Opened& opened) {
  state_ = State::kOpen;
  opened_at_ = now_;
  figures_.connections += 1;
  figures_.server = opened.server;
  observer_.on_source_open(options_.brokers[failover_.current()], opened);
  narrow_ = in_trouble();
  if (trouble_since_) trouble_since_ = now_;  // what it takes is held as long again
  for (const auto& [tag, feed] : feeds_) {
    const client::Window window =
        narrow_ ? client::Window{1, 1} : client::Window{feed.full.count_max, feed.full.bytes_max};
    dialogue_->subscribe(tag, feed.destination, window, now_);
  }
}

void StompSource::on_arrived(Dialogue::Arrived arrived, std::int64_t wall_ms) {
  figures_.received += 1;
  const auto feed = feeds_.find(arrived.tag);
  assert(feed != feeds_.end());
  const protocol::Headers& headers = arrived.message.headers;
  const std::uint64_t stamp = stamps_.next(own_time_ms(headers), wall_ms, own_place(headers));
  auto message = make_message(std::move(arrived.message), stamp);
  held_bytes_ += message->bytes();
  feed->second.backlog.emplace(arrived.number, std::move(message));
}

void StompSource::on_confirmed(std::uint64_t receipt) {
  const auto letter = letters_.extract(receipt);
  if (letter.empty()) return;
  figures_.letters += 1;
  acknowledge(letter.mapped());
}

void StompSource::acknowledge(std::uint64_t delivery) {
  if (!dialogue_->is_open()) return;  // it comes again
  dialogue_->acknowledge(delivery, now_);
  figures_.acknowledged += 1;
  failover_.worked();
}

void StompSource::offer() {
  if (closed_ || state_ != State::kOpen) return;
  for (auto& [tag, feed] : feeds_)
    offer_from(tag, feed);
}

void StompSource::offer_from(std::uint32_t tag, Feed& feed) {
  while (!feed.backlog.empty() && feed.taken_count < feed.credit.count_max &&
         feed.taken_bytes < feed.credit.bytes_max) {
    auto first = feed.backlog.extract(feed.backlog.begin());
    const std::uint64_t item = ++last_item_;
    feed.taken_count += 1;
    feed.taken_bytes += first.mapped()->bytes();
    taken_.emplace(item, Taken{tag, first.key(), first.mapped()});
    taker_->take({item, tag, std::move(first.mapped())});
  }
}

// Nothing if the delivery is void.
std::optional<StompSource::Taken> StompSource::take_out(std::uint64_t item) {
  auto found = taken_.extract(item);
  if (found.empty()) return std::nullopt;
  Taken one = std::move(found.mapped());
  Feed& feed = feeds_.at(one.tag);
  feed.taken_count -= 1;
  feed.taken_bytes -= one.message->bytes();
  return one;
}

void StompSource::done(std::uint64_t item) {
  ask_for_wake();
  const auto one = take_out(item);
  if (!one) return;
  held_bytes_ -= one->message->bytes();
  acknowledge(one->delivery);
}

void StompSource::give_back(std::uint64_t item) {
  ask_for_wake();
  auto one = take_out(item);
  if (!one) return;
  feeds_.at(one->tag).backlog.emplace(one->delivery, std::move(one->message));
}

bool StompSource::dead_letter(std::uint64_t item, const routing::DeadLetterReason& reason,
                              std::int64_t) {
  ask_for_wake();
  const auto one = take_out(item);
  if (!one) return true;  // it comes again
  const queue::Message& message = *one->message;
  held_bytes_ -= message.bytes();
  if (!dialogue_->is_open()) return true;
  const std::uint64_t receipt =
      dialogue_->send(letters_destination(feeds_.at(one->tag).destination),
                      letter_headers(message, reason), message.body, now_);
  letters_.emplace(receipt, one->delivery);
  return true;
}

// Stompbox has one for all queues, which its verbs know; elsewhere it is named after the queue.
std::string StompSource::letters_destination(const std::string& from) const {
  if (!options_.dead_letters.empty()) return options_.dead_letters;
  if (dialogue_->server().starts_with("stompbox")) return "/queue/dead-letter";
  return "/queue/DLQ." + from.substr(from.rfind('/') + 1);
}

storage::Status StompSource::subscribe(std::uint32_t tag, const std::string& queue,
                                       routing::Credit credit) {
  ask_for_wake();
  feeds_[tag] = Feed{queue, credit, credit, 0, 0, {}};
  if (state_ == State::kOpen) {
    dialogue_->subscribe(tag, queue, {credit.count_max, credit.bytes_max}, now_);
  }
  return storage::kOk;
}

void StompSource::set_credit(std::uint32_t tag, routing::Credit credit) {
  ask_for_wake();
  feeds_.at(tag).credit = credit;
}

void StompSource::close() {
  closed_ = true;
  ask_for_wake();
}

void StompSource::ask_for_wake() {
  if (!std::exchange(wake_asked_, true)) wake_();
}

bool StompSource::in_trouble() const {
  return std::any_of(feeds_.begin(), feeds_.end(), [](const auto& entry) {
    return entry.second.credit.count_max < entry.second.full.count_max;
  });
}

void StompSource::advance(TimePoint now, std::int64_t wall_ms) {
  now_ = now;
  wake_asked_ = false;
  if (dialogue_) dialogue_->on_time(now);
  take_events(wall_ms);
  watch_trouble();
  offer();
  if (dialogue_ && state_ == State::kOpen) {
    wants_input() ? dialogue_->listen(now) : dialogue_->stop_listening(now);
  }
  if (leaving_ && letters_.empty() && dialogue_ && dialogue_->is_open()) dialogue_->leave(now);
  if (leaving_ && state_ == State::kConnecting) go_away();
}

void StompSource::watch_trouble() {
  if (!in_trouble()) {
    trouble_since_.reset();
    const bool widen = state_ == State::kOpen && narrow_ && !closed_ && dialogue_->is_open() &&
                       dialogue_->unacknowledged() == 0;
    if (widen) dialogue_->leave(now_);
    return;
  }
  if (!trouble_since_) trouble_since_ = now_;
  const bool no_credit = std::all_of(feeds_.begin(), feeds_.end(), [](const auto& entry) {
    return entry.second.credit.count_max == 0;
  });
  if (state_ != State::kOpen || closed_ || !no_credit || !letters_.empty()) return;
  if (now_ - *trouble_since_ < options_.hold_max) return;
  observer_.on_handed_back(held_count());
  go_away();
}

std::optional<StompSource::TimePoint> StompSource::next_event() const {
  if (state_ == State::kAway) {
    if (closed_ || failover_.next_try() <= now_) return std::nullopt;  // it waits for credit
    return failover_.next_try();
  }
  std::optional<TimePoint> next = dialogue_ ? dialogue_->next_event() : std::nullopt;
  if (state_ == State::kOpen && trouble_since_) {
    const TimePoint hand_back = *trouble_since_ + options_.hold_max;
    if (hand_back > now_) next = next ? std::min(*next, hand_back) : hand_back;
  }
  return next;
}

std::string StompSource::take_output() {
  return dialogue_ ? dialogue_->take_output() : std::exchange(last_words_, {});
}

std::size_t StompSource::held_count() const {
  std::size_t count = taken_.size();
  for (const auto& [tag, feed] : feeds_)
    count += feed.backlog.size();
  return count;
}

bool StompSource::wants_input() const {
  std::size_t window = 0;
  for (const auto& [tag, feed] : feeds_)
    window += feed.full.count_max;
  const bool room = held_bytes_ < options_.held_bytes_max && held_count() < kWindowsMax * window;
  return room || !letters_.empty() || leaving_;  // their receipts come behind the messages
}

bool StompSource::take_close() {
  return std::exchange(close_asked_, false);
}

void StompSource::leave() {
  leaving_ = true;
  ask_for_wake();
}

SourceFigures StompSource::figures() const {
  SourceFigures figures = figures_;
  figures.connected = state_ == State::kOpen;
  figures.broker = failover_.current();
  figures.held = held_count();
  return figures;
}

}  // namespace stompbox
