#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>

#include "broker/net/connections.h"
#include "broker/net/entrance.h"
#include "broker/net/listener.h"
#include "broker/routing/router.h"
#include "tests/support/fake_journal.h"

namespace stompbox::net::testing {

// Lets everybody in, or leaves it to the test.
class OpenPorter final : public Porter {
 public:
  std::string arrive(const Visitor& visitor) override;
  void leave(const Visitor& visitor) override;
  void check(const Visitor& visitor, const session::Credentials& credentials,
             Answer answer) override;
  void denied(const Visitor& visitor, std::string_view user,
              const session::Denial& denial) override;
  std::chrono::milliseconds error_hold(const std::string& host) override;

  bool answers = true;  // false: the answers wait in `waiting`
  std::vector<Answer> waiting;
  std::chrono::milliseconds hold{0};
  std::vector<std::string> hosts;
  std::string refusal;  // of everybody who arrives
  int inside = 0;       // arrived and not gone
};

// The whole of net, session and routing over real loopback sockets; the disk is a fake that the
// test commits on. Everything runs on the test's thread, in run_until().
class Loopback {
 public:
  explicit Loopback(const NetOptions& options = {}, const session::SessionOptions& session = {});
  // Listens on a free port of 127.0.0.1 with what else `listener` says.
  Loopback(const NetOptions& options, const ListenerOptions& listener);
  ~Loopback();

  // Runs the loop, and commits what is submitted, until `reached`. False: twenty seconds were over.
  [[nodiscard]] bool run_until(const std::function<bool()>& reached);
  [[nodiscard]] std::uint16_t port() const { return listener_->address().port; }

  asio::io_context io{1};
  stompbox::testing::FakeJournal journal;
  bool commits = true;
  std::unique_ptr<routing::Router> router;
  OpenPorter porter;
  Entrance entrance;
  std::unique_ptr<Connections> connections;
  [[nodiscard]] Listener& listener() { return *listener_; }

 private:
  void commit();
  std::unique_ptr<Listener> listener_;
};

// A peer: a plain socket that is not waited for.
class Peer {
 public:
  explicit Peer(Loopback& broker, int receive_buffer_bytes = 0);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Writes what the socket takes now, and the rest whenever the peer is looked at.
  void send(std::string_view bytes);
  [[nodiscard]] bool all_sent();
  // All that came, including what came earlier.
  const std::string& received();
  [[nodiscard]] bool got(std::string_view text) { return received().find(text) != received_.npos; }
  // The end of the input, or a reset.
  [[nodiscard]] bool ended();
  void shut_down_sending();
  void close();
  void close_with_reset();

 private:
  int socket_;
  std::string to_send_;
  std::string received_;
  bool ended_ = false;
};

// A frame's text with its NUL.
[[nodiscard]] std::string frame(std::string_view text);
[[nodiscard]] std::string connect_frame();

}  // namespace stompbox::net::testing
