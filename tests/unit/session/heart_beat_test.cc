#include <doctest/doctest.h>

#include "broker/session/beats.h"
#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

namespace stompbox::testing {
namespace {

using session::Beats;
using session::CloseReason;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Beats::TimePoint kStart{std::chrono::hours(1)};

TEST_CASE("a beat is owed after half the interval without output") {
  Beats beats;
  beats.agree({.from_client = milliseconds(0), .to_client = milliseconds(1000)}, kStart);
  CHECK(beats.next_event() == kStart + milliseconds(500));
  CHECK_FALSE(beats.beat_is_due(kStart + milliseconds(499)));
  CHECK(beats.beat_is_due(kStart + milliseconds(500)));
  beats.wrote(kStart + milliseconds(400));
  CHECK_FALSE(beats.beat_is_due(kStart + milliseconds(800)));
}

TEST_CASE("the peer is overdue after twice its interval and a second") {
  Beats beats;
  beats.agree({.from_client = milliseconds(300), .to_client = milliseconds(0)}, kStart);
  CHECK_FALSE(beats.peer_is_overdue(kStart + milliseconds(1599)));
  CHECK(beats.peer_is_overdue(kStart + milliseconds(1600)));
  beats.heard(kStart + milliseconds(1000));
  CHECK_FALSE(beats.peer_is_overdue(kStart + milliseconds(2599)));
}

TEST_CASE("without agreement there is nothing to wait for") {
  Beats beats;
  CHECK_FALSE(beats.next_event());
  beats.agree({}, kStart);
  CHECK_FALSE(beats.next_event());
}

TEST_CASE("while we do not listen the peer's clock stands still") {
  Beats beats;
  beats.agree({.from_client = milliseconds(1000), .to_client = milliseconds(0)}, kStart);
  beats.stop_listening(kStart + seconds(2));
  CHECK_FALSE(beats.next_event());
  CHECK_FALSE(beats.peer_is_overdue(kStart + seconds(100)));
  beats.listen(kStart + seconds(100));
  CHECK_FALSE(beats.peer_is_overdue(kStart + milliseconds(100'999)));
  CHECK(beats.peer_is_overdue(kStart + seconds(101)));
}

TEST_CASE("a peer that wants a thousand beats a second gets ten") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.feed(frame("CONNECT\naccept-version:1.2\nheart-beat:0,1\n\n"));
  CHECK(value_of(peer.take(), "heart-beat").starts_with("100,"));
  const auto next = peer.session.next_event();
  REQUIRE(next);
  CHECK(*next - broker.now().steady >= milliseconds(50));
}

TEST_CASE("a session that waits for room does not miss beats that it does not read") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.connect("1.2", "heart-beat:1000,0\n");
  broker.journal.set_extra_pending_bytes(1'000'000'000);
  peer.feed(send("/queue/q", "x"));
  broker.pass(seconds(600));
  CHECK(peer.session.phase() == session::Session::Phase::kOpen);
  broker.journal.set_extra_pending_bytes(0);
  broker.commit();
  broker.pass(seconds(22));
  CHECK(peer.session.close_reason() == CloseReason::kHeartBeatMissed);
}

TEST_CASE("nothing is added to an outbox that waits to be written: its bytes are the beat") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.connect("1.2", "heart-beat:0,1000\n");
  peer.feed(send("/topic/t", "x", "receipt:r\n"));
  const std::uint64_t position = peer.session.outbox().position();
  for (int i = 0; i < 10; ++i) {
    const auto at = peer.session.next_event();
    REQUIRE(at);
    peer.session.on_time({.steady = *at, .wall_ms = 0});
  }
  CHECK(peer.session.outbox().position() == position);
}

TEST_CASE("while its owner does not read, the clock of the peer stands still") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.connect("1.2", "heart-beat:1000,0\n");
  const auto patience = 2 * broker.options.heart_beat.wants_every + seconds(1);
  peer.session.pause_beats(broker.now());
  broker.pass(3 * patience);
  CHECK(peer.session.phase() == session::Session::Phase::kOpen);
  peer.session.resume_beats(broker.now());
  broker.pass(patience - milliseconds(1));
  CHECK(peer.session.phase() == session::Session::Phase::kOpen);
  broker.pass(milliseconds(1));
  CHECK(peer.session.close_reason() == CloseReason::kHeartBeatMissed);
}

TEST_CASE("it stands still while a SEND waits for room, too") {
  PureBroker broker;
  auto& peer = broker.open();
  peer.connect("1.2", "heart-beat:1000,0\n");
  broker.journal.set_extra_pending_bytes(1ULL << 40);
  peer.feed(send("/queue/q", "x"));
  CHECK_FALSE(peer.session.wants_read());
  broker.pass(10 * broker.options.heart_beat.wants_every);
  CHECK(peer.session.phase() == session::Session::Phase::kOpen);
}

}  // namespace
}  // namespace stompbox::testing
