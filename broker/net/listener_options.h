#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/net/listen_address.h"
#include "broker/session/options.h"

namespace stompbox::net {

enum class ClientCertificates : std::uint8_t {
  kNone,      // not asked for
  kWished,    // one that is shown must be good
  kRequired,  // without a good one there is no connection
};

enum class TlsVersion : std::uint8_t { k12, k13 };

struct TlsOptions {
  std::string certificate;  // PEM file with the chain, the broker's own first; empty: no TLS
  std::string key;          // PEM file; empty: in the same file
  std::string authorities;  // PEM file: who signs the certificates of clients
  ClientCertificates clients = ClientCertificates::kNone;
  TlsVersion lowest = TlsVersion::k12;
};

// One listener, with what differs from listener to listener.
struct ListenerOptions {
  ListenAddress address;
  TlsOptions tls;
  // Origins of web pages that may use a WebSocket, "https://shop.example"; "*" allows all. Empty:
  // those of the same host only, if it goes by its address. What is no browser sends no Origin and
  // is never asked.
  std::vector<std::string> origins;
  std::size_t connection_count_max = 0;   // of this listener; 0: only that of all counts
  std::uint32_t connection_rate_max = 0;  // new ones in a second; 0: no bound
  session::SessionOptions session;
};

}  // namespace stompbox::net
