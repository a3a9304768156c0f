#pragma once

#include <string>

#include "storage/result.h"

namespace stompbox {

// A data folder that is used by one process at a time, for those that keep no queues there: the
// queue store has a lock of its own.
class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  // kBusy if another drain works on it, or somebody answers at the control socket. The folder
  // exists.
  [[nodiscard]] storage::Status take(const std::string& folder, const std::string& control_socket);

 private:
  int file_ = -1;
};

}  // namespace stompbox
