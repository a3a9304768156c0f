#include "storage/catalog/catalog_place.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::catalog {
namespace {

MysqlOptions mysql(const std::string& text, const MysqlOptions& defaults = {}) {
  CatalogPlace place;
  place.mysql = defaults;
  const auto parsed = parse_catalog_place(text, place);
  REQUIRE(parsed.has_value());
  CHECK(parsed->kind == PlaceKind::kMysql);
  return parsed->mysql;
}

std::string complaint(const std::string& text) {
  const auto parsed = parse_catalog_place(text, {});
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().code == storage::ErrorCode::kInvalid);
  return parsed.error().text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a store is a file of SQLite, a database of MySQL, or none") {
  CHECK(parse_catalog_place("none", {})->kind == PlaceKind::kNone);
  const auto sqlite = parse_catalog_place("sqlite:/var/db", {});
  CHECK(sqlite->kind == PlaceKind::kSqlite);
  CHECK(sqlite->sqlite.path == "/var/db");
  CHECK(writers_max(*sqlite) == 1);
  CHECK(writers_max(*parse_catalog_place("mysql://h/db", {})) > 1);
  for (const char* text : {"", "sqlite:", "mysql:x", "postgresql://h/db", "/var/db"}) {
    CAPTURE(text);
    CHECK(has(complaint(text), "mysql://USER@HOST:PORT/DATABASE"));
  }
}

TEST_CASE("an address of MySQL names user, host, port and database") {
  const auto all = mysql("mysql://queue@db.example.com:3307/storeconfigs");
  CHECK(all.user == "queue");
  CHECK(all.host == "db.example.com");
  CHECK(all.port == 3307);
  CHECK(all.database == "storeconfigs");
  CHECK(mysql("mariadb://u@h/d").user == "u");
  CHECK(mysql("mysql://u@[2001:db8::1]:3307/d").host == "2001:db8::1");
  CHECK(mysql("mysql://u@[::1]/d").port == 3306);
  CHECK(mysql("mysql://a%40b@h/d%2Fe").user == "a@b");
  CHECK(mysql("mysql://a%40b@h/d%2Fe").database == "d/e");
}

TEST_CASE("what an address does not say is as the options have it") {
  MysqlOptions defaults;
  defaults.user = "queue";
  defaults.host = "db";
  defaults.password_file = "/etc/password";
  const auto made = mysql("mysql:///storeconfigs", defaults);
  CHECK(made.user == "queue");
  CHECK(made.host == "db");
  CHECK(made.database == "storeconfigs");
  CHECK(made.password_file == "/etc/password");
  CHECK(mysql("mysql://", defaults).database == "puppet");
}

TEST_CASE("a port with localhost is meant: the address is that of TCP") {
  CHECK(mysql("mysql://u@localhost/d").host == "localhost");
  CHECK(mysql("mysql://u@localhost:3307/d").host == "127.0.0.1");
}

TEST_CASE("settings follow a question mark") {
  const auto made = mysql(
      "mysql://u@/d?socket=/run/my.sock&tls=required&charset=latin1&tls_ca=/ca&tls_certificate=/c"
      "&tls_key=/k&password_file=/p");
  CHECK(made.socket == "/run/my.sock");
  CHECK(made.tls == MysqlOptions::Tls::kRequired);
  CHECK(made.charset == "latin1");
  CHECK(made.tls_ca == "/ca");
  CHECK(made.tls_certificate == "/c");
  CHECK(made.tls_key == "/k");
  CHECK(made.password_file == "/p");
  CHECK(mysql("mysql://h/d?tls=off").tls == MysqlOptions::Tls::kOff);
  CHECK(mysql("mysql://h/d?tls=preferred").tls == MysqlOptions::Tls::kPreferred);
}

TEST_CASE("a wrong address is told with what is right") {
  CHECK(has(complaint("mysql://h:0/d"), "port between 1 and 65535"));
  CHECK(has(complaint("mysql://h:65536/d"), "port between 1 and 65535"));
  CHECK(has(complaint("mysql://h:x/d"), "port between 1 and 65535"));
  CHECK(has(complaint("mysql://[::1/d"), "a ["));
  CHECK(has(complaint("mysql://h/d?tls=maybe"), "off, preferred or required"));
  CHECK(has(complaint("mysql://h/d?charset=koi8"), "auto, utf8mb4, utf8 or latin1"));
  CHECK(has(complaint("mysql://h/d?sock=/x"), "unknown setting 'sock'"));
}

TEST_CASE("a password in an address is refused, and not repeated") {
  const std::string text = complaint("mysql://u:s3cret@h/d");
  CHECK_FALSE(has(text, "s3cret"));
  CHECK(has(text, "--catalog-password-file"));
  CHECK(has(text, "STOMPBOX_MYSQL_PASSWORD"));
}

TEST_CASE("a place is told without what is secret") {
  const auto text_of = [](const std::string& text) {
    return to_text(*parse_catalog_place(text, {}));
  };
  CHECK(text_of("none") == "none");
  CHECK(text_of("sqlite:/var/db") == "sqlite:/var/db");
  CHECK(text_of("mysql://u@h:3307/d?password_file=/p") == "mysql://u@h:3307/d");
  CHECK(text_of("mysql://u@/d?socket=/s") == "mysql://u@/d?socket=/s");
}

}  // namespace stompbox::catalog
