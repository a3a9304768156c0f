#include "storage/queue/lock_holder.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

namespace stompbox::queue {
namespace {

// 0: nobody, or not to be found out.
pid_t find_holder(const std::string& lock_file) {
  const int descriptor = ::open(lock_file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return 0;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int failed = ::fcntl(descriptor, F_GETLK, &lock);
  ::close(descriptor);
  return failed == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

std::string command_name(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

std::string describe_lock_holder(const std::string& lock_file) {
  const pid_t holder = find_holder(lock_file);
  if (holder <= 0) return "another process";
  const std::string name = command_name(holder);
  const std::string text = "process " + std::to_string(holder);
  return name.empty() ? text : text + " (" + name + ")";
}

}  // namespace stompbox::queue
