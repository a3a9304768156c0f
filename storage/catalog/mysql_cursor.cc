#include "storage/catalog/mysql_cursor.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

namespace stompbox::catalog {
namespace {

// What most texts of these tables fit into; a longer one is fetched in a second step.
constexpr std::size_t kTextBytes = 256;
// A statement with more than this sends its long texts one by one, ahead of it: a single packet is
// limited by the server.
constexpr std::size_t kPacketBytes = 256 * 1024;
constexpr std::size_t kLongTextBytes = 4 * 1024;
constexpr std::size_t kPieceBytes = 512 * 1024;

bool is_integer(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR: return true;
    default: return false;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

MysqlText mysql_text(const std::string& sql) {
  MysqlText text;
  char quote = '\0';
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    text.sql += c;
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '`' || c == '"') {
      quote = c;
    } else if (c == '?') {
      int number = 0;
      while (i + 1 < sql.size() && is_digit(sql[i + 1]))
        number = number * 10 + (sql[++i] - '0');
      assert(number > 0);
      text.numbers.push_back(number);
      text.number_max = std::max(text.number_max, number);
    }
  }
  return text;
}

MysqlCursor::MysqlCursor(MysqlConnection& connection, const std::string& sql)
    : connection_(connection), text_(mysql_text(sql)) {
  prepare();
  if (connection_.failed()) return;
  prepare_parameters();
  prepare_columns();
}

void MysqlCursor::prepare() {
  raw_ = mysql_stmt_init(connection_.raw());
  if (raw_ == nullptr) return connection_.note(kMysqlNoMemory, "");
  if (mysql_stmt_prepare(raw_, text_.sql.data(), text_.sql.size()) != 0) note();
}

void MysqlCursor::prepare_parameters() {
  assert(mysql_stmt_param_count(raw_) == text_.numbers.size());
  values_.resize(static_cast<std::size_t>(text_.number_max));
  parameters_.resize(text_.numbers.size());
  for (std::size_t place = 0; place < parameters_.size(); ++place) {
    parameters_[place].buffer_type = MYSQL_TYPE_NULL;
    values_[static_cast<std::size_t>(text_.numbers[place]) - 1].places.push_back(place);
  }
}

MysqlCursor::~MysqlCursor() {
  if (raw_ != nullptr) mysql_stmt_close(raw_);
}

void MysqlCursor::note() {
  connection_.note(mysql_stmt_errno(raw_), mysql_stmt_error(raw_));
}

void MysqlCursor::bind(int index, std::int64_t value) {
  Value& at = values_.at(static_cast<std::size_t>(index) - 1);
  at.integer = value;
  for (const std::size_t place : at.places) {
    parameters_[place].buffer_type = MYSQL_TYPE_LONGLONG;
    parameters_[place].buffer = &at.integer;
  }
}

void MysqlCursor::bind(int index, std::string_view text) {
  static char empty = '\0';
  Value& at = values_.at(static_cast<std::size_t>(index) - 1);
  at.bytes = text.size();
  for (const std::size_t place : at.places) {
    MYSQL_BIND& parameter = parameters_[place];
    parameter.buffer_type = MYSQL_TYPE_STRING;
    // The library only reads it.
    parameter.buffer = text.empty() ? &empty : const_cast<char*>(text.data());
    parameter.buffer_length = text.size();
    parameter.length = &at.bytes;
  }
}

void MysqlCursor::bind_null(int index) {
  for (const std::size_t place : values_.at(static_cast<std::size_t>(index) - 1).places)
    parameters_[place].buffer_type = MYSQL_TYPE_NULL;
}

bool MysqlCursor::step() {
  if (!executed_ && !execute()) return false;
  if (!columns_.empty() && fetch()) return true;
  reset();
  return false;
}

bool MysqlCursor::execute() {
  if (raw_ == nullptr) prepare();
  if (connection_.failed()) return false;
  if (!parameters_.empty() && mysql_stmt_bind_param(raw_, parameters_.data()) != 0) {
    note();
    return false;
  }
  send_long_texts();
  if (connection_.failed()) return false;
  if (mysql_stmt_execute(raw_) != 0) {
    note();
    return false;
  }
  executed_ = true;
  if (columns_.empty()) {
    connection_.set_inserted_id(mysql_stmt_insert_id(raw_));
    return true;
  }
  if (columns_moved_) bind_columns();
  store_result();
  return !connection_.failed();
}

// A lock that is not had, or a deadlock, may end a result in the middle of its rows. The library
// then waits for the rest of them when the statement is run again, which never comes: the statement
// is done for.
void MysqlCursor::store_result() {
  if (!connection_.failed() && mysql_stmt_store_result(raw_) != 0) note();
  if (!connection_.failed()) return;
  mysql_stmt_close(std::exchange(raw_, nullptr));
  executed_ = false;
  columns_moved_ = true;
}

void MysqlCursor::send_long_texts() {
  std::size_t bytes = 0;
  for (const MYSQL_BIND& parameter : parameters_)
    bytes += parameter.buffer_type == MYSQL_TYPE_STRING ? *parameter.length : 16;
  if (bytes <= kPacketBytes) return;
  for (unsigned place = 0; place < parameters_.size(); ++place) {
    const MYSQL_BIND& parameter = parameters_[place];
    if (parameter.buffer_type != MYSQL_TYPE_STRING || *parameter.length < kLongTextBytes) continue;
    const std::string_view text(static_cast<const char*>(parameter.buffer), *parameter.length);
    for (std::size_t at = 0; at < text.size(); at += kPieceBytes) {
      const std::string_view piece = text.substr(at, kPieceBytes);
      if (mysql_stmt_send_long_data(raw_, place, piece.data(), piece.size()) != 0) return note();
    }
  }
}

void MysqlCursor::prepare_columns() {
  MYSQL_RES* const metadata = mysql_stmt_result_metadata(raw_);
  if (metadata == nullptr) return;
  columns_.resize(mysql_num_fields(metadata));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto index = static_cast<unsigned>(i);
    columns_[i].is_integer = is_integer(mysql_fetch_field_direct(metadata, index)->type);
    if (!columns_[i].is_integer) columns_[i].text.resize(kTextBytes);
  }
  mysql_free_result(metadata);
}

