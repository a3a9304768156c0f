#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/read_catalog.h"
#include "storage/queue/message.h"

// The work that passes between the drain on the loop and its workers, as values.
namespace stompbox::drain {

enum class MessageKind : std::uint8_t { kCatalog, kFacts };

// What goes to a worker in one piece: messages in order of arrival. A worker reads them, keeps the
// newest readable catalog of each node, stores, and answers with one result for the whole.
struct RoundItem {
  std::uint64_t item = 0;  // the drain's own number of the delivery
  MessageKind kind = MessageKind::kCatalog;
  queue::MessagePtr message;
};

struct Round {
  std::uint64_t number = 0;
  std::vector<RoundItem> items;
};

enum class ItemFate : std::uint8_t {
  kStored,
  kUnchanged,
  kSuperseded,  // a newer one of the node was read whole and is stored: acked with it
  kSkipped,     // facts that somebody else writes (rule 19)
  kRetry,       // the database is in trouble: back to the queue
  kDeadLetter,
};

struct ItemResult {
  std::uint64_t item = 0;
  ItemFate fate = ItemFate::kRetry;
  std::string node;    // as far as it could be read
  std::string kind;    // of kDeadLetter: one word, see routing::DeadLetterReason
  std::string reason;  // of kRetry and kDeadLetter: one sentence
  std::vector<std::string> warnings;
};

struct RoundResult {
  std::uint64_t number = 0;
  std::vector<ItemResult> items;  // each item of the round once, in its order
};

// Parsed messages that are held before they are saved together.
struct ChunkBounds {
  std::size_t count_max = 32;
  std::size_t bytes_max = 16 * 1024 * 1024;  // of the messages; one always fits
};

// Reads and stores one round, facts before catalogs. Worker thread; `store` is the worker's own.
// Pure but for the store; no exception leaves it. Within the round each node is saved once a kind,
// its newest readable message; an older one is superseded only when that one is stored, tried in
// its place when the database refuses it for good, and back to the queue when the database is in
// trouble.
[[nodiscard]] RoundResult run_round(const Round& round, catalog::CatalogStore& store,
                                    const catalog::ReadOptions& options,
                                    const std::string& store_identity,
                                    const ChunkBounds& bounds = {});

// The whole round back to the queue, for one reason.
[[nodiscard]] RoundResult retry_all(const Round& round, const std::string& reason);

}  // namespace stompbox::drain
