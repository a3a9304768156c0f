#include "storage/catalog/mysql_connection.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "storage/catalog/mysql_cursor.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

constexpr SqlDialect kDialect = {
    .kind = SqlKind::kMysql,
    .yes = "1",
    .no = "0",
    .on_same_name = " ON DUPLICATE KEY UPDATE ",
    .lock_rows = " FOR UPDATE",
    .no_index = "0 + ",
    .data_version = "",
    .second_digits = 0,
    .rows_max = 128,
    .asked_max = 128,
};

constexpr const char* kPasswordVariable = "STOMPBOX_MYSQL_PASSWORD";

// The library's own start is not safe among threads; a static is.
bool library_is_ready() {
  static const bool ready = mysql_library_init(0, nullptr, nullptr) == 0;
  return ready;
}

Result<std::string> password_of(const MysqlOptions& options) {
  if (options.password_file.empty()) {
    const char* const password = std::getenv(kPasswordVariable);
    return std::string(password == nullptr ? "" : password);
  }
  std::ifstream file(options.password_file);
  std::string line;
  if (!file) {
    return Error{ErrorCode::kDenied, "the file " + options.password_file +
                                         " with the password of the catalog database cannot be "
                                         "read: check its path, owner and mode"};
  }
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) {
    return Error{ErrorCode::kInvalid, "the file " + options.password_file +
                                          " has no password of the catalog database in its first "
                                          "line"};
  }
  return line;
}

unsigned seconds(std::chrono::milliseconds time) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(time).count();
  return static_cast<unsigned>(std::max<std::chrono::seconds::rep>(whole, 1));
}

const char* text_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

std::string place_of(const MysqlOptions& options) {
  std::string text = options.user + "@";
  text +=
      options.socket.empty() ? options.host + ":" + std::to_string(options.port) : options.socket;
  return text + "/" + options.database;
}

MysqlConnection::MysqlConnection(std::string place) : place_(std::move(place)) {}

// Statements that outlive this are only emptied by it.
MysqlConnection::~MysqlConnection() {
  if (raw_ != nullptr) mysql_close(raw_);
}

Result<std::unique_ptr<MysqlConnection>> MysqlConnection::open(const MysqlOptions& options) {
  const Result<std::string> password = password_of(options);
  if (!password) return password.error();
  std::unique_ptr<MysqlConnection> made(new MysqlConnection(place_of(options)));
  // Over a UNIX socket nobody listens.
  const bool tls = options.tls == MysqlOptions::Tls::kRequired ||
                   (options.tls == MysqlOptions::Tls::kPreferred && options.socket.empty());
  if (!library_is_ready()) {
    made->note(kMysqlNoMemory, "");
  } else if (!made->connect(options, *password, tls) && made->failure() == kMysqlTlsFailed &&
             options.tls == MysqlOptions::Tls::kPreferred) {
    made->clear_failure();
    static_cast<void>(made->connect(options, *password, false));
  }
  if (!made->failed()) made->ask_server();
  if (!made->failed()) made->set_session(options);
  if (made->failed()) return made->error();
  return made;
}

