#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "broker/net/certificate_names.h"
#include "broker/net/tls_context.h"
#include "broker/net/tls_layer.h"
#include "tests/support/test_folder.h"
#include "tests/unit/net/certificates.h"

namespace stompbox::net {
namespace {

using support::TestFolder;
using testing::Certificate;
using testing::make_certificate;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string error_of(const TlsOptions& options) {
  const auto loaded = TlsContext::load(options);
  return loaded ? "" : loaded.error().text;
}

TlsOptions options_of(const Certificate& certificate) {
  TlsOptions options;
  options.certificate = certificate.certificate_file;
  options.key = certificate.key_file;
  return options;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST_CASE("a certificate with an RSA or EC key is loaded, also from one file") {
  const TestFolder folder;
  for (const auto kind : {testing::KeyKind::kEc, testing::KeyKind::kRsa}) {
    const Certificate made = make_certificate(folder.path(), {.name = "broker", .key = kind});
    CHECK(error_of(options_of(made)).empty());
    std::ofstream joined(folder.path() + "/joined.pem");
    joined << std::ifstream(made.certificate_file).rdbuf() << std::ifstream(made.key_file).rdbuf();
    joined.close();
    TlsOptions together;
    together.certificate = folder.path() + "/joined.pem";
    CHECK(error_of(together).empty());
  }
}

TEST_CASE("what is wrong with a certificate is one sentence with the file and the remedy") {
  const TestFolder folder;
  const Certificate good = make_certificate(folder.path(), {.name = "good"});
  const Certificate other = make_certificate(folder.path(), {.name = "other"});
  TlsOptions options = options_of(good);
  CHECK(has(error_of({}), "name its file"));
  options.certificate = folder.path() + "/none.pem";
  CHECK(has(error_of(options), "/none.pem' cannot be read: No such file"));
  write_file(folder.path() + "/text.pem", "no certificate\n");
  options.certificate = folder.path() + "/text.pem";
  CHECK(has(error_of(options), "has to be PEM text"));
  options = options_of(good);
  options.key = other.key_file;
  CHECK(has(error_of(options), "does not belong to the certificate"));
  options.key = lock_key(good, "secret");
  CHECK(has(error_of(options), "needs a passphrase"));
  options.key = folder.path() + "/text.pem";
  CHECK(has(error_of(options), "-----BEGIN PRIVATE KEY-----"));
  const Certificate old = make_certificate(
      folder.path(), {.name = "old", .begins_in_seconds = -200, .ends_in_seconds = -100});
  CHECK(has(error_of(options_of(old)), "has expired on 20"));
  const Certificate young =
      make_certificate(folder.path(), {.name = "young", .begins_in_seconds = 1000});
  CHECK(has(error_of(options_of(young)), "is not valid before 20"));
  options = options_of(good);
  options.clients = ClientCertificates::kWished;
  CHECK(has(error_of(options), "give the authorities' file"));
  options.authorities = folder.path() + "/text.pem";
  CHECK(has(error_of(options), "the authorities '"));
}

// A client in memory, of OpenSSL's own making.
class Client {
 public:
  explicit Client(const Certificate* certificate = nullptr, int version_max = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    if (certificate != nullptr) {
      REQUIRE(SSL_CTX_use_certificate_file(context_.get(), certificate->certificate_file.c_str(),
                                           SSL_FILETYPE_PEM) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey_file(context_.get(), certificate->key_file.c_str(),
                                          SSL_FILETYPE_PEM) == 1);
    }
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    ERR_clear_error();
    static_cast<void>(SSL_do_handshake(ssl_.get()));
  }
  void feed(const std::string& bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    std::array<char, 16 * 1024> room;
    for (int size = 1; size > 0;) {
      size = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
      if (size > 0) got.append(room.data(), static_cast<std::size_t>(size));
    }
  }
  std::string take_output() {
    std::string bytes(static_cast<std::size_t>(BIO_ctrl_pending(out_)), '\0');
    BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  void write(const std::string& bytes) {
    REQUIRE(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0);
  }
  void shut_down() { SSL_shutdown(ssl_.get()); }
  [[nodiscard]] bool saw_goodbye() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

  std::string got;

 private:
  struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL_CTX, ContextFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

struct Talk {
  std::string bytes;
  TlsLayer::End end = TlsLayer::End::kNone;
};

// What the client has to say goes in, in pieces of that size, and the answers go back.
Talk exchange(Client& client, TlsLayer& server, std::size_t piece = 1'000'000) {
  Talk talk;
  for (std::string came = client.take_output(); !came.empty(); came = client.take_output()) {
    for (std::size_t at = 0; at < came.size(); at += piece) {
      const std::string part = came.substr(at, piece);
      std::vector<char> room(part.size() + TlsLayer::kRecordBytesMax);
      std::string replies;
      const auto taken = server.take(part, room, replies);
      talk.bytes.append(room.data(), taken.bytes);
      talk.end = taken.end;
      client.feed(replies);
    }
  }
  return talk;
}

TEST_CASE("bytes go both ways through TLS 1.2 and 1.3, however they are cut") {
  const TestFolder folder;
  const Certificate made = make_certificate(folder.path(), {.name = "broker"});
  const auto context = TlsContext::load(options_of(made));
  REQUIRE(context);
  const std::string large(200'000, 'x');
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t piece : {7UL, 1000UL, 1'000'000UL}) {
      CAPTURE(piece);
      Client client(nullptr, version);
      TlsLayer server(*context);
      CHECK(exchange(client, server, piece).end == TlsLayer::End::kNone);
      REQUIRE(server.handshake_done());
      CHECK(server.version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
      CHECK_FALSE(server.client_names());
      client.write(large);
      CHECK(exchange(client, server, piece).bytes == large);
      std::string out;
      CHECK(server.seal(large, out));
      CHECK(server.seal("end", out));
      server.say_goodbye(out);
      client.feed(out);
      CHECK(client.got == large + "end");
      CHECK(client.saw_goodbye());
    }
  }
}

TEST_CASE("behind the handshake of TLS 1.3 comes nothing that nobody has asked for") {
  const TestFolder folder;
  const Certificate made = make_certificate(folder.path(), {.name = "broker"});
  const auto context = TlsContext::load(options_of(made));
  REQUIRE(context);
  Client client;
  TlsLayer server(*context);
  std::string replies;
  for (int flight = 0; flight < 2; ++flight) {
    const std::string came = client.take_output();
    REQUIRE_FALSE(came.empty());
    std::vector<char> room(came.size() + TlsLayer::kRecordBytesMax);
    replies.clear();
    static_cast<void>(server.take(came, room, replies));
    client.feed(replies);
  }
  CHECK(server.handshake_done());
  CHECK(replies.empty());
}

TEST_CASE("a close alert is an orderly end") {
  const TestFolder folder;
  const auto context = TlsContext::load(options_of(make_certificate(folder.path(), {.name = "b"})));
  Client client;
  TlsLayer server(*context);
  exchange(client, server);
  client.write("last");
  client.shut_down();
  const Talk talk = exchange(client, server);
  CHECK(talk.bytes == "last");
  CHECK(talk.end == TlsLayer::End::kOrderly);
}

TEST_CASE("what is no TLS, and what is too old, is a fault with a reason") {
  const TestFolder folder;
  const Certificate made = make_certificate(folder.path(), {.name = "broker"});
  const auto context = TlsContext::load(options_of(made));
  TlsLayer garbage(*context);
  std::vector<char> room(TlsLayer::kRecordBytesMax + 100);
  std::string replies;
  CHECK(garbage.take(std::string(50, '\x16'), room, replies).end == TlsLayer::End::kFault);
  CHECK_FALSE(garbage.fault().empty());
  std::string out;
  CHECK_FALSE(garbage.seal("x", out));
  Client old(nullptr, TLS1_1_VERSION);
  TlsLayer server(*context);
  CHECK(exchange(old, server).end == TlsLayer::End::kFault);
  CHECK(has(server.fault(), "unsupported protocol"));
  TlsOptions strict = options_of(made);
  strict.lowest = TlsVersion::k13;
  const auto only_13 = TlsContext::load(strict);
  Client middle(nullptr, TLS1_2_VERSION);
  TlsLayer strict_server(*only_13);
  CHECK(exchange(middle, strict_server).end == TlsLayer::End::kFault);
}

CertificateNames names_in(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "r");
  REQUIRE(file != nullptr);
  X509* const certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  REQUIRE(certificate != nullptr);
  const CertificateNames names = names_of(certificate);
  X509_free(certificate);
  return names;
}

TEST_CASE("a client certificate is demanded or wished, and its names are read") {
  const TestFolder folder;
  const Certificate authority = make_certificate(folder.path(), {.name = "authority"});
  const Certificate made = make_certificate(folder.path(), {.name = "broker"}, &authority);
  const Certificate known = make_certificate(
      folder.path(),
      {.name = "n\xc3\xb6"
               "de1",
       .alternatives = "DNS:node1.example,email:ops@example,URI:urn:node1,DNS:node1.example"},
      &authority);
  const Certificate stranger = make_certificate(folder.path(), {.name = "stranger"});
  TlsOptions options = options_of(made);
  options.authorities = authority.certificate_file;
  const auto talk_with = [&options](const Certificate* certificate, int version) {
    const auto context = TlsContext::load(options);
    REQUIRE_MESSAGE(context, (context ? "" : context.error().text));
    Client client(certificate, version);
    auto server = std::make_unique<TlsLayer>(*context);
    const Talk talk = exchange(client, *server);
    CHECK((talk.end == TlsLayer::End::kFault) == !server->fault().empty());
    return server;
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    options.clients = ClientCertificates::kRequired;
    const auto in = talk_with(&known, version);
    REQUIRE(in->client_names());
    CHECK(in->client_names()->subject ==
          "CN=n\xc3\xb6"
          "de1,O=Example");
    CHECK(in->client_names()->common_name ==
          "n\xc3\xb6"
          "de1");
    CHECK(in->client_names()->alternative_names ==
          std::vector<std::string>{"node1.example", "ops@example", "urn:node1"});
    CHECK(has(talk_with(nullptr, version)->fault(), "did not return a certificate"));
    CHECK(has(talk_with(&stranger, version)->fault(), "self-signed"));
    options.clients = ClientCertificates::kWished;
    const auto anonymous = talk_with(nullptr, version);
    CHECK(anonymous->fault().empty());
    CHECK_FALSE(anonymous->client_names());
    CHECK(talk_with(&known, version)->client_names());
    CHECK_FALSE(talk_with(&stranger, version)->fault().empty());
  }
}

TEST_CASE("the CN stays among the alternative names if it is one") {
  const TestFolder folder;
  const Certificate made = make_certificate(
      folder.path(), {.name = "node1.example", .alternatives = "DNS:node1.example,DNS:node1"});
  const CertificateNames names = names_in(made.certificate_file);
  CHECK(names.common_name == "node1.example");
  CHECK(names.alternative_names == std::vector<std::string>{"node1.example", "node1"});
}

TEST_CASE("of several CNs the most specific counts, which the subject has first") {
  const TestFolder folder;
  const Certificate made =
      make_certificate(folder.path(), {.name = "node1", .general_name = "Nodes"});
  const CertificateNames names = names_in(made.certificate_file);
  CHECK(names.subject == "CN=node1,O=Example,CN=Nodes");
  CHECK(names.common_name == "node1");
}

}  // namespace
}  // namespace stompbox::net