void MysqlCursor::bind_columns() {
  results_.assign(columns_.size(), MYSQL_BIND{});
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    MYSQL_BIND& result = results_[i];
    result.is_null = &column.is_null;
    result.length = &column.bytes;
    if (column.is_integer) {
      result.buffer_type = MYSQL_TYPE_LONGLONG;
      result.buffer = &column.integer;
    } else {
      result.buffer_type = MYSQL_TYPE_STRING;
      result.buffer = column.text.data();
      result.buffer_length = column.text.size();
    }
  }
  if (mysql_stmt_bind_result(raw_, results_.data()) != 0) note();
  columns_moved_ = false;
}

bool MysqlCursor::fetch() {
  if (columns_moved_) bind_columns();
  const int result = connection_.failed() ? 1 : mysql_stmt_fetch(raw_);
  if (result == MYSQL_NO_DATA) return false;
  if (result != 0 && result != MYSQL_DATA_TRUNCATED) {
    if (!connection_.failed()) note();
    return false;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const bool whole = column.is_integer || column.is_null != 0;
    if (!whole && column.bytes > column.text.size()) fetch_rest(column, static_cast<unsigned>(i));
  }
  return !connection_.failed();
}

void MysqlCursor::fetch_rest(Column& column, unsigned index) {
  column.text.resize(std::max<std::size_t>(column.bytes, 2 * column.text.size()));
  columns_moved_ = true;
  MYSQL_BIND whole{};
  whole.buffer_type = MYSQL_TYPE_STRING;
  whole.buffer = column.text.data();
  whole.buffer_length = column.text.size();
  whole.length = &column.bytes;
  whole.is_null = &column.is_null;
  if (mysql_stmt_fetch_column(raw_, &whole, index, 0) != 0) note();
}

void MysqlCursor::reset() {
  if (!std::exchange(executed_, false)) return;
  if (!columns_.empty()) mysql_stmt_free_result(raw_);
}

bool MysqlCursor::is_null(int column) const {
  return columns_.at(static_cast<std::size_t>(column)).is_null != 0;
}

std::int64_t MysqlCursor::integer(int index) const {
  const Column& column = columns_.at(static_cast<std::size_t>(index));
  if (column.is_null != 0) return 0;
  if (column.is_integer) return column.integer;
  std::int64_t value = 0;
  const std::string_view digits = text(index);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string_view MysqlCursor::text(int index) const {
  const Column& column = columns_.at(static_cast<std::size_t>(index));
  if (column.is_null != 0) return {};
  if (!column.is_integer) return {column.text.data(), column.bytes};
  char* const begin = column.digits.data();
  const auto end = std::to_chars(begin, begin + column.digits.size(), column.integer);
  return {begin, static_cast<std::size_t>(end.ptr - begin)};
}

}  // namespace stompbox::catalog
