#include "broker/client/broker_url.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace stompbox::client {
namespace {

constexpr std::string_view kScheme = "tcp://";
constexpr std::string_view kDefaultPort = "61613";

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
                                 "tcp://localhost:61613"};
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  if (rest.find('/') != std::string_view::npos) return wrong;
  std::string_view host = rest;
  std::string_view port = kDefaultPort;
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
  return BrokerUrl{std::string(host), std::string(port)};
}

std::string to_text(const BrokerUrl& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return std::string(kScheme) + (v6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
}

}  // namespace stompbox::client
