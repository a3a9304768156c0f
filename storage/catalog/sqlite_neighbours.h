#pragma once

#include <string>
#include <string_view>

namespace stompbox::catalog {

// Whether other processes use a database file just now, by the kernel's list of locks. Looks at no
// file of the database, so that no lock of ours is lost by it (POSIX locks go with any descriptor
// that is closed). A guess: what the list does not show (another name space of processes, a file
// system with other device numbers, another machine) counts as nobody.
class SqliteNeighbours {
 public:
  explicit SqliteNeighbours(const std::string& path);

  [[nodiscard]] bool hold_locks() const;

  // The same of a list as /proc/locks has it; `file` is MAJOR:MINOR:INODE there.
  [[nodiscard]] static bool hold_locks(std::string_view list, std::string_view file, int own_pid);

 private:
  const std::string file_;  // empty: there is none
};

}  // namespace stompbox::catalog
