#include "storage/catalog/reading/read_body.h"

#include <algorithm>

namespace stompbox::catalog::reading {

std::size_t reader_depth(const ReadOptions& options) {
  return std::min(options.depth_max, kReaderDepthMax);
}

std::string too_deep(std::size_t depth_max) {
  return "the message nests deeper than " + std::to_string(depth_max) + " levels";
}

storage::Status check_size(std::string_view body, const ReadOptions& options) {
  constexpr std::size_t kParserBytesMax = 0x7FFFFFFF;
  const std::size_t limit = std::min(options.message_bytes_max, kParserBytesMax);
  if (body.size() <= limit) return storage::kOk;
  return storage::Error{storage::ErrorCode::kTooLarge,
                        "the message has " + std::to_string(body.size()) + " bytes, the limit is " +
                            std::to_string(limit)};
}

}  // namespace stompbox::catalog::reading
