#include "broker/access/certificate.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

const std::string kSubject = "CN=node1.example.com,OU=Nodes,O=Example";
const std::vector<std::string> kNames = {"node1.example.com", "node1", "alias.example.com"};

std::optional<std::string> user_of(CertificateLogin login, const std::vector<std::string>& entries,
                                   const std::string& subject = kSubject,
                                   const std::vector<std::string>& names = kNames) {
  const auto map = CertificateMap::make(login, entries);
  REQUIRE(map.has_value());
  return map->user_of({subject, names});
}

TEST_CASE("the common name is read from the subject with its escapes undone") {
  CHECK(common_name("CN=a,O=b") == "a");
  CHECK(common_name("OU=x,CN=a") == "a");
  CHECK(common_name("UID=1+CN=a,O=b") == "a");
  CHECK(common_name("CN=a\\, b\\+c,O=d") == "a, b+c");
  CHECK(common_name("CN=\\C3\\A9,O=d") == "\xc3\xa9");
  CHECK(common_name("O=CN\\=x,OU=y").empty());
  CHECK(common_name("O=x\\,CN=evil").empty());
  CHECK(common_name("").empty());
  CHECK(common_name("CN=a\\") == "a\\");
}

TEST_CASE("off, nobody is logged in by a certificate") {
  CHECK_FALSE(user_of(CertificateLogin::kOff, {}).has_value());
}

TEST_CASE("without a certificate nobody is logged in") {
  for (const auto login :
       {CertificateLogin::kSubject, CertificateLogin::kCommonName, CertificateLogin::kSan}) {
    CHECK_FALSE(user_of(login, {}, "", {}).has_value());
    CHECK_FALSE(user_of(login, {"* -> x"}, "", {}).has_value());
  }
}

TEST_CASE("subject, common name or an alternative name is the user") {
  CHECK(user_of(CertificateLogin::kSubject, {}) == kSubject);
  CHECK(user_of(CertificateLogin::kCommonName, {}) == "node1.example.com");
  CHECK(user_of(CertificateLogin::kSan, {}) == "node1");
  CHECK_FALSE(user_of(CertificateLogin::kSan, {}, "CN=a", {"a"}).has_value());
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {}, "O=a", {"alias"}).has_value());
}

TEST_CASE("the first pattern that matches says who the user is") {
  const std::vector<std::string> entries = {"admin.example.com -> root", "*.example.com -> n-*",
                                            "* -> guest"};
  CHECK(user_of(CertificateLogin::kCommonName, entries) == "n-node1");
  CHECK(user_of(CertificateLogin::kCommonName, entries, "CN=admin.example.com", {}) == "root");
  CHECK(user_of(CertificateLogin::kCommonName, entries, "CN=else", {}) == "guest");
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
  CHECK_FALSE(user_of(CertificateLogin::kCommonName, {}, "CN=a\\0Ab", {}).has_value());
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
