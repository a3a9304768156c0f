#include "storage/catalog/sql.h"

#include <utility>

namespace stompbox::catalog {

bool SqlStatement::ready() {
  if (connection_.failed()) return false;
  if (cursor_ == nullptr) cursor_ = connection_.prepare(sql_);
  return !connection_.failed();
}

SqlStatement& SqlStatement::bind(int index, std::int64_t value) {
  if (ready()) cursor_->bind(index, value);
  return *this;
}

SqlStatement& SqlStatement::bind(int index, std::string_view text) {
  if (ready()) cursor_->bind(index, text);
  return *this;
}

SqlStatement& SqlStatement::bind_null(int index) {
  if (ready()) cursor_->bind_null(index);
  return *this;
}

SqlStatement& SqlStatement::bind_optional(int index, const std::optional<std::int64_t>& value) {
  return value ? bind(index, *value) : bind_null(index);
}

SqlStatement& SqlStatement::bind_optional(int index, const std::optional<std::string>& text) {
  return text ? bind(index, std::string_view(*text)) : bind_null(index);
}

bool SqlStatement::step() {
  if (ready()) return cursor_->step();
  reset();
  return false;
}

void SqlStatement::run() {
  while (step()) {
  }
}

void SqlStatement::reset() {
  if (cursor_ != nullptr) cursor_->reset();
}

std::optional<std::string> SqlStatement::text_or_null(int column) const {
  if (is_null(column)) return std::nullopt;
  return std::string(text(column));
}

std::optional<std::string> text_of(SqlConnection& connection, const std::string& sql) {
  SqlStatement statement(connection, sql);
  if (!statement.step()) return std::nullopt;
  return std::string(statement.text(0));
}

std::int64_t integer_of(SqlConnection& connection, const std::string& sql) {
  SqlStatement statement(connection, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string placeholders(std::size_t first, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += (i == 0 ? "?" : ", ?") + std::to_string(first + i);
  return text;
}

}  // namespace stompbox::catalog
