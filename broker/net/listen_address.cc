#include "broker/net/listen_address.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace stompbox::net {
namespace {

using storage::Error;
using storage::ErrorCode;

struct SchemeName {
  std::string_view name;
  Scheme scheme;
};
// The first of a scheme is how it is shown.
constexpr std::array<SchemeName, 8> kSchemes = {{{"tcp", Scheme::kTcp},
                                                 {"stomp", Scheme::kTcp},
                                                 {"tls", Scheme::kTls},
                                                 {"stomps", Scheme::kTls},
                                                 {"ssl", Scheme::kTls},
                                                 {"ws", Scheme::kWs},
                                                 {"wss", Scheme::kWss},
                                                 {"auto", Scheme::kAuto}}};
constexpr std::string_view kAfterScheme = "://";

Error malformed(std::string_view text, std::string_view why) {
  std::string sentence = "cannot listen on '";
  sentence.append(text).append("': ").append(why);
  sentence += "; write it like tcp://127.0.0.1:61613 or tcp://[::1]:61613";
  return Error{ErrorCode::kInvalid, std::move(sentence)};
}

// And leaves the place in `text`.
std::optional<Scheme> take_scheme(std::string_view& text) {
  const std::size_t end = text.find(kAfterScheme);
  if (end == std::string_view::npos) return std::nullopt;
  for (const SchemeName& known : kSchemes) {
    if (text.substr(0, end) != known.name) continue;
    text.remove_prefix(end + kAfterScheme.size());
    return known.scheme;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return port;
}

bool is_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(family, host.c_str(), bytes.data()) == 1;
}

// The numeric address that ADDR stands for; empty if it is none.
std::string numeric_host(std::string_view host) {
  if (host == "localhost") return "127.0.0.1";
  if (host == "*") return "0.0.0.0";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    const std::string inside(host.substr(1, host.size() - 2));
    return is_address(AF_INET6, inside) ? inside : std::string();
  }
  const std::string numeric(host);
  return is_address(AF_INET, numeric) ? numeric : std::string();
}

}  // namespace

std::string_view to_text(Scheme scheme) {
  for (const SchemeName& known : kSchemes) {
    if (known.scheme == scheme) return known.name;
  }
  return "";
}

storage::Result<ListenAddress> parse_listen_address(std::string_view text) {
  std::string_view place = text;
  const auto scheme = take_scheme(place);
  if (!scheme) {
    return malformed(text, "it does not begin with tcp://, tls://, ws://, wss:// or auto://");
  }
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || place.ends_with(']')) {
    return malformed(text, "the port is missing");
  }
  const auto port = parse_port(place.substr(colon + 1));
  if (!port) return malformed(text, "the port is not a number from 0 to 65535");
  ListenAddress address{numeric_host(place.substr(0, colon)), *port, *scheme};
  if (address.host.empty()) return malformed(text, "the address is not a numeric one");
  return address;
}

std::string to_text(const ListenAddress& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  std::string text(to_text(address.scheme));
  text += kAfterScheme;
  text += is_v6 ? "[" + address.host + "]" : address.host;
  return text + ":" + std::to_string(address.port);
}

Reach reach_of(const ListenAddress& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    constexpr std::uint32_t kLoopbackNet = 127;
    return ntohl(v4.s_addr) >> 24 == kLoopbackNet ? Reach::kThisMachine : Reach::kOtherMachines;
  }
  in6_addr v6{};
  const bool is_loopback = ::inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 &&
                           std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
  return is_loopback ? Reach::kThisMachine : Reach::kOtherMachines;
}

}  // namespace stompbox::net
