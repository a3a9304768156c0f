#include "broker/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace stompbox {
namespace {

using storage::Error;
using storage::ErrorCode;

Error in_use(const std::string& folder) {
  return {ErrorCode::kBusy, "another stompbox works on the folder " + folder +
                                ": give each process a folder of its own with --data"};
}

bool somebody_answers(const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file < 0) return false;
  const bool answers =
      ::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN;
  ::close(file);
  return answers;
}

}  // namespace

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

storage::Status FolderLock::take(const std::string& folder, const std::string& control_socket) {
  const std::string path = folder + "/drain.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    return Error{errno == EACCES ? ErrorCode::kDenied : ErrorCode::kIo,
                 "cannot open " + path + ": " + std::generic_category().message(errno)};
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) return in_use(folder);
  if (somebody_answers(control_socket)) return in_use(folder);
  return storage::kOk;
}

}  // namespace stompbox
