#include "storage/catalog/sqlite_writer.h"

#include <utility>

namespace stompbox::catalog {
namespace {

// ?1 is the time, for both columns of every row.
std::string insert_sql(const std::string& table, const std::string& columns, std::size_t width,
                       std::size_t rows) {
  std::string sql = "INSERT INTO " + table + " (" + columns + ", updated_at, created_at) VALUES ";
  std::size_t parameter = 2;
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < width; ++i)
      sql += "?" + std::to_string(parameter++) + ", ";
    sql += "?1, ?1)";
  }
  return sql;
}

}  // namespace

SqliteBulkInsert::SqliteBulkInsert(SqliteConnection& db, const std::string& table,
                                   const std::string& columns, std::size_t width)
    : db_(db),
      width_(width),
      many_(db, insert_sql(table, columns, width, kRowsMax)),
      few_(db, insert_sql(table, columns, width, kRowsFew)),
      one_(db, insert_sql(table, columns, width, 1)) {}

void SqliteBulkInsert::insert(SqliteStatement& statement, std::string_view now, std::size_t rows) {
  statement.bind(1, now);
  int index = 2;
  for (std::size_t i = 0; i < rows * width_; ++i) {
    const Cell& cell = cells_[done_ + i];
    if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
      statement.bind(index++, *integer);
    } else {
      statement.bind(index++, std::get<std::string_view>(cell));
    }
  }
  statement.run();
  inserted_.count += static_cast<std::int64_t>(rows);
  inserted_.last_id = db_.last_id();
  done_ += rows * width_;
  if (done_ == cells_.size()) discard();
}

void SqliteBulkInsert::discard() {
  cells_.clear();
  done_ = 0;
}

SqliteBulkInsert::Inserted SqliteBulkInsert::flush(std::string_view now) {
  while (!cells_.empty()) {
    const std::size_t rows = (cells_.size() - done_) / width_;
    if (rows >= kRowsFew) {
      insert(few_, now, kRowsFew);
    } else {
      insert(one_, now, 1);
    }
  }
  return std::exchange(inserted_, {});
}

SqliteWriter::SqliteWriter(SqliteConnection& db, CatalogNames& names, SqliteNames& fact_names)
    : db_(db),
      names_(names),
      fact_names_(fact_names),
      remove_resource_(db, "DELETE FROM resources WHERE id = ?1"),
      remove_its_parameters_(db, "DELETE FROM param_values WHERE resource_id = ?1"),
      remove_its_tags_(db, "DELETE FROM resource_tags WHERE resource_id = ?1"),
      remove_parameter_(db, "DELETE FROM param_values WHERE id = ?1"),
      remove_tag_(db, "DELETE FROM resource_tags WHERE id = ?1"),
      remove_fact_(db, "DELETE FROM fact_values WHERE id = ?1"),
      update_resource_(db,
                       "UPDATE resources SET exported = ?2, line = coalesce(?3, line),"
                       " source_file_id = coalesce(?4, source_file_id), updated_at = ?5"
                       " WHERE id = ?1"),
      insert_resource_(db,
                       "INSERT INTO resources (title, restype, host_id, source_file_id, exported,"
                       " line, updated_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"),
      parameters_(db, "param_values", "value, param_name_id, resource_id", 3),
      tags_(db, "resource_tags", "resource_id, puppet_tag_id", 2),
      facts_(db, "fact_values", "value, fact_name_id, host_id", 3) {}

void SqliteWriter::remove_resource(std::int64_t id) {
  remove_its_parameters_.bind(1, id).run();
  remove_its_tags_.bind(1, id).run();
  remove_resource_.bind(1, id).run();
}

void SqliteWriter::remove_parameter(std::int64_t id) {
  remove_parameter_.bind(1, id).run();
}
void SqliteWriter::remove_tag(std::int64_t id) {
  remove_tag_.bind(1, id).run();
}
void SqliteWriter::remove_fact(std::int64_t id) {
  remove_fact_.bind(1, id).run();
}

void SqliteWriter::update_resource(std::int64_t id, const Resource& resource,
                                   std::string_view now) {
  std::optional<std::int64_t> file;
  if (resource.file) file = names_.files.id_of(*resource.file);
  update_resource_.bind(1, id)
      .bind(2, std::string_view(resource.exported ? "t" : "f"))
      .bind_optional(3, resource.line)
      .bind_optional(4, file)
      .bind(5, now)
      .run();
}

std::int64_t SqliteWriter::insert_resource(std::int64_t host_id, const Resource& resource,
                                           std::string_view now) {
  insert_resource_.bind(1, resource.title)
      .bind(2, resource.type)
      .bind(3, host_id)
      .bind(4, resource.file ? names_.files.id_of(*resource.file) : names_.files.id_of_null())
      .bind(5, std::string_view(resource.exported ? "t" : "f"))
      .bind_optional(6, resource.line)
      .bind(7, now)
      .run();
  return db_.last_id();
}

void SqliteWriter::insert_parameter(std::int64_t resource_id, const Parameter& parameter,
                                    std::string_view now) {
  const std::int64_t name_id = names_.parameters.id_of(parameter.name);
  for (const std::string& value : parameter.values) {
    parameters_.add(now, std::string_view(value), name_id, resource_id);
  }
}

void SqliteWriter::insert_tag(std::int64_t resource_id, const std::string& tag,
                              std::string_view now) {
  tags_.add(now, resource_id, names_.tags.id_of(tag));
}

void SqliteWriter::insert_fact(std::int64_t host_id, const Fact& fact, std::string_view now) {
  const std::int64_t name_id = fact_names_.id_of(fact.name);
  for (const std::string& value : fact.values) {
    facts_.add(now, std::string_view(value), name_id, host_id);
  }
}

SqliteWriter::Flushed SqliteWriter::flush(std::string_view now) {
  facts_.flush(now);
  return {parameters_.flush(now), tags_.flush(now)};
}

void SqliteWriter::discard() {
  for (SqliteBulkInsert* insert : {&parameters_, &tags_, &facts_}) {
    insert->discard();
    static_cast<void>(insert->flush({}));
  }
}

}  // namespace stompbox::catalog
