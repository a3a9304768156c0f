#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/drain/drain.h"
#include "broker/routing/router.h"
#include "broker/session/session.h"
#include "tests/sim/client.h"
#include "tests/sim/disk.h"
#include "tests/sim/shelf.h"

namespace stompbox::sim {

struct Clock {
  session::TimePoint steady{std::chrono::hours(1)};
  std::int64_t wall_ms = 1'800'000'000'000;

  [[nodiscard]] session::Now now() const { return {steady, wall_ms}; }
  void advance(std::chrono::milliseconds by) {
    steady += by;
    wall_ms += by.count();
  }
};

// One connection: a client, a session, and what the kernel holds between them.
struct Link {
  std::unique_ptr<Client> client;
  std::unique_ptr<session::Session> session;
  bool client_gone = false;  // it will write nothing more
  bool end_was_fed = false;
};

// The broker between a start and a crash: the real sessions, router and drain.
class Life final : session::Gate, session::Waker, drain::Workshop, drain::DrainObserver {
 public:
  Life(Platter& platter, Shelf& shelf, Clock& clock, Chance& chance, Checker& checker, Fault fault);
  ~Life() override;

  void connect(std::unique_ptr<Client> client);
  // Something happens somewhere.
  void step();
  // Everything that is under way comes to rest; peers stay.
  void settle();
  void vanish(std::size_t link);
  // After settle() with a sweeper: nothing is stuck, nobody waits for a receipt.
  void check_rest();
  [[nodiscard]] std::size_t link_count() const { return links_.size(); }
  [[nodiscard]] Link& link(std::size_t index) { return *links_[index]; }
  // The power goes; destroy this life afterwards.
  void crash();
  // No more chance: the disk and the database work.
  void become_healthy();
  [[nodiscard]] bool drain_has_trouble() const;

 private:
  void check_login(std::uint64_t session, const session::Credentials&) override;
  void denied(std::uint64_t, const session::Denial&) override {}
  void wake(std::uint64_t session) override;
  void hand_over(drain::Round round) override;
  void on_warning(const std::string&, const std::string&) override {}
  void on_dead_letter(const std::string&, queue::MessageId, const std::string&) override {}
  void on_trouble(const std::string&, std::chrono::milliseconds) override {}
  void on_recovery() override {}
  void on_competition(const std::string&) override {}

  void feed(Link& link);
  void write_out(Link& link, std::size_t bytes_max);
  void post_journal();
  void wake_sessions();
  void run_drain();
  void pass_time();
  void reap();

  Clock& clock_;
  Chance& chance_;
  Checker& checker_;
  const Fault fault_;
  SimJournal journal_;
  routing::Router router_;
  SimCatalogStore store_;
  session::SessionOptions session_options_;
  drain::DrainOptions drain_options_;
  std::unique_ptr<drain::Drain> drain_;
  bool drain_wakes_ = false;
  std::deque<drain::Round> rounds_;
  std::deque<drain::Round> late_rounds_;  // answered and not run: a planted fault
  std::vector<std::unique_ptr<Link>> links_;
  std::unordered_set<std::uint64_t> woken_;
  std::deque<std::uint64_t> logins_;
  std::uint64_t last_session_ = 0;
};

}  // namespace stompbox::sim
