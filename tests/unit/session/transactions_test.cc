#include <doctest/doctest.h>

#include <string>

#include "broker/session/unacked.h"
#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

// What the conformance cases (G10 to G17) cannot see: room, disk and several transactions at once.
namespace stompbox::testing {
namespace {

using session::CloseReason;
using Phase = session::Session::Phase;

std::string begin(const std::string& id) {
  return frame("BEGIN\ntransaction:" + id + "\n\n");
}
std::string commit(const std::string& id, const std::string& headers = "") {
  return frame("COMMIT\ntransaction:" + id + "\n" + headers + "\n");
}
std::string abort(const std::string& id) {
  return frame("ABORT\ntransaction:" + id + "\n\n");
}
std::string ack(const std::string& id, const std::string& headers = "") {
  return frame("ACK\nid:" + id + "\n" + headers + "\n");
}

// A subscriber in client mode with `count` messages "0", "1", ... in hand; the text that came.
std::string take_some(PureBroker& broker, PureBroker::Peer& peer, int count,
                      const std::string& mode = "ack:client\n") {
  peer.feed(subscribe("s", "/queue/q", mode));
  for (int i = 0; i < count; ++i)
    peer.feed(send("/queue/q", std::to_string(i)));
  broker.settle();
  return peer.take();
}

TEST_CASE("a claimed delivery waits still but is not found, until it is released or settled") {
  using session::AckId;
  session::Unacked unacked;
  for (std::uint64_t i = 1; i <= 3; ++i)
    unacked.add({7, {i}}, {i + 100});
  const auto claims = unacked.claim({7, {2}}, routing::Reach::kUpTo);
  CHECK(claims.size() == 2);
  CHECK_FALSE(unacked.contains({7, {1}}));
  CHECK_FALSE(unacked.find({101}));
  CHECK(unacked.contains({7, {3}}));
  CHECK(unacked.has_claims(7));
  CHECK_FALSE(unacked.has_claims(8));
  CHECK(unacked.size() == 3);
  unacked.remove({7, {3}}, routing::Reach::kOne);
  CHECK(unacked.any_of(7));
  unacked.release(claims);
  CHECK(unacked.contains({7, {1}}));
  CHECK(unacked.find({102}) == AckId{7, {2}});
  unacked.settle(unacked.claim({7, {2}}, routing::Reach::kUpTo));
  CHECK_FALSE(unacked.any_of(7));
  CHECK(unacked.size() == 0);
}

TEST_CASE("a COMMIT without room waits whole, and the peer is not read meanwhile") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(begin("t") + send("/queue/q", "a", "transaction:t\n") +
            send("/queue/q", "b", "transaction:t\n"));
  broker.journal.set_extra_pending_bytes(1ULL << 40);
  peer.feed(commit("t", "receipt:c\n"));
  CHECK_FALSE(peer.session.wants_read());
  CHECK(peer.session.held_bytes() > 0);
  broker.settle();
  CHECK(peer.take().empty());
  CHECK(broker.journal.stored_count("q") == 0);
  broker.journal.set_extra_pending_bytes(0);
  broker.commit();
  broker.settle();
  CHECK(has(peer.take(), "receipt-id:c"));
  CHECK(peer.session.wants_read());
  CHECK(broker.journal.stored_count("q") == 2);
}

TEST_CASE("on a full disk a COMMIT that asks for a receipt is refused, and nothing of it is done") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string ack_id = value_of(take_some(broker, peer, 1), "ack");
  broker.journal.set_disk(FakeJournal::Disk::kFull);
  peer.feed(send("/queue/other", "makes the disk known to be full"));
  broker.commit();
  peer.feed(begin("t") + send("/queue/q", "a", "transaction:t\n") + ack(ack_id, "transaction:t\n") +
            commit("t", "receipt:c\n"));
  const std::string output = peer.take();
  CHECK(has(output, "ERROR"));
  CHECK(has(output, "receipt-id:c"));
  CHECK(has(output, "disk is full"));
  CHECK(peer.session.close_reason() == CloseReason::kNoRoom);
  CHECK(broker.journal.stored_count("q") == 1);
}

