#include <doctest/doctest.h>

#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

namespace stompbox::testing {
namespace {

using session::CloseReason;
using Phase = session::Session::Phase;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kBadFrame = frame("SEND\n\nx");

TEST_CASE("a connection that never sent a byte is a probe, whoever ends it") {
  PureBroker broker;
  auto& closed = broker.open();
  closed.end_input();
  CHECK(closed.session.done());
  CHECK(closed.session.close_reason() == CloseReason::kProbe);
  auto& silent = broker.open();
  broker.pass(broker.options.login_timeout);
  CHECK(silent.session.done());
  CHECK(silent.session.close_reason() == CloseReason::kProbe);
  CHECK(silent.take().empty());
}

TEST_CASE("a peer that closes within CONNECT is gone at once") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.feed("CONNECT\nlogin");
  peer.end_input();
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kPeerClosed);
}

TEST_CASE("a TLS hello is closed without an answer") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.feed("\x16\x03\x01");
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kTlsOnPlainPort);
  CHECK(peer.take().empty());
}

TEST_CASE("after an ERROR the socket stays open both ways until the hold is over") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(kBadFrame);
  CHECK(has(peer.take(), "ERROR"));
  CHECK(peer.session.phase() == Phase::kHolding);
  CHECK(peer.session.wants_read());
  CHECK_FALSE(peer.session.wants_shutdown());
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  CHECK(peer.take().empty());
  broker.pass(broker.options.error_hold - milliseconds(1));
  CHECK_FALSE(peer.session.done());
  broker.pass(milliseconds(1));
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kProtocolError);
  CHECK(broker.router->figures().published == 0);
}

TEST_CASE("a hold ends when the peer has closed and has been told, or floods") {
  session::SessionOptions options;
  options.discard_bytes_max = 1000;
  PureBroker broker(options);
  auto& polite = broker.connect();
  polite.feed(kBadFrame);
  polite.end_input();
  CHECK_FALSE(polite.session.done());  // the ERROR is not written yet
  CHECK(has(polite.take(), "ERROR"));
  CHECK(polite.session.done());
  auto& flood = broker.connect();
  flood.feed(kBadFrame);
  flood.feed(std::string(1001, 'x'));
  CHECK(flood.session.done());
  CHECK(flood.session.close_reason() == CloseReason::kProtocolError);
}

TEST_CASE("receipts that were due go out before an ERROR") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/topic/t", "x", "receipt:1\n") + kBadFrame);
  const std::string output = peer.take();
  CHECK(output.find("receipt-id:1") < output.find("ERROR"));
}

TEST_CASE("receipts that wait for the disk go out before an ERROR of a later frame") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:1\n") + kBadFrame);
  CHECK(peer.session.phase() == Phase::kHolding);
  CHECK(peer.take().empty());
  broker.commit();
  const std::string output = peer.take();
  CHECK(has(output, "receipt-id:1"));
  CHECK(output.find("receipt-id:1") < output.find("ERROR"));
  broker.pass(broker.options.error_hold);
  CHECK(peer.session.done());
}

TEST_CASE("an ERROR does not wait for the disk for ever, nor for what will never be due") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:1\n") + kBadFrame);
  broker.pass(broker.options.error_receipt_wait - milliseconds(1));
  CHECK(peer.take().empty());
  broker.pass(milliseconds(1));
  const std::string output = peer.take();
  CHECK(has(output, "ERROR"));
  CHECK_FALSE(has(output, "RECEIPT"));
  broker.pass(broker.options.error_hold - milliseconds(1));
  CHECK_FALSE(peer.session.done());
  broker.pass(milliseconds(1));
  CHECK(peer.session.done());
  auto& other = broker.connect();
  other.feed(send("/queue/" + std::string(2000, 'n'), "x", "receipt:2\n"));
  CHECK(has(other.take(), "ERROR"));
}

