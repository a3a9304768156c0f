#pragma once

#include <sqlite3.h>

// SQLite's file layer with a disk that fills up and empties when a test says so.
namespace stompbox::support {

// While it lives, connections that are opened go through it. While full, each write to a file ends
// with SQLITE_FULL; everything else works. One at a time.
class FullDiskVfs {
 public:
  FullDiskVfs();
  ~FullDiskVfs();
  FullDiskVfs(const FullDiskVfs&) = delete;
  FullDiskVfs& operator=(const FullDiskVfs&) = delete;

  void fill();
  void make_room();

 private:
  sqlite3_vfs* const real_;
  sqlite3_vfs shim_;
};

}  // namespace stompbox::support