TEST_CASE("of two transactions each settles what it has acknowledged itself, in any order") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string got = take_some(broker, peer, 4);
  peer.feed(begin("1") + begin("2") + ack(value_of(got, "ack", 1), "transaction:1\n") +
            ack(value_of(got, "ack", 3), "transaction:2\n") + commit("2"));
  broker.settle();
  CHECK(broker.journal.stored_count("q") == 2);
  peer.feed(abort("1"));
  peer.io_error();
  broker.settle();
  auto& next = broker.connect();
  next.feed(subscribe("s", "/queue/q"));
  broker.settle();
  const std::string again = next.take();
  CHECK(count_of(again, "MESSAGE") == 2);
  CHECK(has(again, "\n\n0"));
  CHECK(has(again, "\n\n1"));
}

TEST_CASE(
    "an ACK past what a transaction has claimed has its receipt when all that it covers is gone") {
  PureBroker broker;
  auto& peer = broker.connect();
  std::string got = take_some(broker, peer, 2);
  peer.feed(send("/queue/q", "volatile", "persistent:false\n"));
  broker.settle();
  got += peer.take();
  peer.feed(begin("t") + ack(value_of(got, "ack", 0), "transaction:t\n") +
            ack(value_of(got, "ack", 2), "receipt:r\n"));
  CHECK_FALSE(has(peer.take(), "receipt-id:r"));
  broker.settle();
  CHECK(has(peer.take(), "receipt-id:r"));
  CHECK(broker.journal.stored_count("q") == 1);
}

TEST_CASE(
    "a subscription that has ended keeps what a transaction has claimed ackable after ABORT") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string got = take_some(broker, peer, 1);
  const std::string id = value_of(got, "ack");
  peer.feed(begin("t") + ack(id, "transaction:t\n") + frame("UNSUBSCRIBE\nid:s\n\n") + abort("t") +
            ack(id, "receipt:r\n"));
  broker.settle();
  CHECK(has(peer.take(), "receipt-id:r"));
  CHECK(broker.journal.stored_count("q") == 0);
}

TEST_CASE("nothing of a transaction is on the disk before its COMMIT, and all of it afterwards") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string got = take_some(broker, peer, 1);
  peer.feed(begin("t") + send("/queue/a", "1", "transaction:t\n") +
            send("/queue/b", "2", "transaction:t\n") +
            ack(value_of(got, "ack"), "transaction:t\n"));
  broker.settle();
  CHECK(broker.journal.stored_count("a") == 0);
  CHECK(broker.journal.stored_count("q") == 1);
  peer.feed(commit("t"));
  broker.settle();
  CHECK(broker.journal.stored_count("a") == 1);
  CHECK(broker.journal.stored_count("b") == 1);
  CHECK(broker.journal.stored_count("q") == 0);
}

TEST_CASE("a COMMIT that the machine does not survive has done nothing") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string got = take_some(broker, peer, 1);
  peer.feed(begin("t") + send("/queue/a", "1", "transaction:t\n") +
            ack(value_of(got, "ack"), "transaction:t\n") + commit("t", "receipt:c\n"));
  CHECK_FALSE(has(peer.take(), "receipt-id:c"));
  broker.crash();
  CHECK(broker.journal.stored_count("a") == 0);
  CHECK(broker.journal.stored_count("q") == 1);
}

TEST_CASE("what waits for a COMMIT is told in bytes, and gone with the transaction") {
  PureBroker broker;
  auto& peer = broker.connect();
  CHECK(peer.session.transaction_bytes() == 0);
  peer.feed(begin("t") + send("/queue/a", std::string(1000, 'x'), "transaction:t\n"));
  CHECK(peer.session.transaction_bytes() > 1000);
  peer.feed(abort("t"));
  CHECK(peer.session.transaction_bytes() == 0);
}

}  // namespace
}  // namespace stompbox::testing
