#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/drain/options.h"
#include "broker/drain/round.h"
#include "storage/result.h"

// Remembers which messages were being stored when the process ended without a word, so that one
// catalog cannot take the broker down in a loop (DESIGN §4). A small file, replaced by renaming and
// not synced: it guards against the death of the process, and the kernel outlives that.
//
//   stompbox-crash-ledger 1 STORE-IDENTITY
//   under-way ID        a message of the round under way
//   suspect ID COUNT    was under way at COUNT unclean exits, and is not settled yet
//
// One thread at a time.
namespace stompbox::drain {

// ID above, never 0.
[[nodiscard]] std::uint64_t ledger_key(const queue::Message& message, LedgerKeys keys);

class CrashLedger {
 public:
  // Without a path nothing is kept (--ephemeral).
  CrashLedger() = default;
  // `store_identity`: a ledger of another queue store is disregarded, its numbers mean nothing
  // here.
  CrashLedger(std::string path, std::string store_identity,
              LedgerKeys keys = LedgerKeys::kMessageIds);

  // Reads what the last process left: what was under way becomes a suspect, or a worse one. By
  // bodies, what was not under way is none any more: the same body may be sent again. A file that
  // cannot be understood counts as none. Call it once, before the first begin().
  [[nodiscard]] storage::Status load();
  // By ledger_key(), with the number of unclean exits.
  [[nodiscard]] const std::map<std::uint64_t, unsigned>& suspects() const { return suspects_; }

  // The messages of the round are under way from here on, and no more after finish(). What the
  // result settles and what the round says is cleared is no suspect any more.
  [[nodiscard]] storage::Status begin(const Round& round);
  [[nodiscard]] storage::Status finish(const Round& round, const RoundResult& result);
  // The process ends because it was told to: nothing is under way from here on, whatever becomes of
  // the round, and begin() does nothing.
  [[nodiscard]] storage::Status end_in_order();

 private:
  void read_line(const std::string& line, std::set<std::uint64_t>& under_way);
  void forget_oldest();
  [[nodiscard]] storage::Status write(const std::vector<std::uint64_t>& under_way) const;

  std::string path_;
  std::string store_identity_;
  LedgerKeys keys_ = LedgerKeys::kMessageIds;
  std::map<std::uint64_t, unsigned> suspects_;
  bool ends_in_order_ = false;
};

}  // namespace stompbox::drain
