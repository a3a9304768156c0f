#pragma once

#include <leveldb/env.h>

#include <string>

namespace stompbox::queue {

// The machine's files, of which nothing is mapped: tables are read piece by piece. LevelDB's own
// environment maps each table, and whatever of it was read then counts as this process's memory, as
// much as there is in the queues (README, "Memory"). An open table costs a descriptor instead, as
// many as LevelDB may keep open.
class ReadEnv final : public leveldb::EnvWrapper {
 public:
  ReadEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** file) override;
};

}  // namespace stompbox::queue
