#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "broker/session/session.h"

namespace stompbox::net {

// Knows who may come in and how long failures are held; the sockets know neither users nor files.
class Porter {
 public:
  using Answer = std::function<void(session::LoginResult)>;

  virtual ~Porter() = default;
  // Answered once, on the loop thread, now or later. `host` is the peer's address without port.
  virtual void check(const std::string& host, std::string_view login, std::string_view passcode,
                     Answer answer) = 0;
  // How long peers from there are held after an ERROR, at least.
  [[nodiscard]] virtual std::chrono::milliseconds error_hold(const std::string& host) = 0;
};

}  // namespace stompbox::net
