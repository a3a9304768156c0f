#include "broker/control/socket_path.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

namespace stompbox::control {
namespace {

constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;

storage::ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return storage::ErrorCode::kNotFound;
  return error == EACCES ? storage::ErrorCode::kDenied : storage::ErrorCode::kIo;
}

}  // namespace

storage::Result<SocketPath> SocketPath::make(const std::string& path) {
  if (path.size() <= kPathMax) return SocketPath(path, -1);
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const int opened = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) {
    const int error = errno;
    return storage::Error{code_of(error), "cannot open the folder " + folder + ": " +
                                              std::generic_category().message(error)};
  }
  SocketPath made("/proc/self/fd/" + std::to_string(opened) + "/" + name, opened);
  if (made.text().size() > kPathMax || ::access("/proc/self/fd", F_OK) != 0) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          "the path " + path + " is longer than the " + std::to_string(kPathMax) +
                              " bytes of a socket's address: use a shorter data folder, or a "
                              "symbolic link to it"};
  }
  return made;
}

SocketPath::SocketPath(SocketPath&& other) noexcept
    : text_(std::move(other.text_)), folder_(std::exchange(other.folder_, -1)) {}

SocketPath& SocketPath::operator=(SocketPath&& other) noexcept {
  std::swap(text_, other.text_);
  std::swap(folder_, other.folder_);
  return *this;
}

SocketPath::~SocketPath() {
  if (folder_ >= 0) ::close(folder_);
}

}  // namespace stompbox::control
