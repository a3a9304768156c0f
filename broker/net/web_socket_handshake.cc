#include "broker/net/web_socket_handshake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "broker/net/http_head.h"

namespace stompbox::net {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::array<std::string_view, 3> kProtocols = {"v12.stomp", "v11.stomp", "v10.stomp"};
constexpr std::string_view kUpgradeFields =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
constexpr std::string_view kBad = "400 Bad Request";

struct Refusal {
  std::string_view status;
  std::string_view fields;
  std::string_view sentence;
};

// Sixteen bytes in base64.
bool is_key(std::string_view text) {
  constexpr std::size_t kKeyChars = 24;
  if (text.size() != kKeyChars || !text.ends_with("==")) return false;
  return std::all_of(text.begin(), text.end() - 2, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '/';
  });
}

std::string accept_value(std::string_view key) {
  constexpr std::size_t kDigestBytes = 20;
  std::string text(key);
  text += kGuid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1 ||
      size != kDigestBytes) {
    return {};
  }
  std::array<unsigned char, 4 * (kDigestBytes / 3 + 1) + 1> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), kDigestBytes);
  return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

// "HOST" of "https://HOST:PORT" and of "HOST:PORT"; brackets stay.
std::string_view host_of(std::string_view text) {
  if (const std::size_t at = text.find("://"); at != std::string_view::npos) {
    text.remove_prefix(at + 3);
  }
  if (text.starts_with('[')) return text.substr(0, text.find(']') + 1);
  return text.substr(0, text.find(':'));
}

// A name that somebody else's name server may have led here (DNS rebinding) is no proof that page
// and broker belong together; an address is, and so is the name that no server is asked for.
bool is_address(std::string_view host) {
  if (equal_ignoring_case(host, "localhost")) return true;
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string inner(host.substr(1, host.size() - 2));
    return ::inet_pton(AF_INET6, inner.c_str(), ignored.data()) == 1;
  }
  return ::inet_pton(AF_INET, std::string(host).c_str(), ignored.data()) == 1;
}

bool may_come_from(std::string_view origin, std::string_view host,
                   const std::vector<std::string>& origins) {
  for (const std::string& known : origins) {
    if (known == "*" || equal_ignoring_case(known, origin)) return true;
  }
  const bool names_host = origin.find("://") != std::string_view::npos;
  return origins.empty() && names_host && is_address(host_of(host)) &&
         equal_ignoring_case(host_of(origin), host_of(host));
}

std::optional<Refusal> find_fault(const HttpRequest& request,
                                  const std::vector<std::string>& origins) {
  if (request.method != "GET") {
    return Refusal{"405 Method Not Allowed", "Allow: GET\r\n", "A WebSocket begins with a GET."};
  }
  if (!request.lists("Upgrade", "websocket")) {
    return Refusal{"426 Upgrade Required", kUpgradeFields,
                   "This is a STOMP broker: connect with a WebSocket client."};
  }
  const auto host = request.find("Host");
  if (!host || request.count("Host") != 1) return Refusal{kBad, "", "It takes one Host field."};
  if (!request.lists("Connection", "Upgrade")) {
    return Refusal{kBad, "",
                   "The Connection field does not say Upgrade; is there a proxy between?"};
  }
  if (request.find("Sec-WebSocket-Version") != "13") {
    return Refusal{"426 Upgrade Required", kUpgradeFields,
                   "Only version 13 of the WebSocket protocol is spoken here."};
  }
  const auto key = request.find("Sec-WebSocket-Key");
  if (!key || request.count("Sec-WebSocket-Key") != 1 || !is_key(*key)) {
    return Refusal{kBad, "", "It takes one Sec-WebSocket-Key of sixteen bytes in base64."};
  }
  if (request.find("Transfer-Encoding") || request.find("Content-Length").value_or("0") != "0") {
    return Refusal{kBad, "", "A handshake has no body."};
  }
  if (const auto origin = request.find("Origin");
      origin && !may_come_from(*origin, *host, origins)) {
    return Refusal{"403 Forbidden", "",
                   "Pages of this origin may not connect; the broker's option listen.origins names "
                   "those that may."};
  }
  return std::nullopt;
}

}  // namespace

std::string http_refusal(std::string_view status, std::string_view fields,
                         std::string_view sentence) {
  std::string response("HTTP/1.1 ");
  response.append(status).append("\r\n").append(fields);
  if (fields.find("Connection:") == std::string_view::npos) response += "Connection: close\r\n";
  response += "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  response += std::to_string(sentence.size() + 1);
  return response.append("\r\n\r\n").append(sentence).append("\n");
}

HandshakeAnswer answer_handshake(std::string_view head, const std::vector<std::string>& origins) {
  const auto request = parse_http_head(head);
  const auto fault = request ? find_fault(*request, origins)
                             : Refusal{kBad, "",
                                       "This port takes WebSocket handshakes (HTTP/1.1), and this "
                                       "was none."};
  if (fault) {
    return {http_refusal(fault->status, fault->fields, fault->sentence),
            std::string(fault->status) + ": " + std::string(fault->sentence)};
  }
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  response += accept_value(*request->find("Sec-WebSocket-Key")) + "\r\n";
  const auto* const best =
      std::find_if(kProtocols.begin(), kProtocols.end(), [&request](std::string_view protocol) {
        return request->lists("Sec-WebSocket-Protocol", protocol);
      });
  if (best != kProtocols.end()) {
    response.append("Sec-WebSocket-Protocol: ").append(*best).append("\r\n");
  }
  return {response + "\r\n", {}};
}

}  // namespace stompbox::net
