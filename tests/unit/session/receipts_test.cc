#include "broker/session/receipts.h"

#include <doctest/doctest.h>

#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

namespace stompbox::testing {
namespace {

using session::Receipts;

TEST_CASE("a receipt goes out when it and all before it are due") {
  Receipts receipts;
  const auto first = receipts.owe("a");
  const auto second = receipts.owe("b");
  const auto third = receipts.owe("c");
  CHECK(first.value == 1);
  receipts.mark_due(third);
  receipts.mark_due(second);
  CHECK_FALSE(receipts.take_due());
  receipts.mark_due(first);
  CHECK(receipts.take_due()->text == "a");
  CHECK(receipts.take_due()->text == "b");
  CHECK(receipts.take_due()->text == "c");
  CHECK_FALSE(receipts.take_due());
  CHECK(receipts.owed_count() == 0);
  CHECK(receipts.owed_bytes() == 0);
}

TEST_CASE("what is forgotten may still fall due and does nothing") {
  Receipts receipts;
  const auto old = receipts.owe("a");
  receipts.forget_all();
  const auto next = receipts.owe("b");
  CHECK(next.value == old.value + 1);
  receipts.mark_due(old);
  CHECK_FALSE(receipts.take_due());
  CHECK_FALSE(receipts.text(old));
  CHECK(receipts.text(next) == "b");
}

// DESIGN §1, "When a RECEIPT is due": a row a case. The journal commits when the test says so.

TEST_CASE("the receipt of a SEND to a durable queue is due when it is synced") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  CHECK(peer.take().empty());
  broker.commit();
  CHECK(peer.take() == frame("RECEIPT\nreceipt-id:r\n\n"));
  CHECK(broker.journal.stored_count("q") == 1);
}

TEST_CASE("the receipt of a SEND is due when an explicit ACK has withdrawn the write") {
  PureBroker broker;
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q", "ack:client\n"));
  auto& producer = broker.connect();
  producer.feed(send("/queue/q", "x", "receipt:r\n"));
  CHECK(producer.take().empty());
  const std::string message = consumer.take();
  consumer.feed(frame("ACK\nid:" + value_of(message, "ack") + "\n\n"));
  CHECK(has(producer.take(), "receipt-id:r"));
  broker.settle();
  CHECK(broker.journal.append_count() == 0);
}

TEST_CASE("an auto consumer that has the message does not make the receipt of its SEND due") {
  PureBroker broker;
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q"));
  auto& producer = broker.connect();
  producer.feed(send("/queue/q", "x", "receipt:r\n"));
  CHECK(has(consumer.take(), "MESSAGE"));
  CHECK(producer.take().empty());
  broker.commit();
  CHECK(has(producer.take(), "receipt-id:r"));
}

TEST_CASE("the receipt of a SEND with persistent:false is due when it is routed") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "persistent:false\nreceipt:r\n"));
  CHECK(has(peer.take(), "receipt-id:r"));
  broker.commit();
  CHECK(broker.journal.stored_count("q") == 0);
}

TEST_CASE("the receipt of a SEND to a topic is due when it is routed") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/topic/t", "x", "receipt:r\n"));
  CHECK(has(peer.take(), "receipt-id:r"));
}

TEST_CASE("the receipt of a SUBSCRIBE is due at once and goes out before its first MESSAGE") {
  PureBroker broker;
  auto& producer = broker.connect();
  producer.feed(send("/queue/q", "x"));
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q", "receipt:r\n"));
  const std::string output = consumer.take();
  CHECK(output.starts_with("RECEIPT\n"));
  CHECK(output.find("RECEIPT") < output.find("MESSAGE"));
  CHECK(has(output, "MESSAGE"));
}

TEST_CASE("while an earlier receipt keeps that of a SUBSCRIBE back, its messages wait too") {
  PureBroker broker;
  auto& producer = broker.connect();
  producer.feed(send("/queue/q", "x"));
  broker.settle();
  auto& consumer = broker.connect();
  consumer.feed(send("/queue/other", "y", "receipt:1\n") +
                subscribe("0", "/queue/q", "receipt:2\n"));
  CHECK(consumer.take().empty());
  broker.commit();
  const std::string output = consumer.take();
  CHECK(output.find("receipt-id:1") < output.find("receipt-id:2"));
  CHECK(output.find("receipt-id:2") < output.find("MESSAGE"));
  CHECK(has(output, "MESSAGE"));
}

TEST_CASE("the receipt of an ACK is due when its batch is synced") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x"));
  broker.settle();
  peer.feed(subscribe("0", "/queue/q", "ack:client\n"));
  const std::string message = peer.take();
  peer.feed(frame("ACK\nid:" + value_of(message, "ack") + "\nreceipt:r\n\n"));
  CHECK(peer.take().empty());
  CHECK(broker.journal.stored_count("q") == 1);
  broker.commit();
  CHECK(has(peer.take(), "receipt-id:r"));
  CHECK(broker.journal.stored_count("q") == 0);
}

TEST_CASE("the receipt of a NACK is due when its count is synced") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x"));
  broker.settle();
  peer.feed(subscribe("0", "/queue/q", "ack:client\n"));
  const std::string message = peer.take();
  peer.feed(frame("NACK\nid:" + value_of(message, "ack") + "\nreceipt:r\n\n"));
  const std::string again = peer.take();
  CHECK(has(again, "redelivered:true"));
  CHECK_FALSE(has(again, "RECEIPT"));
  broker.commit();
  CHECK(has(peer.take(), "receipt-id:r"));
  CHECK(broker.journal.stored("q").at(0).deliveries == 1);
}

TEST_CASE("the receipt of an ACK that withdraws its append is due at once") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q", "ack:client\n") + send("/queue/q", "x"));
  const std::string message = peer.take();
  peer.feed(frame("ACK\nid:" + value_of(message, "ack") + "\nreceipt:r\n\n"));
  CHECK(has(peer.take(), "receipt-id:r"));
}

TEST_CASE("receipts that are due at once wait for those of earlier frames") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:1\n") + send("/topic/t", "x", "receipt:2\n") +
            frame("DISCONNECT\nreceipt:3\n\n"));
  CHECK(peer.take().empty());
  CHECK_FALSE(peer.session.wants_shutdown());
  broker.commit();
  const std::string output = peer.take();
  CHECK(output == frame("RECEIPT\nreceipt-id:1\n\n") + frame("RECEIPT\nreceipt-id:2\n\n") +
                      frame("RECEIPT\nreceipt-id:3\n\n"));
  CHECK(peer.session.wants_shutdown());
}

}  // namespace
}  // namespace stompbox::testing
