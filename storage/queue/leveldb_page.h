#pragma once

#include <leveldb/db.h>

#include <cstdint>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/ledger.h"
#include "storage/queue/message_pool.h"
#include "storage/queue/queue_store.h"

namespace stompbox::queue {

// What reading a page brings to light beside the messages.
struct PageFinds {
  struct Dead {
    PriorityClass priority;
    DeadRange range;
  };
  std::vector<Discard> discards;
  std::vector<Dead> dead;  // proved empty
};

// Reads one page from a snapshot of the moment. `plan` was made before. Seeks to the first place
// that may be live and over every long stretch that is known to be dead. A damaged entry is left
// out, put into the finds and named in page.error, beside the messages that could be read. One
// thread at a time for each pool.
[[nodiscard]] LoadedPage read_page(leveldb::DB& db, const SeekPlan& plan,
                                   const LoadRequest& request, std::uint32_t epoch,
                                   MessagePool& pool, PageFinds& finds);

}  // namespace stompbox::queue
