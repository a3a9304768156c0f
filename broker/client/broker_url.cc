#include "broker/client/broker_url.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace stompbox::client {
namespace {

struct SchemeName {
  std::string_view name;
  Transport transport;
};
// The first of a kind is how it is shown.
constexpr std::array<SchemeName, 5> kSchemes = {{{"tcp://", Transport::kPlain},
                                                 {"stomp://", Transport::kPlain},
                                                 {"tls://", Transport::kTls},
                                                 {"stomps://", Transport::kTls},
                                                 {"ssl://", Transport::kTls}}};
constexpr std::string_view kPlainPort = "61613";
constexpr std::string_view kTlsPort = "61614";

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

storage::Result<BrokerUrl> parse_broker_url(std::string_view text) {
  const storage::Error wrong{storage::ErrorCode::kInvalid,
                             "'" + std::string(text) +
                                 "' is no address of a broker: it looks like "
                                 "tcp://localhost:61613 or tls://localhost:61614"};
  std::string_view rest = text;
  Transport transport = Transport::kPlain;
  for (const SchemeName& scheme : kSchemes) {
    if (!rest.starts_with(scheme.name)) continue;
    transport = scheme.transport;
    rest.remove_prefix(scheme.name.size());
    break;
  }
  if (rest.find('/') != std::string_view::npos) return wrong;
  std::string_view host = rest;
  std::string_view port = transport == Transport::kTls ? kTlsPort : kPlainPort;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return wrong;
    host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return wrong;
    if (!rest.empty()) port = rest.substr(1);
  } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  if (host.empty() || !is_port(port)) return wrong;
  return BrokerUrl{std::string(host), std::string(port), transport};
}

std::string to_text(const BrokerUrl& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  const std::string scheme = url.transport == Transport::kTls ? "tls://" : "tcp://";
  return scheme + (v6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
}

}  // namespace stompbox::client
