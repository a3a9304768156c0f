#include "broker/log/file_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace stompbox::log {
namespace {

int open_for_append(const std::string& path) {
  constexpr mode_t kMode = 0640;
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
}

bool write_whole(int descriptor, const char* begin, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, begin, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    begin += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

std::shared_ptr<FileSink> FileSink::open(const std::string& path, std::error_code& error) {
  const int descriptor = path.empty() ? STDERR_FILENO : open_for_append(path);
  if (descriptor < 0) {
    error = std::error_code(errno, std::system_category());
    return nullptr;
  }
  return std::shared_ptr<FileSink>(new FileSink(path, descriptor));
}

FileSink::FileSink(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

FileSink::~FileSink() {
  if (!path_.empty()) ::close(descriptor_);
}

void FileSink::open_anew() {
  if (path_.empty()) return;
  const int descriptor = open_for_append(path_);
  if (descriptor < 0) return;
  ::close(descriptor_);
  descriptor_ = descriptor;
}

void FileSink::sink_it_(const spdlog::details::log_msg& message) {
  if (reopen_asked_.exchange(false)) open_anew();
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!write_whole(descriptor_, line.data(), line.size())) ++lost_lines_;
}

}  // namespace stompbox::log
