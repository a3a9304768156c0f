#include "broker/options/listener_text.h"

#include <string>

#include <doctest/doctest.h>

namespace stompbox::options {
namespace {

std::string error_of(const std::string& text, const Options& options = {}) {
  const auto listener = parse_listener(text, options);
  return listener ? "" : listener.error().text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a listener has what all have, and what stands behind its address") {
  Options options;
  options.tls.certificate = "/all.pem";
  options.origins = {"https://all.example"};
  const auto plain = parse_listener("wss://127.0.0.1:1", options);
  REQUIRE(plain);
  CHECK(plain->tls.certificate == "/all.pem");
  CHECK(plain->origins == options.origins);
  CHECK(plain->connection_count_max == 0);
  const auto own = parse_listener(
      "wss://127.0.0.1:1?certificate=/own.pem&clients=require&authorities=/ca.pem&lowest=1.3"
      "&connections=500&rate=20&body_max=1MiB&login_timeout=3s&origin=https://a&origin=https://b",
      options);
  REQUIRE_MESSAGE(own, (own ? "" : own.error().text));
  CHECK(own->tls.certificate == "/own.pem");
  CHECK(own->tls.clients == net::ClientCertificates::kRequired);
  CHECK(own->tls.lowest == net::TlsVersion::k13);
  CHECK(own->connection_count_max == 500);
  CHECK(own->connection_rate_max == 20);
  CHECK(own->session.limits.body_bytes_max == 1024 * 1024);
  CHECK(own->session.login_timeout == std::chrono::seconds(3));
  CHECK(own->origins == std::vector<std::string>{"https://a", "https://b"});
}

TEST_CASE("what is wrong with a listener is said with the parameter") {
  CHECK(has(error_of("tcp://127.0.0.1:1?conections=5"), "did you mean 'connections'?"));
  CHECK(has(error_of("tcp://127.0.0.1:1?connections=0"), "'connections' is not from 1"));
  CHECK(has(error_of("tcp://127.0.0.1:1?rate=x"), "'rate' "));
  CHECK(has(error_of("tcp://127.0.0.1:1?body_max=much"), "'body_max' "));
  CHECK(has(error_of("tls://127.0.0.1:1"), "has no certificate"));
  CHECK(has(error_of("tls://127.0.0.1:1?certificate=/a.pem&clients=wish"), "who signs them"));
  CHECK(error_of("auto://127.0.0.1:1").empty());
}

TEST_CASE("who demands client certificates has to speak TLS") {
  CHECK(has(error_of("auto://127.0.0.1:1?authorities=/ca.pem&clients=require"),
            "speaks no TLS: give --tls-certificate"));
  CHECK(error_of("auto://127.0.0.1:1?certificate=/a.pem&authorities=/ca.pem&clients=require")
            .empty());
}

TEST_CASE("a listener that names who signs client certificates has to ask for them") {
  CHECK(has(error_of("tls://127.0.0.1:1?certificate=/a.pem&authorities=/ca.pem"),
            "clients=wish or clients=require"));
  Options options;
  options.tls.authorities = "/ca.pem";
  CHECK(error_of("tls://127.0.0.1:1?certificate=/a.pem", options).empty());
}

}  // namespace
}  // namespace stompbox::options
