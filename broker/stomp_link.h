#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "broker/alarm.h"
#include "broker/client/broker_url.h"
#include "broker/client/tls_client.h"
#include "broker/stomp_source.h"
#include "storage/result.h"

namespace stompbox {

// The socket below a StompSource: connects when it wants to, brings what comes, sends what it has,
// tells it the time. Never blocks; a host's name is looked up on Asio's own thread. Loop thread.
class StompLink {
 public:
  // References outlive this; `io` is not run afterwards.
  StompLink(asio::io_context& io, StompSource& source, client::TlsTrust trust,
            std::chrono::milliseconds connect_patience);
  ~StompLink();
  StompLink(const StompLink&) = delete;
  StompLink& operator=(const StompLink&) = delete;

  // Call it after everything that was said to the source.
  void settle();

 private:
  // One connection, from the look-up on. Shared with its coroutine; the link's `wire_` is the one
  // that counts.
  struct Wire {
    explicit Wire(asio::io_context& io) : resolver(io), socket(io), deadline(io) {}
    asio::ip::tcp::resolver resolver;
    asio::ip::tcp::socket socket;
    asio::steady_timer deadline;  // of the connecting
    std::optional<client::TlsClient> tls;
    std::string out;  // sealed, not sent
    bool open = false;
    bool reading = false;  // a wait is under way
    bool writing = false;
  };
  using WirePtr = std::shared_ptr<Wire>;
  using Error = std::optional<storage::Error>;  // nothing: all is well

  static asio::awaitable<void> open(StompLink& self, WirePtr wire, client::BrokerUrl broker);
  static asio::awaitable<Error> connect(WirePtr wire, client::BrokerUrl broker);
  static asio::awaitable<Error> shake_hands(WirePtr wire, client::BrokerUrl broker,
                                            client::TlsTrust trust);
  static void close(Wire& wire);

  void begin(const client::BrokerUrl& broker);
  void take_output();
  void await_readable();
  void await_writable();
  void read();
  // False: the connection is over, and the source knows it.
  [[nodiscard]] bool take(std::string_view bytes);
  void write();
  void lose(storage::Error why);

  asio::io_context& io_;
  StompSource& source_;
  const client::TlsTrust trust_;
  const std::chrono::milliseconds connect_patience_;
  Alarm alarm_;
  WirePtr wire_;  // null: there is none
  std::array<char, 64 * 1024> scratch_;
};

}  // namespace stompbox
