#include "storage/catalog/sqlite_neighbours.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstddef>

namespace stompbox::catalog {
namespace {

// Of a list; what is beyond is not looked at.
constexpr std::size_t kListBytesMax = 64 * 1024;

void append_hex(std::string& text, unsigned number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (; number > 0 || digits.size() < 2; number /= 16)
    digits.insert(digits.begin(), kDigits[number % 16]);
  text += digits;
}

std::string file_in_list(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  std::string file;
  append_hex(file, major(found.st_dev));
  file += ':';
  append_hex(file, minor(found.st_dev));
  return file + ':' + std::to_string(found.st_ino);
}

std::string read_list() {
  const int file = ::open("/proc/locks", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string list;
  std::array<char, 4096> piece{};
  ssize_t count = 0;
  while (list.size() < kListBytesMax && (count = ::read(file, piece.data(), piece.size())) > 0)
    list.append(piece.data(), static_cast<std::size_t>(count));
  ::close(file);
  return list;
}

}  // namespace

SqliteNeighbours::SqliteNeighbours(const std::string& path) : file_(file_in_list(path)) {}

bool SqliteNeighbours::hold_locks() const {
  return !file_.empty() && hold_locks(read_list(), file_, ::getpid());
}

// "5: POSIX  ADVISORY  READ 11788 fe:00:10958188 1073741826 1073742335"
bool SqliteNeighbours::hold_locks(std::string_view list, std::string_view file, int own_pid) {
  const std::string wanted = " " + std::string(file) + " ";
  const std::string own = " " + std::to_string(own_pid);
  while (!list.empty()) {
    const std::string_view line = list.substr(0, list.find('\n'));
    list.remove_prefix(line.size() < list.size() ? line.size() + 1 : list.size());
    const std::size_t at = line.find(wanted);
    const bool is_lock = at != std::string_view::npos && line.find(" POSIX ") < at;
    if (is_lock && !line.substr(0, at).ends_with(own)) return true;
  }
  return false;
}

}  // namespace stompbox::catalog
