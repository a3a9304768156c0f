#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "broker/net/listener_options.h"
#include "broker/net/tls_context.h"
#include "broker/session/session.h"
#include "storage/result.h"

namespace stompbox::net {

// What all connections of one listener have in common: its options, its certificate, its counts.
// Outlives them. Loop thread only.
class Entrance {
 public:
  explicit Entrance(const ListenerOptions& options);

  // Reads certificate and key, at the start and again when they were renewed: connections that are
  // open keep what they began with. On failure the old ones stay in use.
  [[nodiscard]] storage::Status load_certificates();

  // As configured, without the options behind the address.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Scheme scheme() const { return options_.address.scheme; }
  [[nodiscard]] const ListenerOptions& options() const { return options_; }
  // Null: no TLS here.
  [[nodiscard]] const TlsContext* tls() const { return tls_ ? &*tls_ : nullptr; }

  // Counts a new connection. An empty text lets it in; any other is the ERROR's sentence.
  [[nodiscard]] std::string admit(session::TimePoint now);
  void count_out() { --open_count_; }

 private:
  const ListenerOptions options_;
  const std::string name_;
  std::optional<TlsContext> tls_;
  std::size_t open_count_ = 0;
  // Of the present second.
  session::TimePoint second_began_;
  std::uint32_t admitted_count_ = 0;
};

}  // namespace stompbox::net
