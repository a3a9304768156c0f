#include "broker/faces/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

Error unreadable(const std::string& path, int number) {
  const ErrorCode code = number == ENOENT   ? ErrorCode::kNotFound
                         : number == EACCES ? ErrorCode::kDenied
                                            : ErrorCode::kIo;
  return {code, path + " cannot be read: " + std::system_category().message(number)};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  const int number_;
};

}  // namespace

storage::Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  // Not blocking: a FIFO in its place must not hold us up.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.number() < 0 || ::fstat(file.number(), &about) != 0) return unreadable(path, errno);
  if (!S_ISREG(about.st_mode)) return Error{ErrorCode::kInvalid, path + " is not a file"};
  if (static_cast<std::uint64_t>(about.st_size) > bytes_max) {
    return Error{ErrorCode::kTooLarge,
                 path + " is larger than " + std::to_string(bytes_max) + " bytes"};
  }
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t count = ::read(file.number(), bytes.data() + have, bytes.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(path, errno);
    if (count == 0) break;  // it has become shorter
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace stompbox::faces
