#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/result.h"

// What StompServer left in its storage folder with the queue type `file` (fact 3.5): read, never
// changed. Only the messages that the index lists are there; other files are leftovers of crashes.
//
//   storage/qinfo            Marshal: {:queues => {name => {:frames => [id, ...], ...}}, ...}
//   storage/_queue_NAME/ID   8 hex digits: bytes of the frame; 8 hex digits: length of the body;
//                            the frame without its body, Marshal; the body
namespace stompbox::faces {

struct OldQueue {
  std::string destination;       // as clients wrote it: "/queue/a"
  std::string folder;            // of its messages
  std::vector<std::string> ids;  // names of the files, first to be delivered first
};

struct OldMessage {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct OldStore {
  std::vector<OldQueue> queues;       // those that have messages
  std::vector<std::string> troubles;  // a sentence for each entry that makes no sense
};

[[nodiscard]] bool has_old_index(const std::string& storage_folder);

// kNotFound without an index; kInvalid, kTooLarge if it cannot be read; kVersion, with the way out,
// if its messages are in dbm files.
[[nodiscard]] storage::Result<OldStore> read_old_index(const std::string& storage_folder);

// kNotFound, kInvalid, kTooLarge, kIo; the sentence names the file.
[[nodiscard]] storage::Result<OldMessage> read_old_message(const OldQueue& queue,
                                                           const std::string& id,
                                                           std::size_t bytes_max);

// The same for the bytes of such a file; errors do not name it.
[[nodiscard]] storage::Result<OldMessage> parse_old_message(std::string_view bytes);

}  // namespace stompbox::faces