TEST_CASE("a peer that has closed still gets its receipts and its ERROR in order") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:1\n") + kBadFrame);
  peer.end_input();
  CHECK_FALSE(peer.session.done());
  broker.commit();
  const std::string output = peer.take();
  CHECK(output.find("receipt-id:1") < output.find("ERROR"));
  CHECK(peer.session.done());
}

TEST_CASE("what a peer had in flight goes back when it gets an ERROR, not when the hold ends") {
  PureBroker broker;
  auto& bad = broker.connect();
  bad.feed(subscribe("0", "/queue/q", "ack:client\n") + send("/queue/q", "x"));
  CHECK(has(bad.take(), "MESSAGE"));
  auto& good = broker.connect();
  good.feed(subscribe("0", "/queue/q", "ack:client\n"));
  bad.feed(kBadFrame);
  CHECK(has(good.take(), "redelivered:true"));
}

TEST_CASE("after the peer's end the receipts that it is owed still go out") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  peer.end_input();
  CHECK_FALSE(peer.session.done());
  broker.commit();
  CHECK_FALSE(peer.session.done());
  CHECK(has(peer.take(), "receipt-id:r"));
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kPeerClosed);
}

TEST_CASE("after the peer's end what cannot get out is given up after a while") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  peer.end_input();
  broker.pass(broker.options.disconnect_hold);
  CHECK(peer.session.done());
}

TEST_CASE("after the peer's end nothing more is delivered to it, and what it holds goes back") {
  PureBroker broker;
  auto& leaver = broker.connect();
  leaver.feed(subscribe("0", "/queue/q", "ack:client\n") + send("/queue/q", "one"));
  CHECK(has(leaver.take(), "MESSAGE"));
  leaver.end_input();
  CHECK(leaver.session.done());
  auto& next = broker.connect();
  next.feed(subscribe("0", "/queue/q") + send("/queue/q", "two"));
  CHECK(count_of(next.take(), "MESSAGE") == 2);
  CHECK(leaver.take().empty());
}

TEST_CASE("a SEND that waits for room outlives its peer") {
  PureBroker broker;
  auto& peer = broker.connect("1.0");
  broker.journal.set_extra_pending_bytes(1'000'000'000);
  peer.feed(send("/queue/q", "one") + send("/queue/q", "two"));
  peer.end_input();
  broker.pass(seconds(600));
  CHECK_FALSE(peer.session.done());
  broker.journal.set_extra_pending_bytes(0);
  broker.commit();
  CHECK(peer.session.done());
  broker.commit();
  CHECK(broker.journal.stored_count("q") == 2);
}

TEST_CASE("when writing fails what was received is still processed to its end") {
  PureBroker broker;
  auto& peer = broker.connect("1.0");
  peer.fail_writes();
  CHECK(peer.session.wants_read());
  peer.feed(send("/queue/q", "one", "receipt:r\n"));
  peer.feed(send("/queue/q", "two"));
  broker.commit();
  CHECK(peer.session.outbox().waiting_bytes() == 0);
  peer.end_input();
  CHECK(peer.session.done());
  CHECK(broker.journal.stored_count("q") == 2);
}

TEST_CASE("when writing fails ACKs that were received still count") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q", "ack:client\n") + send("/queue/q", "x"));
  const std::string message = peer.take();
  broker.settle();
  peer.fail_writes();
  peer.feed(frame("ACK\nid:" + value_of(message, "ack") + "\n\n"));
  peer.end_input();
  broker.settle();
  CHECK(broker.journal.stored_count("q") == 0);
}

TEST_CASE("a peer that cannot be written and does not end is given up") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.fail_writes();
  broker.pass(broker.options.disconnect_hold);
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kIoError);
}

TEST_CASE("DISCONNECT: the sending side is shut down, input thrown away, then it is over") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(frame("DISCONNECT\nreceipt:d\n\n"));
  CHECK(has(peer.take(), "receipt-id:d"));
  CHECK(peer.session.wants_shutdown());
  CHECK(peer.session.wants_read());
  peer.feed("garbage");
  CHECK_FALSE(peer.session.done());
  peer.end_input();
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kDisconnect);
}

