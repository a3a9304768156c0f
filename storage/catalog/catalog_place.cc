#include "storage/catalog/catalog_place.h"

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/catalog/mysql_open.h"
#include "storage/catalog/sqlite_open.h"
#include "storage/catalog/table_reader.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

constexpr std::string_view kForms =
    "it is sqlite:FILE, mysql://USER@HOST:PORT/DATABASE?socket=…&tls=…&charset=… or none";

// Each has a connection and a memory of the names of its own.
constexpr unsigned kMysqlWritersMax = 8;

Error invalid(std::string_view text, const std::string& why) {
  return {ErrorCode::kInvalid, "the catalog store '" + std::string(text) + "' " + why};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %41 is A; a percent sign that starts nothing is itself.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool room = text[i] == '%' && i + 2 < text.size();
    const int high = room ? hex_digit(text[i + 1]) : -1;
    const int low = room ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      result += text[i];
    } else {
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

// What stands before the first `mark`, which goes with it; all of it where there is none.
std::string_view take(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return front;
}

std::optional<std::string> read_host(std::string_view text, MysqlOptions& mysql) {
  std::string_view host = text, port;
  if (text.starts_with('[')) {  // an address of IPv6
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return "has a [ without a ]";
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return "has no port after its address";
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!host.empty()) mysql.host = decoded(host);
  if (port.empty()) return std::nullopt;
  port.remove_prefix(1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), mysql.port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || mysql.port == 0) {
    return "has no port between 1 and 65535 after its host";
  }
  // The library would take the server's own socket for this name, and pass the port over.
  if (mysql.host == "localhost") mysql.host = "127.0.0.1";
  return std::nullopt;
}

std::optional<std::string> read_tls(const std::string& value, MysqlOptions& mysql) {
  if (value == "off") {
    mysql.tls = MysqlOptions::Tls::kOff;
  } else if (value == "preferred") {
    mysql.tls = MysqlOptions::Tls::kPreferred;
  } else if (value == "required") {
    mysql.tls = MysqlOptions::Tls::kRequired;
  } else {
    return "has tls=" + value + ": it is off, preferred or required";
  }
  return std::nullopt;
}

std::optional<std::string> read_charset(const std::string& value, MysqlOptions& mysql) {
  if (value != "auto" && value != "utf8mb4" && value != "utf8" && value != "latin1") {
    return "has charset=" + value + ": it is auto, utf8mb4, utf8 or latin1";
  }
  mysql.charset = value;
  return std::nullopt;
}

std::optional<std::string> read_setting(std::string_view key, const std::string& value,
                                        MysqlOptions& mysql) {
  if (key == "tls") return read_tls(value, mysql);
  if (key == "charset") return read_charset(value, mysql);
  struct Text {
    std::string_view key;
    std::string MysqlOptions::*member;
  };
  constexpr Text kTexts[] = {{"socket", &MysqlOptions::socket},
                             {"password_file", &MysqlOptions::password_file},
                             {"tls_ca", &MysqlOptions::tls_ca},
                             {"tls_certificate", &MysqlOptions::tls_certificate},
                             {"tls_key", &MysqlOptions::tls_key}};
  for (const Text& text : kTexts) {
    if (text.key != key) continue;
    mysql.*text.member = value;
    return std::nullopt;
  }
  return "has the unknown setting '" + std::string(key) +
         "': they are socket, tls, tls_ca, tls_certificate, tls_key, charset and password_file";
}

// What is wrong with it, if anything; `rest` is what follows the scheme.
std::optional<std::string> read_mysql(std::string_view rest, MysqlOptions& mysql) {
  std::string_view query = rest;
  std::string_view path = take(query, '?');
  std::string_view authority = take(path, '/');
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
      return "has a password in it, which everybody may see who lists processes: put it into the "
             "first line of a file (--catalog-password-file) or into the variable "
             "STOMPBOX_MYSQL_PASSWORD";
    }
    if (!user.empty()) mysql.user = decoded(user);
    authority.remove_prefix(at + 1);
  }
  if (auto mistake = read_host(authority, mysql)) return mistake;
  if (!path.empty()) mysql.database = decoded(path);
  while (!query.empty()) {
    std::string_view value = take(query, '&');
    const std::string_view key = take(value, '=');
    if (auto mistake = read_setting(key, decoded(value), mysql)) return mistake;
  }
  return std::nullopt;
}

}  // namespace

Result<CatalogPlace> parse_catalog_place(std::string_view text, const CatalogPlace& defaults) {
  CatalogPlace place = defaults;
  constexpr std::string_view kSqlite = "sqlite:";
  if (text == "none") {
    place.kind = PlaceKind::kNone;
    return place;
  }
  if (text.starts_with(kSqlite) && text.size() > kSqlite.size()) {
    place.kind = PlaceKind::kSqlite;
    place.sqlite.path = text.substr(kSqlite.size());
    return place;
  }
  for (const std::string_view scheme : {"mysql://", "mariadb://"}) {
    if (!text.starts_with(scheme)) continue;
    place.kind = PlaceKind::kMysql;
    if (const auto mistake = read_mysql(text.substr(scheme.size()), place.mysql)) {
      // Not the text itself: it may have a password in it.
      return Error{ErrorCode::kInvalid,
                   "the catalog store " + std::string(scheme) + "… " + *mistake};
    }
    return place;
  }
  return invalid(text, "is none: " + std::string(kForms));
}

std::string to_text(const CatalogPlace& place) {
  switch (place.kind) {
    case PlaceKind::kNone: return "none";
    case PlaceKind::kSqlite: return "sqlite:" + place.sqlite.path;
    case PlaceKind::kMysql: break;
  }
  const MysqlOptions& mysql = place.mysql;
  std::string text = "mysql://" + mysql.user + "@";
  if (mysql.socket.empty()) text += mysql.host + ":" + std::to_string(mysql.port);
  text += "/" + mysql.database;
  return mysql.socket.empty() ? text : text + "?socket=" + mysql.socket;
}

unsigned writers_max(const CatalogPlace& place) {
  return place.kind == PlaceKind::kMysql ? kMysqlWritersMax : 1;
}

std::unique_ptr<CatalogStore> make_catalog_store(const CatalogPlace& place) {
  if (place.kind == PlaceKind::kMysql) return make_mysql_store(place.mysql);
  return make_sqlite_store(place.sqlite);
}

Result<std::unique_ptr<CatalogReader>> open_catalog_reader(const CatalogPlace& place) {
  auto connection = open_catalog_connection(place, ConnectionUse::kRead);
  if (!connection) return connection.error();
  return std::unique_ptr<CatalogReader>(std::make_unique<TableReader>(std::move(*connection)));
}

Result<std::unique_ptr<SqlConnection>> open_catalog_connection(const CatalogPlace& place,
                                                               ConnectionUse use) {
  switch (place.kind) {
    case PlaceKind::kNone: break;
    case PlaceKind::kSqlite:
      return open_sqlite_connection(
          place.sqlite, use == ConnectionUse::kRead ? SqliteUse::kRead : SqliteUse::kWrite);
    case PlaceKind::kMysql:
      return open_mysql_connection(
          place.mysql, use == ConnectionUse::kRead ? MysqlUse::kRead : MysqlUse::kWrite);
  }
  return Error{ErrorCode::kNotFound, "there is no catalog store: " + std::string(kForms)};
}

}  // namespace stompbox::catalog
