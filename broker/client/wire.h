#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/client/broker_url.h"
#include "broker/client/tls_client.h"
#include "storage/result.h"

namespace stompbox::client {

using Deadline = std::chrono::steady_clock::time_point;

// A TCP connection, with TLS inside if the URL says so, that is waited for. Blocks up to a deadline
// each time; one thread.
class Wire {
 public:
  // Where bytes that came in are handed to; they live for the call.
  using Sink = std::function<void(std::string_view bytes)>;

  // kUnavailable when nobody listens there or there is no such host.
  // kIo when TLS fails for want of trust or of TLS, kInvalid for files.
  [[nodiscard]] static storage::Result<Wire> connect(const BrokerUrl& url, const TlsTrust& trust,
                                                     Deadline deadline);

  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&& other) noexcept;
  ~Wire();

  // Sends all. Takes in what comes meanwhile, so that two full pipes do not wait for each other.
  [[nodiscard]] storage::Status send(std::string_view bytes, const Sink& sink, Deadline deadline);

  enum class Came { kBytes, kNothing, kEnd };  // kNothing: the time is up
  [[nodiscard]] storage::Result<Came> receive(const Sink& sink, Deadline deadline);

 private:
  explicit Wire(int file) : file_(file) {}
  [[nodiscard]] static storage::Result<Wire> open(const BrokerUrl& url, Deadline deadline);
  [[nodiscard]] storage::Status begin_tls(const BrokerUrl& url, const TlsTrust& trust,
                                          Deadline deadline);
  [[nodiscard]] storage::Result<Came> read_once(const Sink& sink);
  [[nodiscard]] storage::Result<Came> read_bytes(const Sink& sink) const;
  [[nodiscard]] storage::Status send_bytes(std::string_view bytes, const Sink& sink,
                                           Deadline deadline);

  int file_ = -1;
  std::optional<TlsClient> tls_;
};

}  // namespace stompbox::client
