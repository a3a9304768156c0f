#pragma once

#include <string>

#include "storage/result.h"

namespace stompbox::control {

// A path that fits a UNIX socket's address (107 bytes): the path itself, or, where that is too
// long, the same file by way of its opened folder in /proc. The folder stays open as long as this
// lives, and the short form is good as long; it works in this process only.
class SocketPath {
 public:
  // kInvalid, kNotFound or kDenied with a sentence when there is no such folder or no way to it.
  [[nodiscard]] static storage::Result<SocketPath> make(const std::string& path);

  SocketPath(SocketPath&& other) noexcept;
  SocketPath& operator=(SocketPath&& other) noexcept;
  ~SocketPath();

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  SocketPath(std::string text, int folder) : text_(std::move(text)), folder_(folder) {}

  std::string text_;
  int folder_ = -1;
};

}  // namespace stompbox::control
