// The way to the server: password, TLS, character set.

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "storage/catalog/mysql_connection.h"
#include "tests/support/test_folder.h"
#include "tests/unit/catalog/mysql_support.h"

namespace stompbox::catalog {
namespace {

using Tls = MysqlOptions::Tls;

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  REQUIRE(file.good());
}

void openssl(const std::string& arguments) {
  REQUIRE(std::system(("openssl " + arguments + " >/dev/null 2>&1").c_str()) == 0);
}

// An authority, and a certificate of the server for 127.0.0.1.
class Certificates {
 public:
  Certificates() {
    authority("ca");
    authority("stranger");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=db -keyout " + file("key") + " -out " +
            file("csr"));
    write(file("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl("x509 -req -in " + file("csr") + " -CA " + file("ca") + " -CAkey " + file("ca.key") +
            " -CAcreateserial -days 2 -extfile " + file("ext") + " -out " + file("certificate"));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  void authority(const std::string& name) {
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + name + " -keyout " +
            file(name + ".key") + " -out " + file(name));
  }
  const support::TestFolder folder_;
};

storage::Result<std::unique_ptr<MysqlConnection>> connect(const MysqlOptions& options) {
  return MysqlConnection::open(options);
}

}  // namespace

TEST_CASE("the password comes from the first line of a file, or from the environment") {
  TestDatabase db;
  const support::TestFolder folder;
  db.other.run("CREATE USER queue IDENTIFIED BY 's3cret'; GRANT ALL ON " + db.name() +
               ".* TO queue");
  auto options = db.place().mysql;
  options.user = "queue";
  write(folder.file("right"), "s3cret\nand a second line\n");
  write(folder.file("windows"), "s3cret\r\n");
  write(folder.file("wrong"), "secret\n");
  write(folder.file("empty"), "\n");
  for (const char* name : {"right", "windows"}) {
    options.password_file = folder.file(name);
    CHECK(connect(options).has_value());
  }
  options.password_file = folder.file("wrong");
  const auto wrong = connect(options);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == storage::ErrorCode::kDenied);
  CHECK(wrong.error().text.find("s3cret") == std::string::npos);
  options.password_file = folder.file("empty");
  CHECK(connect(options).error().code == storage::ErrorCode::kInvalid);
  options.password_file = folder.file("none");
  CHECK(connect(options).error().code == storage::ErrorCode::kDenied);

  options.password_file.clear();
  CHECK_FALSE(connect(options).has_value());
  ::setenv("STOMPBOX_MYSQL_PASSWORD", "s3cret", 1);
  CHECK(connect(options).has_value());
  ::unsetenv("STOMPBOX_MYSQL_PASSWORD");
  db.other.run("DROP USER queue");
}

TEST_CASE("TLS: required means checked, preferred takes what there is, off takes none") {
  const Certificates certificates;
  const std::uint16_t port = support::free_port();
  const support::MariadbServer server(
      {"--port=" + std::to_string(port), "--ssl-cert=" + certificates.file("certificate"),
       "--ssl-key=" + certificates.file("key"), "--ssl-ca=" + certificates.file("ca")});
  support::MariadbClient(server, "")
      .run(
          "CREATE DATABASE puppet; CREATE USER puppet@'127.0.0.1'; GRANT ALL ON puppet.* TO"
          " puppet@'127.0.0.1'");
  MysqlOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  options.tls = Tls::kRequired;
  options.tls_ca = certificates.file("ca");
  const auto required = connect(options);
  REQUIRE_MESSAGE(required.has_value(), required.error().text);
  CHECK((*required)->server().tls);

  options.tls_ca = certificates.file("stranger");
  const auto stranger = connect(options);
  REQUIRE_FALSE(stranger.has_value());
  CHECK(stranger.error().text.find("TLS") != std::string::npos);
  options.tls_ca.clear();
  CHECK_FALSE(connect(options).has_value());

  options.tls = Tls::kPreferred;
  const auto preferred = connect(options);
  REQUIRE_MESSAGE(preferred.has_value(), preferred.error().text);
  CHECK((*preferred)->server().tls);
  options.tls = Tls::kOff;
  const auto off = connect(options);
  REQUIRE(off.has_value());
  CHECK_FALSE((*off)->server().tls);
}

