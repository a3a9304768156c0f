#include <doctest/doctest.h>

#include "tests/unit/session/frames.h"
#include "tests/unit/session/pure_broker.h"

namespace stompbox::testing {
namespace {

using session::CloseReason;
using session::LoginResult;
using Phase = session::Session::Phase;

const std::string kConnect = frame("CONNECT\nlogin:puppet\npasscode:s3cret\n\n");

struct SlowGate {
  SlowGate() { broker.login_answer.reset(); }
  PureBroker broker;
  PureBroker::Peer& peer = broker.open();
};

TEST_CASE("frames behind CONNECT are kept until the passcode was checked, then obeyed") {
  SlowGate at;
  at.peer.feed(kConnect + send("/queue/q", "one"));
  at.peer.feed(send("/queue/q", "two"));
  CHECK(at.peer.session.phase() == Phase::kChecking);
  CHECK(at.peer.take().empty());
  CHECK(at.peer.session.figures().sends == 0);
  at.peer.login(LoginResult::kWelcome);
  CHECK(at.peer.take().starts_with("CONNECTED\n"));
  CHECK(at.peer.session.user() == "puppet");
  at.broker.commit();
  CHECK(at.broker.journal.stored_count("q") == 2);
}

TEST_CASE("frames behind CONNECT are obeyed though the peer closed while it was checked") {
  SlowGate at;
  at.peer.feed(kConnect + send("/queue/q", "one"));
  at.peer.end_input();
  CHECK_FALSE(at.peer.session.done());
  at.peer.login(LoginResult::kWelcome);
  at.broker.settle();
  CHECK(at.peer.session.done());
  CHECK(at.peer.session.close_reason() == CloseReason::kPeerClosed);
  CHECK(at.broker.journal.stored_count("q") == 1);
}

TEST_CASE("the same when the socket died meanwhile") {
  SlowGate at;
  at.peer.feed(kConnect + send("/queue/q", "one"));
  at.peer.io_error();
  at.peer.login(LoginResult::kWelcome);
  CHECK(at.peer.session.done());
  CHECK(at.peer.session.close_reason() == CloseReason::kIoError);
  at.broker.settle();
  CHECK(at.broker.journal.stored_count("q") == 1);
}

TEST_CASE("what a peer may send while its passcode is checked is bounded") {
  SlowGate at;
  at.peer.feed(kConnect);
  CHECK(at.peer.session.wants_read());
  at.peer.feed(std::string(60 * 1024, '\n'));
  CHECK(at.peer.session.wants_read());
  at.peer.feed(std::string(5 * 1024, '\n'));
  CHECK_FALSE(at.peer.session.wants_read());
  at.peer.login(LoginResult::kWelcome);
  CHECK(at.peer.session.wants_read());
}

TEST_CASE("a wrong passcode: one ERROR, nothing obeyed, a hold, and the passcode is not shown") {
  SlowGate at;
  at.peer.feed(kConnect + send("/queue/q", "one"));
  at.peer.login(LoginResult::kWrong);
  const std::string output = at.peer.take();
  CHECK(output.starts_with("ERROR\n"));
  CHECK_FALSE(has(output, "CONNECTED"));
  CHECK_FALSE(has(output, "s3cret"));
  CHECK(at.peer.session.close_reason() == CloseReason::kLoginFailed);
  CHECK_FALSE(has(at.peer.session.close_detail(), "s3cret"));
  CHECK_FALSE(at.peer.session.done());
  CHECK_FALSE(at.peer.session.wants_shutdown());
  at.broker.settle();
  CHECK(at.broker.journal.append_count() == 0);
  at.broker.pass(at.broker.options.error_hold);
  CHECK(at.peer.session.done());
}

TEST_CASE("a gate that has too much to do says so") {
  SlowGate at;
  at.peer.feed(kConnect);
  at.peer.login(LoginResult::kTryLater);
  CHECK(value_of(at.peer.take(), "message") == "Try again later");
  CHECK(at.peer.session.close_reason() == CloseReason::kLoginFailed);
}

TEST_CASE("a user with too many connections is told so") {
  SlowGate at;
  at.peer.feed(kConnect);
  at.peer.login(LoginResult::kTooMany);
  CHECK(value_of(at.peer.take(), "message") == "Too many connections");
  CHECK(at.peer.session.close_reason() == CloseReason::kLoginFailed);
}

TEST_CASE("the login time-out does not run while the passcode is checked") {
  SlowGate at;
  at.peer.feed(kConnect);
  at.broker.pass(std::chrono::minutes(1));
  CHECK(at.peer.session.phase() == Phase::kChecking);
  at.peer.login(LoginResult::kWelcome);
  CHECK(at.peer.session.phase() == Phase::kOpen);
}

TEST_CASE("the hold of a peer that keeps failing can be made longer, before and after") {
  SlowGate at;
  at.peer.session.lengthen_hold(std::chrono::seconds(20));
  at.peer.feed(kConnect);
  at.peer.login(LoginResult::kWrong);
  at.broker.pass(std::chrono::seconds(19));
  CHECK_FALSE(at.peer.session.done());
  at.peer.session.lengthen_hold(std::chrono::seconds(30));
  at.broker.pass(std::chrono::seconds(10));
  CHECK_FALSE(at.peer.session.done());
  at.broker.pass(std::chrono::seconds(2));
  CHECK(at.peer.session.done());
}

TEST_CASE("a server without a name does not show one") {
  session::SessionOptions options;
  options.server_name.clear();
  PureBroker broker(options);
  auto& peer = broker.open();
  peer.feed(frame("CONNECT\naccept-version:1.2\n\n"));
  CHECK_FALSE(has(peer.take(), "server:"));
}

}  // namespace
}  // namespace stompbox::testing
