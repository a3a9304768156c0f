#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stompbox::net {

// The answer to a WebSocket handshake (RFC 6455, section 4.2): 101 with the best STOMP version that
// was offered as the sub-protocol (none, if none was), or a refusal with a text for people. Every
// path is good. No extension is agreed to, compression neither.
struct HandshakeAnswer {
  std::string response;  // whole, to be sent
  std::string refusal;   // empty: accepted; else why not, for the log
};

// `origins`: of web pages that may connect; "*": all; empty: those of the same host, if that is an
// address or localhost.
[[nodiscard]] HandshakeAnswer answer_handshake(std::string_view head,
                                               const std::vector<std::string>& origins);

// An HTTP refusal that ends the connection: "400 Bad Request", fields with their line ends, a
// sentence.
[[nodiscard]] std::string http_refusal(std::string_view status, std::string_view fields,
                                       std::string_view sentence);

}  // namespace stompbox::net
