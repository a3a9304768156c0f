#include <doctest/doctest.h>

#include <string>

#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

// Credit, room and bounds.
namespace stompbox::testing {
namespace {

using session::CloseReason;
using Phase = session::Session::Phase;

routing::QueueFigures queue_of(const PureBroker& broker, const std::string& name) {
  for (const routing::QueueFigures& figures : broker.router->queue_figures()) {
    if (figures.name == name) return figures;
  }
  return {};
}

TEST_CASE("an auto delivery is acknowledged when the kernel has taken its last byte") {
  PureBroker broker;
  auto& producer = broker.connect();
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q"));
  producer.feed(send("/queue/q", std::string(10'000, 'x')) + send("/queue/q", "next"));
  const std::size_t whole = consumer.session.outbox().waiting_bytes();
  consumer.write_out(10'000);
  CHECK(queue_of(broker, "q").in_flight == 2);
  CHECK(queue_of(broker, "q").acknowledged == 0);
  consumer.write_out(whole - 10'000 - 1);
  CHECK(queue_of(broker, "q").acknowledged == 1);
  consumer.write_out(1);
  CHECK(queue_of(broker, "q").acknowledged == 2);
  CHECK(queue_of(broker, "q").in_flight == 0);
}

TEST_CASE("auto deliveries still in the outbox when the peer goes return to the queue") {
  PureBroker broker;
  auto& producer = broker.connect();
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q"));
  producer.feed(send("/queue/q", "one") + send("/queue/q", "two"));
  consumer.io_error();
  CHECK(queue_of(broker, "q").waiting == 2);
  CHECK(queue_of(broker, "q").in_flight == 0);
}

TEST_CASE("no more messages come than credit allows, and an ACK brings the next") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q", "ack:client-individual\nprefetch-count:2\n"));
  for (int i = 0; i < 5; ++i)
    peer.feed(send("/queue/q", std::to_string(i)));
  std::string output = peer.take();
  CHECK(count_of(output, "MESSAGE") == 2);
  peer.feed(frame("ACK\nid:" + value_of(output, "ack") + "\n\n"));
  output = peer.take();
  CHECK(count_of(output, "MESSAGE") == 1);
}

TEST_CASE("activemq.prefetchSize is understood, 0 and too much are not taken literally") {
  session::SessionOptions options;
  options.client_credit_count = 3;
  options.credit_count_max = 4;
  const auto delivered = [&options](std::string_view headers) {
    PureBroker broker(options);
    auto& peer = broker.connect();
    peer.feed(subscribe("0", "/queue/q", "ack:client\n" + std::string(headers)));
    for (int i = 0; i < 10; ++i)
      peer.feed(send("/queue/q", "x"));
    return count_of(peer.take(), "MESSAGE");
  };
  CHECK(delivered("") == 3);
  CHECK(delivered("activemq.prefetchSize:1\n") == 1);
  CHECK(delivered("prefetch-count:2\nactivemq.prefetchSize:1\n") == 2);
  CHECK(delivered("prefetch-count:0\n") == 3);
  CHECK(delivered("prefetch-count:0\nactivemq.prefetchSize:2\n") == 2);
  CHECK(delivered("prefetch-count:1000\n") == 4);
  CHECK(delivered("prefetch-count:99999999999999999999999\n") == 4);
}

TEST_CASE("a SEND that finds no room waits, the peer is not read, and order is kept") {
  PureBroker broker;
  auto& peer = broker.connect();
  broker.journal.set_extra_pending_bytes(1'000'000'000);
  peer.feed(send("/queue/q", "one") + send("/queue/q", "two"));
  CHECK_FALSE(peer.session.wants_read());
  CHECK(peer.session.held_bytes() > 0);
  CHECK(peer.session.figures().sends == 0);
  broker.journal.set_extra_pending_bytes(0);
  broker.commit();
  CHECK(peer.session.wants_read());
  CHECK(peer.session.held_bytes() == 0);
  broker.commit();
  REQUIRE(broker.journal.stored_count("q") == 2);
  CHECK(broker.journal.stored("q").at(0).message->body == "one");
}

TEST_CASE("on a full disk a SEND with receipt gets an ERROR that says so, one without waits") {
  PureBroker broker;
  auto& master = broker.connect("1.0");
  auto& careful = broker.connect();
  broker.journal.set_disk(FakeJournal::Disk::kFull);
  broker.commit();
  master.feed(send("/queue/q", "one"));
  CHECK_FALSE(master.session.wants_read());
  careful.feed(send("/queue/q", "two", "receipt:r\n"));
  const std::string error = careful.take();
  CHECK(error.starts_with("ERROR\n"));
  CHECK(value_of(error, "receipt-id") == "r");
  CHECK(has(error, "the disk is full"));
  CHECK(careful.session.close_reason() == CloseReason::kNoRoom);
  broker.journal.set_disk(FakeJournal::Disk::kRoom);
  broker.commit();
  broker.commit();
  CHECK(master.session.wants_read());
  CHECK(broker.journal.stored_count("q") == 1);
}

TEST_CASE("a receipt that is owed when the disk becomes full turns into an ERROR") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  broker.journal.set_disk(FakeJournal::Disk::kFull);
  broker.commit();
  const std::string error = peer.take();
  CHECK(value_of(error, "receipt-id") == "r");
  CHECK(peer.session.phase() == Phase::kHolding);
}

TEST_CASE("a peer that is owed too many receipts is not read until some are gone") {
  session::SessionOptions options;
  options.receipts_owed_max = 3;
  PureBroker broker(options);
  auto& peer = broker.connect();
  std::string frames;
  for (int i = 0; i < 10; ++i)
    frames += send("/queue/q", "x", "receipt:" + std::to_string(i) + "\n");
  peer.feed(frames);
  CHECK_FALSE(peer.session.wants_read());
  CHECK(peer.session.figures().sends == 3);
  broker.settle();
  CHECK(count_of(peer.take(), "RECEIPT") == 10);
  CHECK(peer.session.wants_read());
}

TEST_CASE("a peer that reads none of its receipts is not read either") {
  session::SessionOptions options;
  options.outbox_bytes_soft = 1000;
  PureBroker broker(options);
  auto& peer = broker.connect();
  for (int i = 0; i < 1000; ++i)
    peer.feed(send("/topic/t", "x", "receipt:" + std::to_string(i) + "\n"));
  CHECK_FALSE(peer.session.wants_read());
  CHECK(peer.session.outbox().waiting_bytes() < 1100);
  broker.settle();
  CHECK(count_of(peer.take(), "RECEIPT") == 1000);
  CHECK(peer.session.wants_read());
}

TEST_CASE("a full outbox takes credit from all subscriptions, and each gets its turn again") {
  session::SessionOptions options;
  options.outbox_bytes_soft = 10'000;
  PureBroker broker(options);
  auto& producer = broker.connect();
  for (const char* name : {"a", "b", "c"}) {
    for (int i = 0; i < 50; ++i)
      producer.feed(send(std::string("/queue/") + name, std::string(1000, *name)));
  }
  broker.settle();
  auto& consumer = broker.connect();
  consumer.feed(subscribe("a", "/queue/a", "prefetch-count:15\n") +
                subscribe("b", "/queue/b", "prefetch-count:15\n") +
                subscribe("c", "/queue/c", "prefetch-count:15\n"));
  CHECK(consumer.session.outbox().waiting_bytes() < 20'000);
  std::string all;
  for (int i = 0; i < 1000 && count_of(all, "MESSAGE") < 150; ++i) {
    consumer.write_out(3000);
    broker.commit();
    CHECK(consumer.session.outbox().waiting_bytes() < 30'000);
    if (i == 25) all = consumer.take();
  }
  all += consumer.take();
  broker.settle();
  all += consumer.take();
  CHECK(count_of(all, "subscription:a") == 50);
  CHECK(count_of(all, "subscription:b") == 50);
  CHECK(count_of(all, "subscription:c") == 50);
}

TEST_CASE("a message larger than every bound of the outbox is delivered") {
  session::SessionOptions options;
  options.outbox_bytes_soft = 1000;
  options.outbox_bytes_max = 10'000;
  PureBroker broker(options);
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q") + send("/queue/q", std::string(100'000, 'x')));
  CHECK(has(peer.take(), "content-length:100000"));
  CHECK(peer.session.phase() == Phase::kOpen);
}

TEST_CASE("a topic's consumer that does not read is closed with an ERROR that names the topic") {
  routing::RoutingOptions routing;
  routing.topic_policy.backlog_count_max = 5;
  PureBroker broker({}, routing);
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/topic/t", "prefetch-count:1\n"));
  auto& producer = broker.connect();
  for (int i = 0; i < 10; ++i)
    producer.feed(send("/topic/t", "x"));
  CHECK(consumer.session.close_reason() == CloseReason::kSlowConsumer);
  const std::string output = consumer.take();
  CHECK(has(output, "ERROR"));
  CHECK(has(output, "/topic/t"));
}

TEST_CASE("routing wakes a session once until it was called") {
  PureBroker broker;
  auto& consumer = broker.connect();
  consumer.feed(subscribe("0", "/queue/q"));
  auto& producer = broker.connect();
  CHECK_FALSE(broker.is_woken(consumer));
  producer.session.on_bytes(send("/queue/q", "x") + send("/queue/q", "y"), broker.now());
  CHECK(broker.is_woken(consumer));
  CHECK_FALSE(broker.is_woken(producer));
  broker.run_woken();
  CHECK(count_of(consumer.take(), "MESSAGE") == 2);
}

TEST_CASE("a peer with too many messages unacknowledged gets no more until some are") {
  session::SessionOptions options;
  options.unacked_count_max = 4;
  PureBroker broker(options);
  auto& peer = broker.connect();
  for (const char* id : {"0", "1", "2", "3", "4", "5"}) {
    peer.feed(subscribe(id, "/queue/q" + std::string(id), "ack:client\nprefetch-count:1\n"));
  }
  for (int i = 0; i < 6; ++i)
    peer.feed(send("/queue/q" + std::to_string(i), std::to_string(i)));
  broker.settle();
  std::string output = peer.take();
  CHECK(count_of(output, "MESSAGE") == 4);
  peer.feed(frame("ACK\nid:" + value_of(output, "ack") + "\n\n"));
  broker.settle();
  CHECK(count_of(peer.take(), "MESSAGE") == 1);
}

}  // namespace
}  // namespace stompbox::testing
