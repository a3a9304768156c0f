#pragma once

#include <leveldb/cache.h>
#include <leveldb/comparator.h>
#include <leveldb/db.h>
#include <leveldb/env.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/queue/leveldb_env.h"
#include "storage/queue/leveldb_patient_env.h"
#include "storage/queue/leveldb_read_env.h"
#include "storage/queue/options.h"
#include "storage/result.h"

namespace stompbox::queue {

// What tests put in the place of the machine. Empty: the real thing.
struct LeveldbSeams {
  leveldb::Env* env = nullptr;  // outlives the store
  SyncFolder sync_folder;
  std::function<std::uint64_t()> free_bytes;        // of the file system
  const leveldb::Comparator* comparator = nullptr;  // orders as bytes; counts
};

// One LevelDB folder, or its like in memory: opens it, says how much room there is, and puts
// LevelDB's errors into sentences. Not synchronised.
class LeveldbDatabase {
 public:
  LeveldbDatabase(const StoreOptions& options, LeveldbSeams seams);
  ~LeveldbDatabase();
  LeveldbDatabase(const LeveldbDatabase&) = delete;
  LeveldbDatabase& operator=(const LeveldbDatabase&) = delete;

  // Makes the folder when it is missing. Damage at the end of the newest log, as a crash leaves it,
  // is cut off; any other is refused.
  [[nodiscard]] storage::Status open();
  void close();
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }
  [[nodiscard]] leveldb::DB& db() { return *db_; }

  // How LevelDB's work in the background goes beside reading.
  [[nodiscard]] PatientEnv& background() { return *patient_; }
  // Takes out of the tables what has been erased. The bounds are keys.
  void compact(const leveldb::Slice& from, const leveldb::Slice& to);

  [[nodiscard]] bool has_room() const;
  // `doing` finishes "The queue store in FOLDER could not be …".
  [[nodiscard]] storage::Error explain(const leveldb::Status& status, std::string_view doing) const;
  // For sentences: the folder.
  [[nodiscard]] const std::string& folder() const { return path_; }

 private:
  [[nodiscard]] leveldb::Options leveldb_options();
  [[nodiscard]] leveldb::Status open_once();
  [[nodiscard]] storage::Error explain_open(const leveldb::Status& status) const;
  [[nodiscard]] std::uint64_t memory_bytes() const;

  StoreOptions options_;
  const LeveldbSeams seams_;
  std::string path_;
  ReadEnv machine_;
  std::unique_ptr<leveldb::Env> memory_;  // when in_memory; keeps the files while it lives
  std::unique_ptr<PatientEnv> patient_;
  std::unique_ptr<DurableEnv> env_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace stompbox::queue
