#pragma once

#include <cstddef>
#include <string>

#include "storage/result.h"

namespace stompbox::faces {

// A regular file's bytes. kNotFound, kDenied, kTooLarge, kIo; the sentence names the file.
[[nodiscard]] storage::Result<std::string> read_whole_file(const std::string& path,
                                                           std::size_t bytes_max);

}  // namespace stompbox::faces
