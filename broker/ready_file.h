#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

namespace stompbox {

// Tells who started us that all is ready, and where: one listener a line.
class ReadyFile {
 public:
  // Written whole or not at all, so that whoever finds the file finds all of it.
  [[nodiscard]] storage::Status write(const std::string& path,
                                      const std::vector<std::string>& listeners);
  // At the end. Only what was written, not what has taken its place; gone already is fine.
  void remove();

 private:
  std::string path_;  // empty: not written
  dev_t device_ = 0;
  ino_t number_ = 0;
};

// Makes the folder, and those above it, for its owner and group to look into. With `writers`, that
// group may make files in it too, but not touch those of others. A folder that is there is left as
// it is. Errors name the folder and the remedy.
[[nodiscard]] storage::Status make_data_folder(const std::string& path,
                                               const std::optional<std::string>& writers);

// One line on standard output, as long as anybody reads it.
void print_line(std::string_view line);
// The same on standard error.
void print_error(std::string_view line);

}  // namespace stompbox
