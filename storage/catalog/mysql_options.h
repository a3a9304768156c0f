#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace stompbox::catalog {

// A MySQL or MariaDB server, and how its storeconfigs database is used.
struct MysqlOptions {
  std::string host = "localhost";
  std::uint16_t port = 3306;
  std::string socket;  // path; empty: TCP, but the library's own socket where the host is localhost
  std::string user = "puppet";
  std::string password_file;  // first line; empty: the variable STOMPBOX_MYSQL_PASSWORD, else none
  std::string database = "puppet";

  enum class Tls { kOff, kPreferred, kRequired };  // required: the server's certificate is checked
  Tls tls = Tls::kPreferred;
  std::string tls_ca, tls_certificate, tls_key;  // files; empty: the system's, none, none

  // Of the connection (rule 18): what the masters' client library speaks. "utf8mb4", "utf8",
  // "latin1" or "auto": as the columns of the tables are declared.
  std::string charset = "auto";

  // A character of four bytes that a column of three-byte utf8 cannot hold (rule 18).
  enum class FourBytes {
    kRefuse,   // the message is refused
    kReplace,  // U+FFFD stands for it, with a warning; names and titles that become alike are
               // refused
  };
  FourBytes four_bytes = FourBytes::kRefuse;

  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds io_timeout{60'000};   // of one statement
  std::chrono::milliseconds lock_timeout{5'000};  // of a row lock of somebody else
  std::chrono::milliseconds transaction_max{50};  // more catalogs join a transaction up to then
  unsigned attempts_max = 5;                      // after a deadlock or a lock time-out (rule 16)
  std::uint32_t full_compare_every = 48;          // as in SqliteOptions
  bool thin = false;
};

}  // namespace stompbox::catalog
