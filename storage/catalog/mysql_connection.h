#pragma once

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/catalog/mysql_errors.h"
#include "storage/catalog/mysql_options.h"
#include "storage/catalog/sql.h"
#include "storage/result.h"

namespace stompbox::catalog {

// What a connection's server said of itself when it was opened.
struct MysqlServer {
  std::string version;               // "10.11.6-MariaDB …"
  bool is_cluster = false;           // Galera
  bool binlog_statements = false;    // binlog_format=STATEMENT
  bool flushes_each_commit = false;  // innodb_flush_log_at_trx_commit=1
  std::int64_t id_step = 1;          // auto_increment_increment
  std::size_t packet_bytes_max = 0;  // max_allowed_packet
  bool tls = false;
};

// One connection to a MySQL or MariaDB server, with the settings that our transactions need.
// A connection that was lost stays lost: its owner makes a new one. Single-threaded.
class MysqlConnection final : public SqlConnection {
 public:
  // Speaks utf8mb4 at first. Errors: those of the table in mysql_errors; kInvalid, kNotFound or
  // kDenied for the file of the password.
  [[nodiscard]] static storage::Result<std::unique_ptr<MysqlConnection>> open(
      const MysqlOptions& options);
  ~MysqlConnection() override;
  MysqlConnection(const MysqlConnection&) = delete;
  MysqlConnection& operator=(const MysqlConnection&) = delete;

  const SqlDialect& dialect() const override;
  std::unique_ptr<SqlCursor> prepare(const std::string& sql) override;
  void run(const std::string& sql) override;
  bool failed() const override { return failure_ != 0; }
  storage::Error error() const override;
  void clear_failure() override;
  bool in_transaction() const override;
  InsertedIds inserted_ids(std::size_t rows) const override;

  [[nodiscard]] unsigned failure() const { return failure_; }
  [[nodiscard]] MysqlBlame blame() const { return mysql_error_row(failure_, detail_).blame; }
  void note(unsigned code, std::string_view detail);  // keeps the first failure
  // Whatever the state; what it fails with is of no interest.
  void roll_back();

  // What bytes of texts mean from now on: "utf8mb4", "utf8" or "latin1".
  void speak(const std::string& charset);
  // A cluster changes its step when a node comes or goes; in a transaction that makes ids it has to
  // be the same at both ends. False: it was another one before.
  [[nodiscard]] bool look_at_id_step();

  [[nodiscard]] const MysqlServer& server() const { return server_; }
  // USER@HOST/DATABASE, for people.
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] MYSQL* raw() { return raw_; }
  void set_inserted_id(std::uint64_t id) { inserted_id_ = static_cast<std::int64_t>(id); }

 private:
  explicit MysqlConnection(std::string place);

  [[nodiscard]] bool connect(const MysqlOptions& options, const std::string& password, bool tls);
  void set_tls(const MysqlOptions& options, bool tls);
  void set_session(const MysqlOptions& options);
  void ask_server();

  MYSQL* raw_ = nullptr;
  const std::string place_;
  MysqlServer server_;
  std::int64_t inserted_id_ = 0;
  unsigned failure_ = 0;  // an error number; 0: none
  std::string detail_;
};

// USER@HOST:PORT/DATABASE or USER@SOCKET/DATABASE.
[[nodiscard]] std::string place_of(const MysqlOptions& options);

}  // namespace stompbox::catalog
