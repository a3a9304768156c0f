#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/router.h"

// The router alone: one message sent, delivered and acknowledged a time, over a journal that does
// nothing. Prints `name=value unit`.
//
//   plain_N     one queue, N consumers that take everything, by turns
//   selector_N  one queue, N consumers of one value each
//   queues_N    N queues with one consumer each, in the same order: as selector_N touches as many
//               subscriptions, what is left between the two is the look-up itself
namespace {

using namespace stompbox;
using Clock = std::chrono::steady_clock;

class IdleJournal final : public queue::Journal {
 public:
  queue::Ticket submit(queue::Op) override { return {++last_}; }
  queue::Ticket submit_together(std::vector<queue::Op>) override { return {++last_}; }
  bool withdraw(queue::Ticket) override { return true; }
  void load(const queue::LoadRequest&) override {}
  [[nodiscard]] std::uint64_t pending_bytes() const override { return 0; }
  void hold() override {}
  void release() override {}

 private:
  std::uint64_t last_ = 0;
};

// Keeps the last delivery, to acknowledge it.
class Taker final : public routing::Consumer {
 public:
  void deliver(const routing::Delivery& delivery) override { last = delivery; }
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}

  routing::Delivery last;
};

enum class Asks : std::uint8_t { kAll, kOneValue, kOneQueue };

double messages_per_second(std::size_t consumers, Asks asks) {
  const auto queue_of = [asks](std::size_t consumer) {
    return asks == Asks::kOneQueue ? "/queue/nodes." + std::to_string(consumer)
                                   : std::string("/queue/nodes");
  };
  IdleJournal journal;
  routing::Router router(journal, {}, {});
  Taker taker;
  const routing::PeerId peer = router.attach(taker);
  for (std::size_t i = 0; i < consumers; ++i) {
    routing::SubscribeRequest request;
    request.peer = peer;
    request.destinations = {*routing::parse_destination(queue_of(i))};
    request.ack_mode = routing::AckMode::kIndividual;
    if (asks == Asks::kOneValue) {
      request.selector = *routing::Selector::parse("node = 'n" + std::to_string(i) + "'");
    }
    router.start_delivery(*router.subscribe(request));
  }
  constexpr std::size_t kMessages = 300'000;
  const std::string body(1024, 'x');
  const auto start = Clock::now();
  for (std::size_t i = 0; i < kMessages; ++i) {
    routing::Draft draft;
    const std::size_t consumer = i * 7919 % consumers;
    draft.destination = queue_of(consumer);
    draft.header_block = "node:n" + std::to_string(consumer) + "\n";
    draft.body = body;
    if (!router.publish(peer, std::move(draft), 1000, {})) return 0;
    if (!router.acknowledge(taker.last.subscription, taker.last.id, routing::Reach::kOne, {})) {
      return 0;
    }
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  return static_cast<double>(kMessages) / took.count();
}

}  // namespace

int main() {
  const auto show = [](std::string_view name, double value) {
    std::cout << name << '=' << static_cast<std::uint64_t>(value) << " messages/s\n";
  };
  show("plain_1", messages_per_second(1, Asks::kAll));
  show("plain_10000", messages_per_second(10'000, Asks::kAll));
  show("selector_1", messages_per_second(1, Asks::kOneValue));
  show("selector_10000", messages_per_second(10'000, Asks::kOneValue));
  show("queues_1", messages_per_second(1, Asks::kOneQueue));
  show("queues_10000", messages_per_second(10'000, Asks::kOneQueue));
  return 0;
}
