#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>

#include "storage/result.h"

// The local control door: a UNIX socket in the data folder, mode 0600 of the owner. One request a
// connection: one line of JSON {"verb": "...", ...}; one answer: one line of JSON, either
// {"ok": {...}} or {"error": "sentence"}; then the door closes it.
namespace stompbox::control {

// Gives the answer, whole, once, on the loop thread, now or later.
using Answer = std::function<void(std::string json)>;
// Takes one request line, on the loop thread.
using Requests = std::function<void(std::string_view request, Answer answer)>;

class ControlDoor {
 public:
  ControlDoor(asio::io_context& io, std::string socket_path, Requests requests);
  ~ControlDoor();
  ControlDoor(const ControlDoor&) = delete;
  ControlDoor& operator=(const ControlDoor&) = delete;

  // Takes the place of a dead broker's socket; kBusy if somebody listens there, kInvalid if it is
  // another kind of file.
  [[nodiscard]] storage::Status open();
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stompbox::control
