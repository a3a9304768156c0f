#include "storage/catalog/sqlite_open.h"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/catalog/schema.h"
#include "storage/catalog/sqlite_connection.h"
#include "storage/catalog/sqlite_schema.h"
#include "storage/catalog/table_reader.h"

namespace stompbox::catalog {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Result;

// With WAL a reader never waits; without, it waits for a commit no longer than this.
constexpr std::chrono::milliseconds kBusyTimeout{250};

// A query of exported resources looks at a few pages of every node, so that no cache of ours helps:
// the system's own pages are read where they are. SQLite's locks keep a file from being cut
// meanwhile.
constexpr const char* kReaderSettings = "PRAGMA mmap_size=1073741824";

// An address of SQLite's own form, with the characters that it gives a meaning escaped.
std::string uri_of(const std::string& path, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri + "?" + std::string(parameters);
}

Result<std::unique_ptr<SqliteConnection>> open_for_reading(const std::string& path) {
  auto opened =
      SqliteConnection::open(uri_of(path, "mode=ro"), SqliteAccess::kRead, kBusyTimeout, path);
  if (!opened) return opened;
  static_cast<void>(text_of(**opened, "SELECT name FROM sqlite_master LIMIT 1"));
  if (!(*opened)->failed()) return opened;
  // A database in WAL mode that nobody has open, in a folder that we may not write: without a log
  // beside it the file alone is the whole database, and nobody changes it.
  const bool cannot_lock = ((*opened)->failure() & 0xff) == SQLITE_CANTOPEN ||
                           ((*opened)->failure() & 0xff) == SQLITE_READONLY;
  std::error_code ignored;
  const auto log_bytes = std::filesystem::file_size(path + "-wal", ignored);
  if (!cannot_lock || (!ignored && log_bytes > 0)) return (*opened)->error();
  return SqliteConnection::open(uri_of(path, "mode=ro&immutable=1"), SqliteAccess::kRead,
                                kBusyTimeout, path);
}

storage::Status check_exists(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::exists(path, failure)) return storage::kOk;
  if (!failure) return Error{ErrorCode::kNotFound, "there is no catalog database " + path};
  return Error{ErrorCode::kDenied, "the catalog database " + path + " cannot be looked at (" +
                                       failure.message() + "): check owner and mode of its folder"};
}

Result<std::unique_ptr<SqliteConnection>> open_for(SqliteUse use, const SqliteOptions& options) {
  if (use == SqliteUse::kRead) return open_for_reading(options.path);
  return SqliteConnection::open(options.path, SqliteAccess::kReadWrite, options.busy_timeout);
}

}  // namespace

Result<std::unique_ptr<SqlConnection>> open_sqlite_connection(const SqliteOptions& options,
                                                              SqliteUse use) {
  const std::string& path = options.path;
  if (const auto exists = check_exists(path); !exists) return exists.error();
  auto connection = open_for(use, options);
  if (!connection) return connection.error();
  SqliteConnection& db = **connection;
  const FoundTables found = inspect_tables(db);
  if (db.failed()) return db.error();
  if (const auto mismatch = schema_mismatch(found)) {
    return Error{ErrorCode::kInvalid, "the file " + path +
                                          " is not a database of Puppet's "
                                          "storeconfigs (" +
                                          *mismatch + "): name another one"};
  }
  if (use == SqliteUse::kRead) db.run(kReaderSettings);
  if (use == SqliteUse::kWrite) {
    if (const auto schema = ensure_schema(db, path); !schema) return schema.error();
  }
  return std::unique_ptr<SqlConnection>(std::move(*connection));
}

Result<std::unique_ptr<CatalogReader>> open_sqlite_reader(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  auto connection = open_sqlite_connection(options, SqliteUse::kRead);
  if (!connection) return connection.error();
  return std::unique_ptr<CatalogReader>(std::make_unique<TableReader>(std::move(*connection)));
}

}  // namespace stompbox::catalog
