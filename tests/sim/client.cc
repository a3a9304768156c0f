#include "tests/sim/client.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stompbox::sim {
namespace {

constexpr std::array<std::string_view, 2> kQueues = {"work", "other"};

std::string body_of(const Label& label, std::size_t padding) {
  return to_text(label) + " " + std::string(padding, 'x');
}

std::string text_of(const protocol::Frame& frame, std::string_view name) {
  return std::string(frame.headers.find(name).value_or(""));
}

}  // namespace

Label label_of(std::string_view body) {
  Label label;
  const std::size_t first = body.find(' ');
  const std::size_t second = body.find(' ', first + 1);
  label.queue = std::string(body.substr(0, first));
  label.producer = std::stoull(std::string(body.substr(first + 1, second - first - 1)));
  label.number = std::stoull(std::string(body.substr(second + 1)));
  return label;
}

Client::Client(Role role, Chance& chance, Checker& checker, Numbers& numbers, Fault fault)
    : role_(role),
      number_(++numbers.client),
      name_("client-" + std::to_string(number_)),
      chance_(chance),
      checker_(checker),
      numbers_(numbers),
      fault_(fault),
      version_(static_cast<protocol::Version>(chance.below(3))),
      decoder_(protocol::DecodeLimits{}, protocol::Side::kClient) {
  decoder_.let_in();
  connect();
}

void Client::connect() {
  protocol::Frame frame;
  frame.command = protocol::Command::kConnect;
  if (version_ != protocol::Version::k10) {
    frame.headers.add("accept-version", protocol::to_text(version_));
    frame.headers.add("host", "simulated");
  }
  write(std::move(frame));
}

void Client::write(protocol::Frame frame) {
  protocol::append_frame(to_broker_, version_, frame);
}

std::uint64_t Client::ask_receipt(protocol::Frame& frame, std::function<void()> then) {
  const std::uint64_t number = ++last_receipt_;
  frame.headers.add("receipt", std::to_string(number));
  owed_[number] = std::move(then);
  return number;
}

void Client::taken(std::string_view bytes) {
  decoder_.feed(bytes);
  while (auto event = decoder_.next()) {
    auto* frame = std::get_if<protocol::Frame>(&*event);
    if (frame == nullptr) {
      failed_ = true;
      return;
    }
    if (frame->command == protocol::Command::kConnected) decoder_.set_version(version_);
    note_taken(*frame);
    arrived_.push_back(std::move(*frame));
  }
}

// From here on the broker may believe that the client has it.
void Client::note_taken(const protocol::Frame& frame) {
  if (frame.command != protocol::Command::kMessage) return;
  const std::string subscription = text_of(frame, "subscription");
  const bool marked = text_of(frame, "redelivered") == "true";
  const bool redelivered = marked && fault_ != Fault::kRedeliveredDropped;
  checker_.taken(name_ + "/" + subscription, label_of(frame.body), redelivered,
                 ack_mode_ == AckMode::kAuto);
  if (ack_mode_ == AckMode::kAuto) return;
  checker_.credit(++outstanding_[subscription], credit_);
}

void Client::act() {
  if (!arrived_.empty() && !chance_.once_in(3)) {
    const protocol::Frame frame = std::move(arrived_.front());
    arrived_.pop_front();
    look_at(frame);
    return;
  }
  if (!connected_ || failed_) return;
  switch (role_) {
    case Role::kProducer: return send_message();
    case Role::kCatalogProducer: return send_catalog();
    case Role::kConsumer: break;
  }
  if (subscriptions_.empty() || (subscriptions_.size() < 3 && chance_.once_in(20))) {
    subscribe();
  } else if (chance_.once_in(60)) {
    unsubscribe();
  } else if (!held_.empty()) {
    const bool may_nack = version_ != protocol::Version::k10;
    answer(may_nack && chance_.once_in(6) ? protocol::Command::kNack : protocol::Command::kAck);
  }
}

void Client::settle() {
  while (!arrived_.empty()) {
    const protocol::Frame frame = std::move(arrived_.front());
    arrived_.pop_front();
    look_at(frame);
  }
}

void Client::look_at(const protocol::Frame& frame) {
  switch (frame.command) {
    case protocol::Command::kConnected: connected_ = true; return;
    case protocol::Command::kMessage: return look_at_message(frame);
    case protocol::Command::kReceipt: {
      const std::uint64_t number = std::stoull(text_of(frame, "receipt-id"));
      checker_.receipt(name_, number);
      const auto found = owed_.find(number);
      if (found == owed_.end()) return;
      const std::function<void()> then = std::move(found->second);
      owed_.erase(found);
      then();
      return;
    }
    default: failed_ = true;  // an ERROR: this client does nothing that deserves one
  }
}