TEST_CASE("TLS: a server without it is refused when it is required, taken when preferred") {
  const std::uint16_t port = support::free_port();
  const support::MariadbServer server({"--port=" + std::to_string(port), "--skip-ssl"});
  support::MariadbClient(server, "")
      .run(
          "CREATE DATABASE puppet; CREATE USER puppet@'127.0.0.1'; GRANT ALL ON puppet.* TO"
          " puppet@'127.0.0.1'");
  MysqlOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  options.tls = Tls::kRequired;
  const auto required = connect(options);
  REQUIRE_FALSE(required.has_value());
  CHECK(required.error().code == storage::ErrorCode::kDenied);
  options.tls = Tls::kPreferred;
  const auto preferred = connect(options);
  REQUIRE_MESSAGE(preferred.has_value(), preferred.error().text);
  CHECK_FALSE((*preferred)->server().tls);
}

TEST_CASE("a binary log of statements gets what it can take, and every save is stored") {
  const support::MariadbServer server({"--log-bin", "--binlog-format=STATEMENT"});
  support::MariadbClient(server, "").run("CREATE DATABASE puppet");
  CatalogPlace place;
  place.kind = PlaceKind::kMysql;
  place.mysql.user = "root";
  place.mysql.socket = server.socket();
  const auto connection = connect(place.mysql);
  REQUIRE(connection.has_value());
  CHECK((*connection)->server().binlog_statements);
  const auto store = make_catalog_store(place);
  for (const SaveStatus status : {SaveStatus::kStored, SaveStatus::kUnchanged}) {
    for (const auto& outcome :
         save(*store, {catalog_of("b", "/b", "x"), catalog_of("a", "/a", "x")})) {
      CHECK(outcome.error.text == "");
      CHECK(outcome.status == status);
    }
  }
}

TEST_CASE(
    "rule 18: tables declared latin1 keep the very bytes, as old masters write and read them") {
  TestDatabase db("CHARACTER SET latin1");
  db.make_tables();
  const std::string value = "caf\xC3\xA9 \xF0\x9F\x90\x98";
  CHECK(save(*db.store(), catalog_of("a", "/\xC3\xA9", value)).status == SaveStatus::kStored);
  support::MariadbClient old_master(test_server(), db.name(), "latin1");
  CHECK(old_master.cell("SELECT value FROM param_values") == value);
  CHECK(old_master.cell("SELECT title FROM resources") == "/\xC3\xA9");
  CHECK(save(*db.store(), catalog_of("a", "/\xC3\xA9", value)).status == SaveStatus::kUnchanged);
}

TEST_CASE("rule 18: masters that speak utf8 to latin1 tables read characters, if we are told so") {
  TestDatabase db("CHARACTER SET latin1");
  db.make_tables();
  auto place = db.place();
  place.mysql.charset = "utf8";
  const auto store = make_catalog_store(place);
  CHECK(save(*store, catalog_of("a", "/a", "caf\xC3\xA9")).status == SaveStatus::kStored);
  support::MariadbClient master(test_server(), db.name(), "utf8");
  CHECK(master.cell("SELECT value FROM param_values") == "caf\xC3\xA9");
  CHECK(master.cell("SELECT hex(value) FROM param_values") == "636166E9");
  CHECK(save(*store, catalog_of("a", "/a", "caf\xC3\xA9")).status == SaveStatus::kUnchanged);
  // What latin1 does not have is refused by the server, never cut.
  const auto refused = save(*store, catalog_of("a", "/a", "\xCE\xB1"));
  CHECK(refused.status == SaveStatus::kPermanent);
  CHECK(master.cell("SELECT value FROM param_values") == "caf\xC3\xA9");
}

