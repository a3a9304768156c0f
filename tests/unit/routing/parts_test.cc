#include <doctest/doctest.h>

#include <string>

#include "broker/routing/destination.h"
#include "broker/routing/in_flight.h"
#include "broker/routing/receipt_waits.h"

using namespace stompbox;
using routing::DeliveryId;
using routing::DestinationKind;
using routing::Entry;
using routing::InFlight;

namespace {

Entry entry_of(std::uint64_t number) {
  auto message = std::make_shared<queue::Message>();
  message->id = queue::MessageId::make(1, number);
  Entry entry;
  entry.place.seq = {number};
  entry.message = std::move(message);
  return entry;
}

}  // namespace

TEST_CASE("a destination is a queue or a topic with a name") {
  CHECK(*routing::parse_destination("/queue/a.b") ==
        routing::Destination{DestinationKind::kQueue, "a.b"});
  CHECK(*routing::parse_destination("/topic/x/y") ==
        routing::Destination{DestinationKind::kTopic, "x/y"});
  for (const char* bad : {"", "a", "/queue/", "/topic/", "/Queue/a", "queue/a"}) {
    CHECK_FALSE(routing::parse_destination(bad));
  }
  CHECK_FALSE(routing::parse_destination("/queue/" + std::string(1025, 'x')));
}

TEST_CASE("a delivery id of the past never names a delivery of now") {
  std::size_t total = 0;
  InFlight in_flight(total);
  const DeliveryId first = in_flight.add(entry_of(1));
  (void)in_flight.take(first);
  const DeliveryId second = in_flight.add(entry_of(2));
  CHECK(first != second);
  CHECK(in_flight.find(first) == nullptr);
  CHECK(in_flight.find(second)->place.seq.value == 2);
}

TEST_CASE("what is in flight keeps its order when something in the middle goes") {
  std::size_t total = 0;
  InFlight in_flight(total);
  (void)in_flight.add(entry_of(1));
  const DeliveryId middle = in_flight.add(entry_of(2));
  (void)in_flight.add(entry_of(3));
  (void)in_flight.take(middle);
  (void)in_flight.add(entry_of(4));
  std::string order;
  in_flight.for_each(
      [&order](const Entry& entry) { order += std::to_string(entry.place.seq.value); });
  CHECK(order == "134");
  CHECK(in_flight.count() == 3);
  CHECK(in_flight.find_message(queue::MessageId::make(1, 3)).has_value());
  CHECK_FALSE(in_flight.find_message(queue::MessageId::make(1, 2)).has_value());
}

TEST_CASE("a thousand turns of one slot take the memory of one") {
  std::size_t total = 0;
  InFlight in_flight(total);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const DeliveryId id = in_flight.add(entry_of(i));
    CHECK((id.value & 0xffff) == 0);
    (void)in_flight.take(id);
  }
  CHECK(in_flight.bytes() == 0);
  CHECK(total == 0);
}

TEST_CASE("receipts are released up to a ticket, and a forgotten one is not") {
  routing::ReceiptWaits waits;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    waits.add({queue::Ticket{i}, {routing::PeerId{1}, routing::ReceiptNumber{i}}, {}, {}, 0});
  }
  waits.forget(queue::Ticket{2});
  CHECK(waits.pop(queue::Ticket{3})->receipt.value == 1);
  CHECK(waits.pop(queue::Ticket{3})->receipt.value == 3);
  CHECK_FALSE(waits.pop(queue::Ticket{3}).has_value());
  CHECK(waits.pop(queue::Ticket{9})->receipt.value == 4);
}
