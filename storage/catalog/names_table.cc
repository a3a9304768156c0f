#include "storage/catalog/names_table.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "storage/catalog/crc32.h"

namespace stompbox::catalog {
namespace {

constexpr std::int64_t kIdModulus = 127;

}  // namespace

NamesTable::NamesTable(SqlConnection& db, const std::string& table, const std::string& column)
    : db_(db),
      load_(db, "SELECT id, " + column + " FROM " + table + " WHERE id > ?1 ORDER BY id"),
      sum_(db, "SELECT count(*), coalesce(sum(id), 0), coalesce(sum(crc32(" + column +
                   ") * (id % " + std::to_string(kIdModulus) + ")), 0) FROM " + table +
                   " WHERE id <= ?1"),
      insert_(db, table, column, 1) {}

std::int64_t NamesTable::id_of(std::string_view name) {
  check();
  const auto at = ids_.find(name);
  return at == ids_.end() ? kNoRow : at->second;
}

std::int64_t NamesTable::id_of_null() {
  check();
  return null_id_;
}

std::int64_t NamesTable::standing(std::int64_t id) {
  const Row* const row = row_of(id);
  return row != nullptr && row->stands ? id : kNoRow;
}

std::optional<std::string_view> NamesTable::name_of(std::int64_t id) {
  const Row* const row = row_of(id);
  if (row == nullptr || row->is_null) return std::nullopt;
  return row->name;
}

const NamesTable::Row* NamesTable::row_of(std::int64_t id) {
  check();
  const auto at = rows_.find(id);
  return at == rows_.end() ? nullptr : &at->second;
}

void NamesTable::create(const std::set<std::string_view>& names, std::string_view now) {
  std::vector<std::string_view> missing;
  for (const std::string_view name : names) {
    if (id_of(name) == kNoRow) missing.push_back(name);
  }
  if (missing.empty()) return;
  for (const std::string_view name : missing)
    insert_.add(now, name);
  const std::vector<std::int64_t> ids = insert_.flush(now);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    add(ids[i], missing[i], false);
    count_in(ids[i], missing[i]);
  }
}

void NamesTable::create_null(std::string_view now) {
  insert_.add(now, BulkInsert::Cell());
  for (const std::int64_t id : insert_.flush(now)) {
    add(id, {}, true);
    count_in(id, {});
  }
}

// The checksum goes on without a look at the table: a row in between that somebody else made shows
// at the next.
void NamesTable::count_in(std::int64_t id, std::string_view name) {
  ++checksum_.rows;
  checksum_.ids += id;
  checksum_.texts += std::int64_t{crc32(name)} * (id % kIdModulus);
}

void NamesTable::check() {
  if (checked_ == round_) return;
  if (rows_.empty() || read_checksum(last_id_) != checksum_) return start_over();
  read_newer();
  if (!db_.failed()) checked_ = round_;
}

void NamesTable::read_newer() {
  load_.bind(1, last_id_);
  while (load_.step()) {
    const std::int64_t id = load_.integer(0);
    add(id, load_.text(1), load_.is_null(1));
    count_in(id, load_.text(1));
  }
  load_.reset();
}

NamesTable::Checksum NamesTable::read_checksum(std::int64_t last_id) {
  Checksum found;
  sum_.bind(1, last_id);
  if (sum_.step()) found = {sum_.integer(0), sum_.integer(1), sum_.integer(2)};
  sum_.reset();
  return found;
}

void NamesTable::add(std::int64_t id, std::string_view name, bool is_null) {
  last_id_ = std::max(last_id_, id);
  Row& row = rows_.insert_or_assign(id, Row{std::string(name), is_null, false}).first->second;
  if (is_null) {
    row.stands = null_id_ == kNoRow;
    if (row.stands) null_id_ = id;
  } else {
    row.stands = ids_.try_emplace(row.name, id).second;
  }
}

// The checksum is taken first: what is added while the rows are read shows as a change later.
void NamesTable::start_over() {
  ids_.clear();
  rows_.clear();
  insert_.discard();
  null_id_ = kNoRow;
  last_id_ = 0;
  const Checksum found = read_checksum(std::numeric_limits<std::int64_t>::max());
  read_newer();
  checksum_ = found;  // the server's own: a text may have other bytes there
  checked_ = db_.failed() ? 0 : round_;
}

}  // namespace stompbox::catalog