bool MysqlConnection::connect(const MysqlOptions& options, const std::string& password, bool tls) {
  if (raw_ != nullptr) mysql_close(raw_);
  raw_ = mysql_init(nullptr);
  if (raw_ == nullptr) {
    note(kMysqlNoMemory, "");
    return false;
  }
  const unsigned connect_timeout = seconds(options.connect_timeout);
  const unsigned io_timeout = seconds(options.io_timeout);
  const my_bool no = 0;
  const unsigned nothing = 0;
  mysql_optionsv(raw_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_optionsv(raw_, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
  mysql_optionsv(raw_, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
  mysql_optionsv(raw_, MYSQL_OPT_RECONNECT, &no);
  mysql_optionsv(raw_, MYSQL_OPT_LOCAL_INFILE, &nothing);  // a server may not ask for our files
  mysql_optionsv(raw_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  set_tls(options, tls);
  const char* const host = options.socket.empty() ? options.host.c_str() : "localhost";
  if (mysql_real_connect(raw_, host, options.user.c_str(), password.c_str(),
                         options.database.c_str(), options.port, text_or_null(options.socket),
                         0) == nullptr) {
    note(mysql_errno(raw_), mysql_error(raw_));
    return false;
  }
  server_.tls = mysql_get_ssl_cipher(raw_) != nullptr;
  return true;
}

void MysqlConnection::set_tls(const MysqlOptions& options, bool tls) {
  const my_bool enforce = tls ? 1 : 0;
  const my_bool verify = tls && options.tls == MysqlOptions::Tls::kRequired ? 1 : 0;
  mysql_optionsv(raw_, MYSQL_OPT_SSL_ENFORCE, &enforce);
  mysql_optionsv(raw_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!tls) return;
  mysql_optionsv(raw_, MYSQL_OPT_SSL_CA, text_or_null(options.tls_ca));
  mysql_optionsv(raw_, MYSQL_OPT_SSL_CERT, text_or_null(options.tls_certificate));
  mysql_optionsv(raw_, MYSQL_OPT_SSL_KEY, text_or_null(options.tls_key));
}

void MysqlConnection::ask_server() {
  server_.version = mysql_get_server_info(raw_);
  SqlStatement variables(*this,
                         "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'log_bin',"
                         " 'binlog_format', 'innodb_flush_log_at_trx_commit',"
                         " 'auto_increment_increment', 'max_allowed_packet')");
  bool has_binlog = false, by_statements = false;
  while (variables.step()) {
    const std::string_view name = variables.text(0);
    const std::string_view value = variables.text(1);
    if (name == "wsrep_on") server_.is_cluster = value == "ON";
    if (name == "log_bin") has_binlog = value == "ON";
    if (name == "binlog_format") by_statements = value == "STATEMENT";
    if (name == "innodb_flush_log_at_trx_commit") server_.flushes_each_commit = value == "1";
    if (name == "auto_increment_increment") server_.id_step = variables.integer(1);
    if (name == "max_allowed_packet") {
      server_.packet_bytes_max = static_cast<std::size_t>(variables.integer(1));
    }
  }
  server_.binlog_statements = has_binlog && by_statements;
}

// READ COMMITTED has no locks on gaps, where two writers wait for each other crosswise; InnoDB
// refuses it when the binary log is one of statements.
void MysqlConnection::set_session(const MysqlOptions& options) {
  run("SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = " +
      std::to_string(seconds(options.lock_timeout)));
  run(server_.binlog_statements ? "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
                                : "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
}

const SqlDialect& MysqlConnection::dialect() const {
  return kDialect;
}

std::unique_ptr<SqlCursor> MysqlConnection::prepare(const std::string& sql) {
  if (failed()) return nullptr;
  auto cursor = std::make_unique<MysqlCursor>(*this, sql);
  if (failed()) return nullptr;
  return cursor;
}

void MysqlConnection::run(const std::string& sql) {
  if (failed()) return;
  if (mysql_real_query(raw_, sql.data(), sql.size()) != 0) {
    return note(mysql_errno(raw_), mysql_error(raw_));
  }
  if (MYSQL_RES* const rows = mysql_store_result(raw_); rows != nullptr) mysql_free_result(rows);
}

Error MysqlConnection::error() const {
  assert(failed());
  return catalog::mysql_error(failure_, place_, detail_);
}

void MysqlConnection::clear_failure() {
  failure_ = 0;
  detail_.clear();
}

bool MysqlConnection::in_transaction() const {
  return (raw_->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

void MysqlConnection::note(unsigned code, std::string_view detail) {
  if (failed()) return;
  failure_ = code == 0 ? kMysqlFailed : code;
  detail_ = detail;
}

void MysqlConnection::roll_back() {
  mysql_rollback(raw_);
}

void MysqlConnection::speak(const std::string& charset) {
  if (failed()) return;
  if (mysql_set_character_set(raw_, charset.c_str()) != 0) {
    note(mysql_errno(raw_), mysql_error(raw_));
  }
}

// An INSERT of which the number of rows is known gets its ids at one go, whatever
// innodb_autoinc_lock_mode says; the library knows the first one.
SqlConnection::InsertedIds MysqlConnection::inserted_ids(std::size_t /*rows*/) const {
  return {inserted_id_, server_.id_step};
}

bool MysqlConnection::look_at_id_step() {
  const std::int64_t before = server_.id_step;
  const std::int64_t step = integer_of(*this, "SELECT @@auto_increment_increment");
  if (!failed()) server_.id_step = step;
  return server_.id_step == before;
}

}  // namespace stompbox::catalog
