#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/client/broker_url.h"
#include "broker/client/wire.h"
#include "protocol/decoder.h"
#include "protocol/frame.h"
#include "protocol/version.h"
#include "storage/result.h"

namespace stompbox::client {

struct ClientOptions {
  BrokerUrl broker{"localhost", "61613"};
  std::string login;  // empty: anonymous
  std::string passcode;
  TlsTrust tls;
  std::chrono::milliseconds patience{30'000};  // for a connection, an answer, a write
  protocol::DecodeLimits limits;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

enum class Confirm : std::uint8_t { kNone, kReceipt };

struct Subscribe {
  std::string id;
  std::string destination;
  std::string ack = "auto";        // client, client-individual
  std::size_t prefetch_count = 0;  // 0: as the broker likes
  HeaderList headers = {};         // further ones, that this broker knows
};

// One STOMP connection, for the command line: each call blocks until it is done or patience ends.
// Offers versions 1.2, 1.1 and 1.0 and no heart-beats. Errors are sentences for people; an ERROR of
// the broker is kDenied before the login and kInvalid after it, and ends the connection. One
// thread.
class Client {
 public:
  [[nodiscard]] static storage::Result<Client> connect(const ClientOptions& options);

  // With kReceipt it returns when the broker has promised to keep the message.
  [[nodiscard]] storage::Status send(std::string_view destination, const HeaderList& headers,
                                     std::string body, Confirm confirm);
  // Returns when the broker has registered it.
  [[nodiscard]] storage::Status subscribe(const Subscribe& request);
  // With stompbox, what came by it can still be acknowledged.
  [[nodiscard]] storage::Status unsubscribe(std::string_view id);
  // The next MESSAGE; nothing when none comes in that time.
  [[nodiscard]] storage::Result<std::optional<protocol::Frame>> receive(
      std::chrono::milliseconds timeout);
  // ACK as the agreed version has it, confirmed or not.
  [[nodiscard]] storage::Status acknowledge(const protocol::Frame& message, Confirm confirm);
  // Says DISCONNECT and waits until the broker has processed everything before it.
  [[nodiscard]] storage::Status disconnect();

  [[nodiscard]] protocol::Version version() const { return version_; }
  // What the broker calls itself; may be empty.
  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  Client(Wire wire, const ClientOptions& options);

  [[nodiscard]] storage::Status log_in(const ClientOptions& options);
  [[nodiscard]] storage::Status write(protocol::Frame frame, Confirm confirm);
  [[nodiscard]] storage::Status wait_for_receipt(const std::string& receipt);
  // Reads until something came that was not a MESSAGE, or one did; nothing: the time is up.
  [[nodiscard]] storage::Result<std::optional<protocol::Frame>> next_frame(Deadline deadline);
  void take_in(std::string_view bytes);
  [[nodiscard]] Deadline deadline() const;

  Wire wire_;
  std::unique_ptr<protocol::FrameDecoder> decoder_;
  std::chrono::milliseconds patience_;
  protocol::Version version_ = protocol::Version::k10;
  std::string server_;
  bool logged_in_ = false;
  std::uint64_t last_receipt_ = 0;
  std::deque<protocol::DecodeEvent> arrived_;  // not looked at
  std::deque<protocol::Frame> messages_;  // MESSAGEs that came while something else was awaited
};

}  // namespace stompbox::client
