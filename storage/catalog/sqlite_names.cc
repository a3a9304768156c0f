#include "storage/catalog/sqlite_names.h"

#include <algorithm>

namespace stompbox::catalog {

SqliteNames::SqliteNames(SqliteConnection& db, const std::string& table, const std::string& column)
    : db_(db),
      load_(db, "SELECT id, " + column + " FROM " + table + " WHERE id > ?1 ORDER BY id"),
      look_(db, "SELECT " + column + " FROM " + table + " WHERE id = ?1"),
      insert_(db, "INSERT INTO " + table + " (" + column +
                      ", updated_at, created_at) VALUES (?1, ?2, ?2)") {}

std::int64_t SqliteNames::id_of(std::string_view name) {
  auto at = ids_.find(name);
  if (at == ids_.end()) {
    load_new();
    at = ids_.find(name);
    return at == ids_.end() ? kNoRow : at->second;
  }
  const std::int64_t id = at->second;
  if (still_there(id, rows_.at(id))) return id;
  at = ids_.find(name);
  return at == ids_.end() ? kNoRow : at->second;
}

std::int64_t SqliteNames::id_of_null() {
  if (null_id_ == kNoRow) load_new();
  // When it has changed, everything is read anew, this id too.
  if (null_id_ != kNoRow) static_cast<void>(still_there(null_id_, rows_.at(null_id_)));
  return null_id_;
}

std::int64_t SqliteNames::standing(std::int64_t id) {
  const Row* const row = row_of(id);
  return row != nullptr && row->stands ? id : kNoRow;
}

std::optional<std::string_view> SqliteNames::name_of(std::int64_t id) {
  const Row* const row = row_of(id);
  if (row == nullptr || row->is_null) return std::nullopt;
  return row->name;
}

const SqliteNames::Row* SqliteNames::row_of(std::int64_t id) {
  auto at = rows_.find(id);
  if (at == rows_.end()) {
    load_new();
    at = rows_.find(id);
  } else if (!still_there(id, at->second)) {
    at = rows_.find(id);
  }
  return at == rows_.end() ? nullptr : &at->second;
}

void SqliteNames::create(std::string_view name, std::string_view now) {
  insert_.bind(1, name).bind(2, now).run();
  if (!db_.failed()) add(db_.last_id(), name, false);
}

void SqliteNames::create_null(std::string_view now) {
  insert_.bind_null(1).bind(2, now).run();
  if (!db_.failed()) add(db_.last_id(), {}, true);
}

// Ids only grow (AUTOINCREMENT), so what others have added lies behind what we know.
void SqliteNames::load_new() {
  if (loaded_ == round_) return;
  load_.bind(1, id_max_);
  while (load_.step())
    add(load_.integer(0), load_.text(1), load_.is_null(1));
  if (!db_.failed()) loaded_ = round_;
}

void SqliteNames::add(std::int64_t id, std::string_view name, bool is_null) {
  Row& row =
      rows_.insert_or_assign(id, Row{std::string(name), is_null, false, round_}).first->second;
  id_max_ = std::max(id_max_, id);
  if (is_null) {
    row.stands = null_id_ == kNoRow;
    if (row.stands) null_id_ = id;
  } else {
    row.stands = ids_.try_emplace(row.name, id).second;
  }
}

bool SqliteNames::still_there(std::int64_t id, Row& row) {
  if (row.checked == round_) return true;
  look_.bind(1, id);
  const bool same = look_.step() && look_.is_null(0) == row.is_null && look_.text(0) == row.name;
  look_.reset();
  if (db_.failed()) return true;  // the caller notices
  if (same) {
    row.checked = round_;
  } else {
    start_over();
  }
  return same;
}

void SqliteNames::start_over() {
  ids_.clear();
  rows_.clear();
  null_id_ = kNoRow;
  id_max_ = kNoRow;
  loaded_ = 0;
  load_new();
}

}  // namespace stompbox::catalog
