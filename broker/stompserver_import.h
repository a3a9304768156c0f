#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/options/options.h"
#include "storage/result.h"

namespace stompbox {

struct Import {
  enum class Result : std::uint8_t {
    kNothing,  // there is no old index, or it lists no messages
    kDone,
    kEarlier,  // done at an earlier start
    kChanged,  // the same, but the old index has changed since: what came to it is not here
    kRefused,  // our own queues were there first
  };
  Result result = Result::kNothing;
  std::uint64_t queue_count = 0;
  std::uint64_t message_count = 0;
  std::vector<std::string> skipped;  // a sentence for each message that could not be taken
};

// Takes the messages of StompServer's `file` store over into the data folder of `options`, once:
// into a new store that gets its place when it is whole and synced, with the file `imported` beside
// it. An end in the middle leaves nothing behind that counts. Reads the old folder only. Before the
// server opens its store. Errors: kVersion for what StompServer's dbm store left, kInvalid for an
// index that cannot be read, kFull, kIo: the server must not start, or it would seem empty.
[[nodiscard]] storage::Result<Import> import_old_queues(const std::string& old_storage,
                                                        const options::Options& options,
                                                        std::int64_t now_ms);

}  // namespace stompbox
