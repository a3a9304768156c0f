#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace stompbox::catalog {

struct SqliteOptions {
  std::string path;
  // Owner, group and mode of the files when this program creates them (DESIGN §4): the masters'
  // user has to read and write them. -wal and -shm follow the main file.
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::uint32_t mode = 0640;
  // A write transaction holds the lock no longer than this (masters have no busy timeout, rule 15).
  std::chrono::milliseconds lock_max{50};
  // How long we wait for somebody else's lock before kTransient.
  std::chrono::milliseconds busy_timeout{5000};
  // Every n-th save of a node compares all rows although the digest says unchanged.
  std::uint32_t full_compare_every = 48;
  bool thin = false;  // store exported resources only
};

}  // namespace stompbox::catalog
