#include "storage/catalog/care/name_image.h"

#include <algorithm>
#include <utility>

namespace stompbox::catalog::care {

NameImage::NameImage(SqlConnection& db, std::string table, const std::string& column)
    : db_(db),
      table_(std::move(table)),
      load_(db, "SELECT id, " + column + " FROM " + table_ + " ORDER BY id"),
      find_(db, "SELECT " + column + " FROM " + table_ + " WHERE id = ?1"),
      create_(db, "INSERT INTO " + table_ + " (" + column +
                      ", updated_at, created_at) VALUES (?1, ?2, ?2)") {}

void NameImage::load() {
  rows_.clear();
  oldest_.clear();
  while (load_.step())
    add(load_.integer(0), load_.text(1), load_.is_null(1));
}

const NameImage::Row* NameImage::find(std::int64_t id) {
  if (const auto at = rows_.find(id); at != rows_.end()) return &at->second;
  find_.bind(1, id);
  if (!find_.step()) return nullptr;
  const Row* const row = add(id, find_.text(0), find_.is_null(0));
  find_.reset();
  return row;
}

std::int64_t NameImage::oldest(const std::string& name) const {
  const auto at = oldest_.find(name);
  return at == oldest_.end() ? kNoRow : at->second;
}

std::int64_t NameImage::create(const std::string& name, std::string_view now) {
  create_.bind(1, std::string_view(name)).bind(2, now).run();
  if (db_.failed()) return kNoRow;
  const std::int64_t id = db_.inserted_ids(1).first;
  add(id, name, false);
  return id;
}

std::vector<NameImage::Twin> NameImage::twins() const {
  std::vector<Twin> twins;
  for (const auto& [id, row] : rows_) {
    if (row.is_null) continue;
    const std::int64_t first = oldest(row.name);
    if (first != id) twins.push_back({id, first, row.name});
  }
  std::ranges::sort(twins, {}, &Twin::id);
  return twins;
}

const NameImage::Row* NameImage::add(std::int64_t id, std::string_view name, bool is_null) {
  const Row& row = rows_.insert_or_assign(id, Row{std::string(name), is_null}).first->second;
  if (!is_null) {
    const auto at = oldest_.try_emplace(row.name, id).first;
    at->second = std::min(at->second, id);
  }
  return &row;
}

NameImages::NameImages(SqlConnection& db)
    : parameters(db, "param_names", "name"),
      tags(db, "puppet_tags", "name"),
      files(db, "source_files", "filename"),
      facts(db, "fact_names", "name") {}

void NameImages::load() {
  for (NameImage* image : {&parameters, &tags, &files, &facts})
    image->load();
}

}  // namespace stompbox::catalog::care
