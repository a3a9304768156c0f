#include "broker/access/certificate.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

const std::string kSubject = "CN=node1.example.com,OU=Nodes,O=Example";
const std::string kCommonName = "node1.example.com";
const std::vector<std::string> kNames = {"node1", "alias.example.com"};

std::optional<std::string> user_of(CertificateLogin login, const std::vector<std::string>& entries,
                                   const Certificate& certificate = {kSubject, kCommonName,
                                                                     kNames}) {
  const auto map = CertificateMap::make(login, entries);
  REQUIRE(map.has_value());
  return map->user_of(certificate);
}

TEST_CASE("off, nobody is logged in by a certificate") {
  CHECK_FALSE(user_of(CertificateLogin::kOff, {}).has_value());
}

TEST_CASE("without a certificate nobody is logged in") {
  for (const auto login :
       {CertificateLogin::kSubject, CertificateLogin::kCommonName, CertificateLogin::kSan}) {
    CHECK_FALSE(user_of(login, {}, {}).has_value());
    CHECK_FALSE(user_of(login, {"* -> x"}, {}).has_value());
  }
}

TEST_CASE("subject, common name or an alternative name is the user") {
  CHECK(user_of(CertificateLogin::kSubject, {}) == kSubject);
  CHECK(user_of(CertificateLogin::kCommonName, {}) == "node1.example.com");
  CHECK(user_of(CertificateLogin::kSan, {}) == "node1");
  CHECK_FALSE(user_of(CertificateLogin::kSan, {}, {"CN=a", "a", {}}).has_value());
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {}, {"O=a", "", kNames}).has_value());
}

TEST_CASE("an alternative name that is the common name, too, logs in") {
  const std::vector<std::string> names = {kCommonName};
  CHECK(user_of(CertificateLogin::kSan, {}, {kSubject, kCommonName, names}) == kCommonName);
}

TEST_CASE("the first pattern that matches says who the user is") {
  const std::vector<std::string> entries = {"admin.example.com -> root", "*.example.com -> n-*",
                                            "* -> guest"};
  CHECK(user_of(CertificateLogin::kCommonName, entries) == "n-node1");
  CHECK(user_of(CertificateLogin::kCommonName, entries, {"", "admin.example.com", {}}) == "root");
  CHECK(user_of(CertificateLogin::kCommonName, entries, {"", "else", {}}) == "guest");
  CHECK(user_of(CertificateLogin::kSubject, {"CN=*,OU=Nodes,O=Example -> *"}) ==
        "node1.example.com");
}

TEST_CASE("a certificate that no pattern matches logs nobody in") {
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {"*.example.org -> *"}).has_value());
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {".example.com -> x"}).has_value());
}

TEST_CASE("the first alternative name that a pattern matches is taken") {
  CHECK(user_of(CertificateLogin::kSan, {"*.example.com -> *"}) == "alias");
}

TEST_CASE("a star has to stand for something where it is the whole user") {
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {"node1.example.com* -> *"}).has_value());
}

TEST_CASE("a name with control characters logs nobody in") {
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {}, {"", "a\nb", {}}).has_value());
}

TEST_CASE("an entry that is no mapping is refused") {
  for (const char* entry : {"", "x", "x ->", "-> x", "* * -> x", "*.a.* -> x", "a -> *"}) {
    CAPTURE(entry);
    const std::vector<std::string> entries = {entry};
    CHECK_FALSE(CertificateMap::make(CertificateLogin::kCommonName, entries).has_value());
  }
}

}  // namespace
}  // namespace stompbox::access
