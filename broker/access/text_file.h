#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::access {

struct FileText {
  std::string text;
  struct stat status {};
};

// Reads a small file whole; `what` begins the error: "the users file". kNotFound, kDenied, kIo;
// kTooLarge beyond 16 MiB.
[[nodiscard]] storage::Result<FileText> read_text_file(const std::string& path,
                                                       const std::string& what);

// Of the last failed system call, by errno.
[[nodiscard]] storage::Error system_error(const std::string& what);

// Takes the next line off the front of `text`, its end too; CR LF counts as one.
[[nodiscard]] std::string_view take_line(std::string_view& text);

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  const int number_;
};

}  // namespace stompbox::access
