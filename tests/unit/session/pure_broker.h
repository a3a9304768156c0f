#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/router.h"
#include "broker/session/session.h"
#include "tests/support/fake_journal.h"

namespace stompbox::testing {

// Sessions on a real router over a fake journal, without sockets, threads or real time: the test
// plays peers, kernel, disk and clock.
class PureBroker final : public session::Gate, public session::Waker {
 public:
  explicit PureBroker(session::SessionOptions options = {}, routing::RoutingOptions routing = {});

  session::SessionOptions options;
  session::Shared shared;
  FakeJournal journal;
  std::unique_ptr<routing::Router> router;

  // One connection and its client's end.
  class Peer {
   public:
    Peer(PureBroker& broker, std::uint64_t number);

    // Each is followed by the calls of the sessions that were woken, but commits nothing.
    void feed(std::string_view bytes);
    void end_input();
    void fail_writes();
    void io_error();
    void login(session::LoginResult result);
    void shut_down();
    // The kernel takes so many bytes of the outbox, all by default.
    void write_out(std::size_t bytes_max = SIZE_MAX);
    // write_out, and everything that the kernel has taken since the last call.
    [[nodiscard]] std::string take();
    // The same without the frames of a login: CONNECT is sent, CONNECTED is checked.
    void connect(std::string_view version = "1.2", std::string_view more_headers = "");

    session::Session session;

   private:
    friend class PureBroker;
    PureBroker& broker_;
    std::string taken_;
  };

  Peer& open();
  Peer& connect(std::string_view version = "1.2");
  void close(Peer& peer);  // the owner lets go of the session

  [[nodiscard]] session::Now now() const;
  // The broker's own stop, for all peers.
  void shut_down();
  // The clock, with every timer on the way.
  void pass(std::chrono::milliseconds duration);
  // Calls of sessions that asked for one; nothing is committed.
  void run_woken();
  // The disk does all that it was asked for.
  void commit();
  // Everything that can happen by itself: writes, wakes, commits, loads.
  void settle();

  // Gate. What is set decides; nothing: answered later by Peer::login.
  void check_login(std::uint64_t session, const session::Credentials& credentials) override;
  void denied(std::uint64_t session, const session::Denial& denial) override;
  std::optional<session::LoginResult> login_answer = session::LoginResult::kWelcome;
  std::shared_ptr<const session::Rights> rights;  // of whoever logs in next
  std::vector<std::string> denials;               // "SESSION OPERATION DESTINATION"
  std::map<std::string, std::string> users;       // if any: passcodes by login

  // Waker
  void wake(std::uint64_t session) override { woken_.insert(session); }
  [[nodiscard]] bool is_woken(const Peer& peer) const;

  // A restart after kill -9: peers are gone, what was not committed is lost.
  void crash();

 private:
  routing::RoutingOptions routing_options_;
  // When the router wants to be told the time; nothing if never.
  [[nodiscard]] std::optional<session::TimePoint> router_event() const;
  void tell_time();

  std::map<std::uint64_t, std::unique_ptr<Peer>> peers_;
  std::set<std::uint64_t> woken_;
  std::uint64_t last_number_ = 0;
  std::string last_login_;
  session::TimePoint clock_{std::chrono::hours(1)};
};

}  // namespace stompbox::testing