void Client::look_at_message(const protocol::Frame& frame) {
  if (ack_mode_ == AckMode::kAuto) return;
  Held held;
  held.label = label_of(frame.body);
  held.subscription = text_of(frame, "subscription");
  held.ack_key = text_of(frame, version_ == protocol::Version::k12 ? "ack" : "message-id");
  held_.push_back(std::move(held));
}

void Client::send_message() {
  Label label;
  label.queue = kQueues[chance_.below(kQueues.size())];
  label.producer = number_;
  label.number = ++numbers_.sends[number_];
  protocol::Frame frame;
  frame.command = protocol::Command::kSend;
  frame.headers.add("destination", "/queue/" + label.queue);
  if (!chance_.once_in(3)) {
    (void)ask_receipt(frame, [this, label] { checker_.send_receipted(label); });
  }
  frame.body = body_of(label, chance_.below(120));
  checker_.sent(label);
  write(std::move(frame));
}

void Client::send_catalog() {
  const std::string node = name_ + ".example";
  const std::uint64_t generation = ++numbers_.generations[node];
  const bool poison = chance_.once_in(8);
  protocol::Frame frame;
  frame.command = protocol::Command::kSend;
  frame.headers.add("destination", "/queue/catalog");
  frame.headers.add("persistent", "true");
  frame.body = R"({"document_type":"Catalog","data":{"name":")" + node + R"(","version":)" +
               std::to_string(generation) + R"(,"resources":[{"type":"File","title":"/g)" +
               std::to_string(generation) + R"(","tags":["file"],"exported":false}],"edges":[]}})";
  if (poison) frame.body.resize(frame.body.size() / 2);
  const std::string body = frame.body;
  (void)ask_receipt(frame, [this, node, generation, poison, body] {
    if (poison) {
      checker_.poison_receipted(body);
    } else {
      checker_.catalog_receipted(node, generation);
    }
  });
  write(std::move(frame));
}

// One ack mode a connection: the wire does not say which one a MESSAGE is for.
void Client::subscribe() {
  if (last_subscription_ == 0) {
    ack_mode_ = static_cast<AckMode>(chance_.below(3));
    credit_ = 1 + chance_.below(6);
  }
  const std::string id = "s" + std::to_string(++last_subscription_);
  const std::string queue(kQueues[chance_.below(kQueues.size())]);
  protocol::Frame frame;
  frame.command = protocol::Command::kSubscribe;
  frame.headers.add("destination", "/queue/" + queue);
  frame.headers.add("id", id);
  frame.headers.add("prefetch-count", std::to_string(credit_));
  constexpr std::array<std::string_view, 3> kModes = {"auto", "client", "client-individual"};
  frame.headers.add("ack", kModes[static_cast<std::size_t>(ack_mode_)]);
  subscriptions_[id] = queue;
  write(std::move(frame));
}

void Client::unsubscribe() {
  const std::string id = subscriptions_.begin()->first;
  subscriptions_.erase(id);
  protocol::Frame frame;
  frame.command = protocol::Command::kUnsubscribe;
  frame.headers.add("id", id);
  write(std::move(frame));
}

void Client::answer(protocol::Command command) {
  const std::size_t at = chance_.below(held_.size());
  const Held chosen = held_[at];
  std::vector<Label> reached;
  std::vector<Held> kept;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const bool same = held_[i].subscription == chosen.subscription;
    const bool hit = i == at || (ack_mode_ == AckMode::kClient && same && i < at);
    if (hit) {
      reached.push_back(held_[i].label);
      outstanding_[held_[i].subscription] -= 1;
    } else {
      kept.push_back(held_[i]);
    }
  }
  held_ = std::move(kept);
  protocol::Frame frame;
  frame.command = command;
  if (version_ == protocol::Version::k12) {
    frame.headers.add("id", chosen.ack_key);
  } else {
    frame.headers.add("message-id", chosen.ack_key);
    frame.headers.add("subscription", chosen.subscription);
  }
  if (command == protocol::Command::kAck) {
    for (const Label& label : reached)
      checker_.ack_sent(label);
  }
  if (chance_.once_in(2)) {
    (void)ask_receipt(frame, [this, command, reached] {
      if (command != protocol::Command::kAck) return;
      for (const Label& label : reached)
        checker_.ack_receipted(label);
    });
  }
  write(std::move(frame));
}

}  // namespace stompbox::sim
