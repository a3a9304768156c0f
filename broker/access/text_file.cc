#include "broker/access/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace stompbox::access {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

storage::Error system_error(const std::string& what) {
  const int number = errno;
  const ErrorCode code = number == ENOENT                      ? ErrorCode::kNotFound
                         : number == EACCES || number == EPERM ? ErrorCode::kDenied
                                                               : ErrorCode::kIo;
  return Error{code, what + ": " + std::system_category().message(number)};
}

storage::Result<FileText> read_text_file(const std::string& path, const std::string& what) {
  const std::string fault = what + " " + path + " cannot be read";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  FileText read;
  if (file.get() < 0 || ::fstat(file.get(), &read.status) != 0) return system_error(fault);
  char chunk[16 * 1024];
  for (;;) {
    const ssize_t count = ::read(file.get(), chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(fault);
    if (count == 0) return read;
    read.text.append(chunk, static_cast<std::size_t>(count));
    if (read.text.size() > kFileBytesMax) {
      return Error{ErrorCode::kTooLarge, fault + ": it has more than 16 MiB"};
    }
  }
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace stompbox::access
