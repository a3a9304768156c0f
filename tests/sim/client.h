#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "tests/sim/chance.h"
#include "tests/sim/checker.h"
#include "tests/sim/faults.h"

namespace stompbox::sim {

enum class Role {
  kProducer,
  kCatalogProducer,
  kConsumer,
  kSweeper,  // takes everything that is there
};

// Numbers that go on over connections and restarts: bodies must never repeat.
struct Numbers {
  std::uint64_t client = 0;
  std::map<std::uint64_t, std::uint64_t> sends;      // per producer
  std::map<std::string, std::uint64_t> generations;  // per node
};

// What a body says of itself.
[[nodiscard]] Label label_of(std::string_view body);

// One connection of a STOMP client that does as it likes: real frames, real parsing, chance.
class Client {
 public:
  Client(Role role, Chance& chance, Checker& checker, Numbers& numbers, Fault fault);

  [[nodiscard]] Role role() const { return role_; }
  // What it has written and the broker has not read.
  [[nodiscard]] std::string& to_broker() { return to_broker_; }
  // The kernel took these bytes from the broker. Frames that are complete count as taken; whether
  // the client ever looks at them is another matter.
  void taken(std::string_view bytes);
  // Looks at one frame that has arrived, or does something of its own.
  void act();
  // Looks at everything, acknowledges everything that is still in its hands; for the end.
  void settle();
  // It was promised a receipt and has not got it.
  [[nodiscard]] bool waits_for_receipt() const { return !owed_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  struct Held {
    Label label;
    std::string subscription, ack_key;  // what an ACK of it has to say
    std::uint64_t order = 0;            // of delivery
  };
  enum class AckMode { kAuto, kClient, kIndividual };
  // A transaction between BEGIN and COMMIT or ABORT.
  struct Open {
    std::string id;
    std::vector<Label> sends;
    std::vector<Held> acks, nacks;
    std::shared_ptr<bool> is_committed = std::make_shared<bool>(false);
  };

  void connect();
  void write(protocol::Frame frame);
  void consume();
  [[nodiscard]] Label make_label();
  void send_message();
  void send_catalog();
  void subscribe();
  void sweep();
  void unsubscribe();
  void answer(protocol::Command command);
  [[nodiscard]] std::vector<Held> take_held(const Held& chosen, std::size_t at);
  // client_transactions.cc
  [[nodiscard]] bool turn_transaction();
  void begin();
  void commit();
  void abort();
  void send_inside(protocol::Frame frame, const Label& label);
  void answer_inside(protocol::Frame frame, std::vector<Held> reached);
  [[nodiscard]] std::uint64_t ask_receipt(protocol::Frame& frame, std::function<void()> then);
  void note_taken(const protocol::Frame& frame);
  void look_at(const protocol::Frame& frame);
  void look_at_message(const protocol::Frame& frame);

  const Role role_;
  const std::uint64_t number_;
  const std::string name_;
  Chance& chance_;
  Checker& checker_;
  Numbers& numbers_;
  const Fault fault_;
  const protocol::Version version_;
  AckMode ack_mode_ = AckMode::kAuto;
  std::size_t credit_ = 0;
  protocol::FrameDecoder decoder_;
  std::deque<protocol::Frame> arrived_;
  std::string to_broker_;
  bool connected_ = false;
  bool failed_ = false;
  std::uint64_t last_receipt_ = 0;
  std::map<std::uint64_t, std::function<void()>> owed_;
  std::uint64_t last_subscription_ = 0;
  std::map<std::string, std::string> subscriptions_;  // id → queue
  std::map<std::string, std::size_t> choices_;        // id → which selector; for good
  std::uint64_t last_transaction_ = 0;
  std::optional<Open> open_;
  std::set<std::uint64_t> owed_at_end_;  // receipts that come with the COMMIT or ABORT
  std::vector<Held> held_;
  std::uint64_t last_held_ = 0;
  std::map<std::string, std::size_t> outstanding_;  // taken and not answered, per subscription
};

}  // namespace stompbox::sim
