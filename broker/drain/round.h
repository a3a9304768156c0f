#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/catalog/catalog_store.h"
#include "storage/catalog/reading/read_catalog.h"
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

// Without items: a question whether the database takes anything.
struct Round {
  std::uint64_t number = 0;
  std::vector<RoundItem> items;
  // Keys of the ledger whose messages have become letters: they are accused no more.
  std::vector<std::uint64_t> cleared = {};
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
  std::vector<ItemResult> items;                      // each item of the round once, in its order
  std::optional<std::string> trouble = std::nullopt;  // of a question: why it takes nothing
};

// A message of either kind, read whole or as far as its outline.
class MessageContent {
 public:
  explicit MessageContent(catalog::Catalog catalog) : value_(std::move(catalog)) {}
  // A catalog that is read whole only when the store does not know it (read_outline.h).
  MessageContent(catalog::Catalog outline, const catalog::reading::ReadOptions& options)
      : value_(std::move(outline)), outline_of_(options) {}
  explicit MessageContent(catalog::NodeFacts facts) : value_(std::move(facts)) {}

  [[nodiscard]] const std::string& node() const;
  [[nodiscard]] std::vector<std::string> take_warnings();
  // Of that kind only.
  [[nodiscard]] const catalog::Catalog& catalog() const;
  [[nodiscard]] const catalog::NodeFacts& facts() const;
  // Of an outline: reads it whole, while `body` lives; empty for anything else.
  [[nodiscard]] std::function<storage::Result<catalog::Catalog>()> whole_reader(
      std::string_view body) const;

 private:
  std::variant<catalog::Catalog, catalog::NodeFacts> value_;
  std::optional<catalog::reading::ReadOptions> outline_of_;
};

// Parsed messages that are held before they are saved together.
struct ChunkBounds {
  std::size_t count_max = 32;
  std::size_t bytes_max = 16 * 1024 * 1024;  // of the messages; one always fits
};

// A quarter of the window: what is read takes two to three times the bytes of its message, and two
// chunks of that may be there besides the window itself.
[[nodiscard]] ChunkBounds chunk_of(std::size_t window_bytes);

// Any thread; no exception leaves it.
[[nodiscard]] storage::Result<MessageContent> read_message(
    const RoundItem& item, const catalog::reading::ReadOptions& options);

struct HeldMessage {
  std::size_t index = 0;  // of the round's item
  MessageContent content;
};

// Messages of one kind, one a node, in order of arrival.
struct SaveTask {
  MessageKind kind = MessageKind::kCatalog;
  std::vector<HeldMessage> messages;
};

[[nodiscard]] std::vector<std::size_t> indexes_of(const SaveTask& task);

// One outcome a message, in their order. The store's thread; no exception leaves it.
[[nodiscard]] std::vector<catalog::SaveOutcome> save_messages(const SaveTask& task,
                                                              const Round& round,
                                                              catalog::CatalogStore& store,
                                                              const std::string& store_identity);

// Answers a round without items. The store's thread; no exception leaves it.
[[nodiscard]] RoundResult ask_database(const Round& round, catalog::CatalogStore& store);

// Reads and stores one round by itself, facts before catalogs (several workers: see lanes.h). Pure
// but for the store; no exception leaves it. Within the round each node is saved once a kind, its
// newest readable message; an older one is superseded only when that one is stored, tried in its
// place when the database refuses it for good, and back to the queue when the database is in
// trouble.
[[nodiscard]] RoundResult run_round(const Round& round, catalog::CatalogStore& store,
                                    const catalog::reading::ReadOptions& options,
                                    const std::string& store_identity,
                                    const ChunkBounds& bounds = {});

// The whole round back to the queue, for one reason; that is the answer to a question, too.
[[nodiscard]] RoundResult retry_all(const Round& round, const std::string& reason);

}  // namespace stompbox::drain