TEST_CASE("rule 18: four bytes fit tables of utf8mb4; those of utf8 refuse them clearly") {
  const std::string elephant = "\xF0\x9F\x90\x98";
  TestDatabase wide;
  CHECK(save(*wide.store(), catalog_of("a", "/a", elephant)).status == SaveStatus::kStored);
  CHECK(wide.other.cell("SELECT value FROM param_values") == elephant);

  TestDatabase narrow("CHARACTER SET utf8mb3");
  narrow.make_tables();
  const auto store = narrow.store();
  const auto refused = save(*store, catalog_of("a", "/a", elephant));
  CHECK(refused.status == SaveStatus::kPermanent);
  CHECK(refused.error.text.find("four bytes") != std::string::npos);
  CHECK(save(*store, catalog_of("a", "/a", "\xE2\x82\xAC")).status == SaveStatus::kStored);
  CHECK(narrow.other.cell("SELECT value FROM param_values") == "\xE2\x82\xAC");
}

TEST_CASE(
    "rule 18: tables of utf8 take what is replaced, if we are told so, and the log hears it") {
  TestDatabase db("CHARACTER SET utf8mb3");
  db.make_tables();
  auto place = db.place();
  place.mysql.four_bytes = MysqlOptions::FourBytes::kReplace;
  const auto store = make_catalog_store(place);
  const auto catalog = catalog_of("a", "/a", "an \xF0\x9F\x90\x98");
  const auto plain = catalog_of("b", "/b", "caf\xC3\xA9");
  const auto stored = save(*store, std::vector{plain, catalog});
  CHECK(stored[0].warnings.empty());
  CHECK(stored[1].status == SaveStatus::kStored);
  REQUIRE(stored[1].warnings.size() == 1);
  CHECK(stored[1].warnings[0].starts_with("U+FFFD stands for 1 characters of four bytes of a"));
  CHECK(db.other.cell("SELECT v.value FROM param_values v JOIN resources r ON r.id = v.resource_id"
                      " WHERE r.title = '/a'") == "an \xEF\xBF\xBD");
  CHECK(save(*store, catalog).status == SaveStatus::kUnchanged);

  NodeFacts facts;
  facts.node = "a";
  facts.facts = {{"motd", {"\xF0\x9F\x90\x98"}}};
  CHECK(store->save_facts(std::vector<FactsSave>{{&facts, {}}}).at(0).status ==
        SaveStatus::kStored);
  CHECK(db.other.cell("SELECT value FROM fact_values") == "\xEF\xBF\xBD");
}

TEST_CASE("rule 18: an outline is replaced when it is read whole") {
  TestDatabase db("CHARACTER SET utf8mb3");
  db.make_tables();
  auto place = db.place();
  place.mysql.four_bytes = MysqlOptions::FourBytes::kReplace;
  const auto store = make_catalog_store(place);
  Catalog outline;
  outline.node = "a";
  outline.digest = "sixteen bytes...";
  int reads = 0;
  const auto read_whole = [&reads]() -> storage::Result<Catalog> {
    ++reads;
    Catalog whole = catalog_of("a", "/a", "\xF0\x9F\x90\x98");
    whole.digest = "sixteen bytes...";
    return whole;
  };
  const std::vector<CatalogSave> saves{{&outline, {}, 0, read_whole}};
  const auto first = store->save(saves);
  CHECK(first.at(0).status == SaveStatus::kStored);
  CHECK(first.at(0).warnings.size() == 1);
  CHECK(db.other.cell("SELECT value FROM param_values") == "\xEF\xBF\xBD");
  CHECK(store->save(saves).at(0).status == SaveStatus::kUnchanged);
  CHECK(reads == 1);
}

TEST_CASE("a name of 255 characters is stored whole, one of 256 is refused") {
  TestDatabase db;
  const auto store = db.store();
  std::string name;
  for (int i = 0; i < 255; ++i)
    name += "\xC3\xA9";
  CHECK(save(*store, catalog_of(name, "/a", "x")).status == SaveStatus::kStored);
  CHECK(db.other.cell("SELECT name FROM hosts") == name);
  CHECK(save(*store, catalog_of(name, "/a", "x")).status == SaveStatus::kUnchanged);
  const auto refused = save(*store, catalog_of(name + "x", "/a", "x"));
  CHECK(refused.status == SaveStatus::kPermanent);
  CHECK(refused.error.text.find("256 characters") != std::string::npos);
}

}  // namespace stompbox::catalog