TEST_CASE("DISCONNECT of a peer that never closes ends with the hold") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(frame("DISCONNECT\n\n"));
  broker.pass(broker.options.disconnect_hold);
  CHECK(peer.session.done());
}

TEST_CASE("auto deliveries in the outbox at DISCONNECT are done when they are written") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(subscribe("0", "/queue/q") + send("/queue/q", "x") + frame("DISCONNECT\n\n"));
  CHECK(broker.router->queue_figures().at(0).in_flight == 1);
  CHECK(has(peer.take(), "MESSAGE"));
  CHECK(broker.router->queue_figures().at(0).acknowledged == 1);
  CHECK(broker.router->queue_figures().at(0).waiting == 0);
}

TEST_CASE("at a stop of the broker receipts go out, then the end of file, without an ERROR") {
  PureBroker broker;
  auto& peer = broker.connect();
  auto& fresh = broker.open();
  peer.feed(send("/queue/q", "x", "receipt:r\n"));
  peer.shut_down();
  fresh.shut_down();
  CHECK(fresh.session.done());
  CHECK_FALSE(peer.session.wants_shutdown());
  broker.commit();
  CHECK(peer.take() == frame("RECEIPT\nreceipt-id:r\n\n"));
  CHECK(peer.session.wants_shutdown());
  CHECK_FALSE(peer.session.done());
  broker.pass(broker.options.shutdown_hold);
  CHECK(peer.session.done());
  CHECK(peer.session.close_reason() == CloseReason::kShutdown);
}

TEST_CASE("at a stop of the broker a SEND that waits for room holds nobody up") {
  PureBroker broker;
  auto& peer = broker.connect();
  broker.journal.set_extra_pending_bytes(1'000'000'000);
  peer.feed(send("/queue/q", "x"));
  peer.shut_down();
  CHECK_FALSE(peer.session.wants_read());
  broker.pass(broker.options.shutdown_hold);
  CHECK(peer.session.done());
}

TEST_CASE("the rest of a frame that a stop cuts off is told as unread") {
  PureBroker broker;
  auto& peer = broker.connect();
  const std::string whole = send("/queue/q", std::string(1000, 'x'));
  peer.feed(whole);
  CHECK_FALSE(peer.session.mid_frame());
  peer.feed(whole.substr(0, 500));
  CHECK(peer.session.mid_frame());
  CHECK(peer.session.figures().unread_bytes == 0);
  const std::size_t held = peer.session.held_bytes();
  CHECK(held > 400);
  peer.shut_down();
  CHECK(peer.session.figures().unread_bytes == held);
}

TEST_CASE("what comes behind a DISCONNECT is not missed") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.feed(frame("DISCONNECT\n\n") + "SEND\n");
  peer.end_input();
  broker.settle();
  CHECK(peer.session.figures().unread_bytes == 0);
}

TEST_CASE("a session that is done does nothing any more") {
  PureBroker broker;
  auto& peer = broker.connect();
  peer.io_error();
  REQUIRE(peer.session.done());
  peer.feed(send("/queue/q", "x"));
  peer.end_input();
  peer.shut_down();
  peer.login(session::LoginResult::kWelcome);
  broker.pass(seconds(100));
  CHECK(broker.router->figures().published == 0);
  CHECK_FALSE(peer.session.next_event());
  CHECK_FALSE(peer.session.wants_read());
}

TEST_CASE("every reason of an end has a word of its own") {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(CloseReason::kIoError); ++i)
    words.insert(to_text(static_cast<CloseReason>(i)));
  CHECK(words.size() == static_cast<std::size_t>(CloseReason::kIoError) + 1);
}

}  // namespace
}  // namespace stompbox::testing
