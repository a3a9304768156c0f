#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "broker/client/broker_url.h"
#include "storage/result.h"

namespace stompbox::client {

using Deadline = std::chrono::steady_clock::time_point;

// A TCP connection that is waited for. Blocks up to a deadline each time; one thread.
class Wire {
 public:
  // Where bytes that came in are handed to; they live for the call.
  using Sink = std::function<void(std::string_view bytes)>;

  // kUnavailable when nobody listens there or there is no such host.
  [[nodiscard]] static storage::Result<Wire> connect(const BrokerUrl& url, Deadline deadline);

  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&& other) noexcept;
  ~Wire();

  // Sends all. Takes in what comes meanwhile, so that two full pipes do not wait for each other.
  [[nodiscard]] storage::Status send(std::string_view bytes, const Sink& sink, Deadline deadline);

  enum class Came { kBytes, kNothing, kEnd };  // kNothing: the time is up
  [[nodiscard]] storage::Result<Came> receive(const Sink& sink, Deadline deadline);

 private:
  explicit Wire(int file) : file_(file) {}
  [[nodiscard]] storage::Result<Came> read_once(const Sink& sink) const;

  int file_ = -1;
};

}  // namespace stompbox::client
