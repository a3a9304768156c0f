#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/net/certificate_names.h"
#include "broker/session/session.h"

namespace stompbox::net {

// Who stands at the door, as far as the socket knows.
struct Visitor {
  std::uint64_t connection = 0;
  std::string host;      // the peer's address without port
  std::string listener;  // the listener's address as configured
  // Of a client certificate that the listener's authorities have signed. Empty: none was shown.
  CertificateNames certificate;
};

// Knows who may come in and how long failures are held; the sockets know neither users nor files.
class Porter {
 public:
  using Answer = std::function<void(session::Admitted)>;

  virtual ~Porter() = default;
  // Before a byte is read. An empty text lets it in; any other is the ERROR's sentence (too many
  // connections of that address, too many in a short time).
  [[nodiscard]] virtual std::string arrive(const Visitor& visitor) = 0;
  // A connection that had arrived is gone.
  virtual void leave(const Visitor& visitor) = 0;
  // Answered once, on the loop thread, now or later.
  virtual void check(const Visitor& visitor, const session::Credentials& credentials,
                     Answer answer) = 0;
  // Refused something by its rights: logged, and its address is held longer.
  virtual void denied(const Visitor& visitor, std::string_view user,
                      const session::Denial& denial) = 0;
  // How long peers from there are held after an ERROR, at least.
  [[nodiscard]] virtual std::chrono::milliseconds error_hold(const std::string& host) = 0;
};

}  // namespace stompbox::net
