#include "tests/sim/client.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace stompbox::sim {
namespace {

constexpr std::array<std::string_view, 2> kQueues = {"work", "other"};
constexpr std::array<std::string_view, 3> kColours = {"red", "blue", "green"};
constexpr std::array<std::uint64_t, 3> kPriorities = {0, 4, 9};

// What a subscription may ask for.
struct Choice {
  std::string_view selector;
  bool (*fits)(const Label&);
};
constexpr std::array kChoices = {
    Choice{"", [](const Label&) { return true; }},
    Choice{"colour = 'red'", [](const Label& label) { return label.colour == "red"; }},
    Choice{"colour = 'blue'", [](const Label& label) { return label.colour == "blue"; }},
    Choice{"colour <> 'red'", [](const Label& label) { return label.colour != "red"; }},
    Choice{"colour IN ('red', 'green') AND JMSPriority < 9",
           [](const Label& label) { return label.colour != "blue" && label.priority < 9; }},
};

std::string body_of(const Label& label, std::size_t padding) {
  return to_text(label) + " " + std::string(padding, 'x');
}

std::string text_of(const protocol::Frame& frame, std::string_view name) {
  return std::string(frame.headers.find(name).value_or(""));
}

}  // namespace

Label label_of(std::string_view body) {
  Label label;
  std::istringstream words{std::string(body)};
  std::string kind;
  words >> label.queue >> label.producer >> label.number >> label.priority >> label.colour >>
      label.group >> kind;
  label.is_volatile = kind == "volatile";
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
  const Label label = label_of(frame.body);
  checker_.taken(name_ + "/" + subscription, label, redelivered, ack_mode_ == AckMode::kAuto);
  if (!kChoices[choices_[subscription]].fits(label)) {
    checker_.wrong("not what the subscription asked for: " + to_text(label));
  }
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
    case Role::kProducer: return turn_transaction() ? void() : send_message();
    case Role::kCatalogProducer: return send_catalog();
    case Role::kSweeper: return sweep();
    case Role::kConsumer: return consume();
  }
}

void Client::consume() {
  if (turn_transaction()) return;
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
  if (!connected_ || failed_) return;
  if (role_ == Role::kSweeper) sweep();
  if (open_) commit();
  while (!held_.empty())
    answer(protocol::Command::kAck);
}

void Client::look_at(const protocol::Frame& frame) {
  switch (frame.command) {
    case protocol::Command::kConnected: connected_ = true; return;
    case protocol::Command::kMessage: return look_at_message(frame);
    case protocol::Command::kReceipt: {
      const std::uint64_t number = std::stoull(text_of(frame, "receipt-id"));
      if (owed_at_end_.erase(number) == 0) checker_.receipt(name_, number);
      const auto found = owed_.find(number);
      if (found == owed_.end()) return;
      const std::function<void()> then = std::move(found->second);
      owed_.erase(found);
      then();
      return;
    }
    default:  // an ERROR: this client does nothing that deserves one
      failed_ = true;
      checker_.wrong(name_ + " got an ERROR: " + frame.body);
  }
}

void Client::look_at_message(const protocol::Frame& frame) {
  if (ack_mode_ == AckMode::kAuto) return;
  Held held;
  held.label = label_of(frame.body);
  held.subscription = text_of(frame, "subscription");
  held.order = ++last_held_;
  held.ack_key = text_of(frame, version_ == protocol::Version::k12 ? "ack" : "message-id");
  held_.push_back(std::move(held));
}

Label Client::make_label() {
  Label label;
  label.queue = kQueues[chance_.below(kQueues.size())];
  label.producer = number_;
  label.number = ++numbers_.sends[number_];
  if (chance_.once_in(3)) label.priority = kPriorities[chance_.below(kPriorities.size())];
  label.colour = kColours[chance_.below(kColours.size())];
  if (chance_.once_in(6)) label.group = chance_.once_in(2) ? "g1" : "g2";
  label.is_volatile = chance_.once_in(8);
  return label;
}

void Client::send_message() {
  const Label label = make_label();
  protocol::Frame frame;
  frame.command = protocol::Command::kSend;
  frame.headers.add("destination", "/queue/" + label.queue);
  frame.headers.add("colour", label.colour);
  if (label.priority != 4) frame.headers.add("priority", std::to_string(label.priority));
  if (label.group != "-") frame.headers.add("JMSXGroupID", label.group);
  if (label.is_volatile) frame.headers.add("persistent", "false");
  frame.body = body_of(label, chance_.below(120));
  if (open_) return send_inside(std::move(frame), label);
  if (!chance_.once_in(3)) {
    (void)ask_receipt(frame, [this, label] { checker_.send_receipted(label); });
  }
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
  const std::size_t choice = chance_.once_in(2) ? 0 : chance_.below(kChoices.size());
  if (choice != 0) frame.headers.add("selector", kChoices[choice].selector);
  choices_[id] = choice;
  subscriptions_[id] = queue;
  write(std::move(frame));
}

void Client::sweep() {
  if (!subscriptions_.empty()) return;
  for (const std::string_view queue : kQueues) {
    const std::string id(queue);
    protocol::Frame frame;
    frame.command = protocol::Command::kSubscribe;
    frame.headers.add("destination", "/queue/" + id);
    frame.headers.add("id", id);
    subscriptions_[id] = id;
    write(std::move(frame));
  }
}

void Client::unsubscribe() {
  const std::string id = subscriptions_.begin()->first;
  subscriptions_.erase(id);
  protocol::Frame frame;
  frame.command = protocol::Command::kUnsubscribe;
  frame.headers.add("id", id);
  write(std::move(frame));
}

// What an answer to `chosen` reaches leaves the client's hands.
std::vector<Client::Held> Client::take_held(const Held& chosen, std::size_t at) {
  std::vector<Held> reached;
  std::vector<Held> kept;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const bool same = held_[i].subscription == chosen.subscription;
    const bool hit = i == at || (ack_mode_ == AckMode::kClient && same && i < at);
    (hit ? reached : kept).push_back(held_[i]);
  }
  held_ = std::move(kept);
  return reached;
}

void Client::answer(protocol::Command command) {
  const std::size_t at = chance_.below(held_.size());
  const Held chosen = held_[at];
  std::vector<Held> reached = take_held(chosen, at);
  protocol::Frame frame;
  frame.command = command;
  if (version_ == protocol::Version::k12) {
    frame.headers.add("id", chosen.ack_key);
  } else {
    frame.headers.add("message-id", chosen.ack_key);
    frame.headers.add("subscription", chosen.subscription);
  }
  if (open_ && !chance_.once_in(3)) return answer_inside(std::move(frame), std::move(reached));
  for (const Held& held : reached) {
    outstanding_[held.subscription] -= 1;
    if (command == protocol::Command::kAck) checker_.ack_sent(held.label);
  }
  if (chance_.once_in(2)) {
    (void)ask_receipt(frame, [this, command, reached] {
      if (command != protocol::Command::kAck) return;
      for (const Held& held : reached)
        checker_.ack_receipted(held.label);
    });
  }
  write(std::move(frame));
}

}  // namespace stompbox::sim
