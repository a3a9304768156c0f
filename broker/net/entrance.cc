#include "broker/net/entrance.h"

#include <chrono>
#include <utility>

namespace stompbox::net {

Entrance::Entrance(const ListenerOptions& options)
    : options_(options), name_(to_text(options.address)) {}

storage::Status Entrance::load_certificates() {
  const bool needed = scheme() == Scheme::kTls || scheme() == Scheme::kWss;
  const bool wanted = scheme() == Scheme::kAuto && !options_.tls.certificate.empty();
  if (!needed && !wanted) return storage::kOk;
  auto loaded = TlsContext::load(options_.tls);
  if (!loaded) {
    return storage::Error{loaded.error().code, "listener " + name_ + ": " + loaded.error().text};
  }
  tls_ = std::move(*loaded);
  return storage::kOk;
}

std::string Entrance::admit(session::TimePoint now) {
  if (options_.connection_count_max > 0 && open_count_ >= options_.connection_count_max) {
    return "This listener has as many connections as it may; try again later.";
  }
  if (options_.connection_rate_max > 0) {
    if (now - second_began_ >= std::chrono::seconds(1)) {
      second_began_ = now;
      admitted_count_ = 0;
    }
    if (admitted_count_ >= options_.connection_rate_max) {
      return "Too many connections in a second; try again later.";
    }
    ++admitted_count_;
  }
  ++open_count_;
  return {};
}

}  // namespace stompbox::net
