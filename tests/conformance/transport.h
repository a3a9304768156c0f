#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/conformance/case_file.h"

namespace stompbox::conformance {

// One client's connection to the broker under test.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual void send(const std::string& bytes) = 0;
  virtual void end_sending() = 0;
  virtual void drop() = 0;
  // Adds what has come to `bytes`; if that is nothing, a transport of real time waits for it that
  // long. False if nothing came.
  virtual bool receive(std::string& bytes, std::chrono::milliseconds patience) = 0;
  // Whether the broker has ended the connection; waits for it as long as is fair.
  virtual bool wait_for_close(std::string& bytes) = 0;
};

// Where the connections of one case come from.
class Broker {
 public:
  virtual ~Broker() = default;

  virtual std::unique_ptr<Connection> connect() = 0;
  virtual void wait(std::chrono::milliseconds duration) = 0;
  virtual void stop() = 0;  // all connections are ended by the broker's own stop
};

// The session itself, on a real router, a journal in memory that commits after each step, and a
// clock that moves when a case says so.
[[nodiscard]] std::unique_ptr<Broker> make_pure_broker(const Case& conformance_case);

// A broker that listens on 127.0.0.1:port.
[[nodiscard]] std::unique_ptr<Broker> make_socket_broker(int port);

}  // namespace stompbox::conformance
