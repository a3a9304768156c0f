#include "broker/client/dialogue.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <system_error>

#include "broker/client/frames.h"
#include "protocol/encoder.h"

namespace stompbox::client {
namespace {

using protocol::Command;
using protocol::Frame;
using protocol::Version;
using storage::Error;
using storage::ErrorCode;

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Each broker has a name of its own for it (facts 2.2); Artemis takes ActiveMQ's as bytes.
void add_window(protocol::Headers& headers, const std::string& server, Window window) {
  const bool artemis = server.starts_with("ActiveMQ-Artemis");
  if (!server.starts_with("ActiveMQ")) {
    headers.add("prefetch-count", std::to_string(window.count));
  }
  if (!server.starts_with("RabbitMQ") && !server.starts_with("stompbox")) {
    headers.add("activemq.prefetchSize", std::to_string(artemis ? window.bytes : window.count));
  }
}

}  // namespace

Dialogue::Dialogue(DialogueOptions options, TimePoint now)
    : options_(std::move(options)),
      decoder_(options_.limits, protocol::Side::kClient),
      patience_ends_(now + options_.patience),
      last_heard_(now),
      last_wrote_(now) {
  decoder_.set_unknown_escapes(protocol::UnknownEscapes::kKeep);
  Frame connect = make_frame(Command::kConnect);
  connect.headers.add("accept-version", protocol::kSupportedVersions);
  connect.headers.add("host", options_.virtual_host);
  connect.headers.add("heart-beat",
                      protocol::to_text(protocol::HeartBeat{options_.beat, options_.beat}));
  if (!options_.login.empty()) {
    connect.headers.add("login", options_.login);
    connect.headers.add("passcode", options_.passcode);
  }
  write(connect, now);
}

void Dialogue::feed(std::string_view bytes, TimePoint now) {
  last_heard_ = now;
  decoder_.feed(bytes);
  while (phase_ != Phase::kFailed && phase_ != Phase::kLeft) {
    auto event = decoder_.next();
    if (!event) return;
    if (const auto* const fault = std::get_if<protocol::ProtocolError>(&*event)) {
      return fail({fault->kind == protocol::ProtocolErrorKind::kTooLarge ? ErrorCode::kTooLarge
                                                                         : ErrorCode::kInvalid,
                   "the other side does not speak STOMP: " + fault->detail});
    }
    take(std::move(std::get<Frame>(*event)), now);
  }
}

void Dialogue::take(Frame frame, TimePoint now) {
  switch (frame.command) {
    case Command::kConnected: return on_connected(frame, now);
    case Command::kMessage: return on_message(std::move(frame));
    case Command::kReceipt: return on_receipt(frame);
    case Command::kError: return on_error(frame);
    default: return;  // the decoder lets nothing else through
  }
}

void Dialogue::on_connected(const Frame& frame, TimePoint now) {
  if (phase_ != Phase::kLoggingIn) return;
  const auto version = protocol::negotiate(frame.headers.find("version").value_or("1.0"));
  version_ = version.value_or(Version::k10);
  decoder_.set_version(version_);
  decoder_.let_in();
  server_ = frame.headers.find("server").value_or("");
  const auto theirs = protocol::parse_heart_beat(frame.headers.find("heart-beat").value_or("0,0"));
  if (theirs) beats_ = protocol::agree({options_.beat, options_.beat}, *theirs);
  last_wrote_ = now;
  phase_ = Phase::kOpen;
  events_.emplace_back(Opened{version_, server_});
}

void Dialogue::on_message(Frame frame) {
  const auto tag = tag_of(frame);
  if (phase_ != Phase::kOpen || !tag) return;  // it was on its way; the broker has it still
  Unacknowledged one;
  one.subscription = frame.headers.find("subscription").value_or("");
  one.message_id = frame.headers.find("message-id").value_or("");
  one.ack = frame.headers.find("ack").value_or(one.message_id);
  unacknowledged_.emplace(++last_number_, std::move(one));
  events_.emplace_back(Arrived{*tag, last_number_, std::move(frame)});
}

// A broker of 1.0 need not repeat our id.
std::optional<std::uint32_t> Dialogue::tag_of(const Frame& message) const {
  const auto id = message.headers.find("subscription");
  const auto destination = message.headers.find("destination");
  for (const auto& [tag, wanted] : subscriptions_) {
    if (id ? *id == std::to_string(tag) : destination == wanted) return tag;
  }
  return std::nullopt;
}

void Dialogue::on_receipt(const Frame& frame) {
  const auto number = to_number(frame.headers.find("receipt-id").value_or(""));
  if (!number) return;
  if (phase_ == Phase::kLeaving && *number == farewell_) {
    phase_ = Phase::kLeft;
    events_.emplace_back(Left{});
  } else {
    events_.emplace_back(Confirmed{*number});
  }
}

void Dialogue::on_error(const Frame& frame) {
  const bool before = phase_ == Phase::kLoggingIn;
  fail({before ? ErrorCode::kDenied : ErrorCode::kInvalid,
        "the broker says: " + text_of_error(frame)});
}

void Dialogue::fail(Error error) {
  if (phase_ == Phase::kFailed || phase_ == Phase::kLeft) return;
  phase_ = Phase::kFailed;
  events_.emplace_back(Failed{std::move(error)});
}

std::optional<Dialogue::Event> Dialogue::next() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::string Dialogue::take_output() {
  return std::exchange(output_, {});
}

void Dialogue::write(const Frame& frame, TimePoint now) {
  protocol::append_frame(output_, version_, frame);
  last_wrote_ = now;
}

void Dialogue::subscribe(std::uint32_t tag, const std::string& destination, Window window,
                         TimePoint now) {
  assert(phase_ == Phase::kOpen && tag < 1000);
  subscriptions_.emplace_back(tag, destination);
  Frame frame = make_frame(Command::kSubscribe);
  frame.headers.add("id", std::to_string(tag));
  frame.headers.add("destination", destination);
  frame.headers.add("ack", version_ == Version::k10 ? "client" : "client-individual");
  add_window(frame.headers, server_, window);
  if (server_.starts_with("stompbox")) frame.headers.add("include-arrival", kArrivalHeader);
  write(frame, now);
}

void Dialogue::acknowledge(std::uint64_t number, TimePoint now) {
  assert(phase_ == Phase::kOpen);
  const auto found = unacknowledged_.find(number);
  assert(found != unacknowledged_.end() && !found->second.settled);
  if (version_ != Version::k10) {
    write_ack(found->second, now);
    unacknowledged_.erase(found);
    return;
  }
  found->second.settled = true;
  while (!unacknowledged_.empty() && unacknowledged_.begin()->second.settled) {
    write_ack(unacknowledged_.begin()->second, now);
    unacknowledged_.erase(unacknowledged_.begin());
  }
}

void Dialogue::write_ack(const Unacknowledged& message, TimePoint now) {
  Frame frame = make_frame(Command::kAck);
  if (version_ == Version::k12) {
    frame.headers.add("id", message.ack);
  } else {
    frame.headers.add("message-id", message.message_id);
    if (!message.subscription.empty()) frame.headers.add("subscription", message.subscription);
  }
  write(frame, now);
}

std::uint64_t Dialogue::send(std::string_view destination, std::string_view header_block,
                             std::string body, TimePoint now) {
  assert(phase_ == Phase::kOpen);
  Frame frame = make_frame(Command::kSend);
  frame.headers.add("destination", destination);
  frame.headers.add("receipt", std::to_string(++last_receipt_));
  const protocol::Headers more = protocol::parse_block(header_block);
  for (std::size_t i = 0; i < more.size(); ++i)
    frame.headers.add(more.at(i).name, more.at(i).value);
  frame.body = std::move(body);
  write(frame, now);
  return last_receipt_;
}

void Dialogue::leave(TimePoint now) {
  assert(phase_ == Phase::kOpen);
  phase_ = Phase::kLeaving;
  farewell_ = ++last_receipt_;
  patience_ends_ = now + options_.patience;
  Frame frame = make_frame(Command::kDisconnect);
  frame.headers.add("receipt", std::to_string(farewell_));
  write(frame, now);
}

void Dialogue::on_time(TimePoint now) {
  if (phase_ == Phase::kFailed || phase_ == Phase::kLeft) return;
  if (is_waiting() && now >= patience_ends_) {
    const char* const what = phase_ == Phase::kLeaving
                                 ? "the broker does not answer to DISCONNECT"
                                 : "the broker does not answer to CONNECT: is it a STOMP broker?";
    return fail({ErrorCode::kBusy, what});
  }
  if (const auto ends = silence_ends(); ends && now >= *ends) {
    return fail({ErrorCode::kBusy,
                 "the broker has been silent for too long: no heart-beat for " +
                     std::to_string((now - last_heard_) / std::chrono::seconds(1)) + " s"});
  }
  if (const auto beat = next_beat(); beat && now >= *beat) {
    output_.push_back('\n');
    last_wrote_ = now;
  }
}

// At half the interval, as something may delay it on the way (facts E3).
std::optional<Dialogue::TimePoint> Dialogue::next_beat() const {
  if (beats_.from_client.count() == 0) return std::nullopt;
  return last_wrote_ + beats_.from_client / 2;
}

// With a margin, as brokers beat when the interval is over (facts E5).
std::optional<Dialogue::TimePoint> Dialogue::silence_ends() const {
  if (beats_.to_client.count() == 0 || deaf_since_) return std::nullopt;
  return last_heard_ + beats_.to_client * 5 / 2;
}

std::optional<Dialogue::TimePoint> Dialogue::next_event() const {
  if (phase_ == Phase::kFailed || phase_ == Phase::kLeft) return std::nullopt;
  if (is_waiting()) return patience_ends_;
  const auto beat = next_beat();
  const auto silence = silence_ends();
  if (!beat || !silence) return beat ? beat : silence;
  return std::min(*beat, *silence);
}

void Dialogue::stop_listening(TimePoint now) {
  if (!deaf_since_) deaf_since_ = now;
}

void Dialogue::listen(TimePoint now) {
  if (!deaf_since_) return;
  last_heard_ = now;
  deaf_since_.reset();
}

}  // namespace stompbox::client
