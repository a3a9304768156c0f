#include "broker/drain/round.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <functional>
#include <new>
#include <utility>

#include "broker/drain/lanes.h"
#include "storage/catalog/reading/read_outline.h"

namespace stompbox::drain {
namespace {

using catalog::SaveOutcome;

constexpr std::size_t kChunkPart = 4;  // of the window

// Exceptions as errors.
template <typename Content, typename Read>
storage::Result<Content> read_guarded(Read read) {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    return storage::Error{storage::ErrorCode::kTooLarge,
                          "reading it takes more memory than there is"};
  } catch (const std::exception& error) {
    return storage::Error{storage::ErrorCode::kInvalid,
                          std::string("reading it failed: ") + error.what()};
  }
}

storage::Result<MessageContent> read_unguarded(const RoundItem& item,
                                               const catalog::reading::ReadOptions& options) {
  const std::string_view body = item.message->body;
  if (item.kind == MessageKind::kFacts) {
    auto facts = catalog::reading::read_facts(body, options);
    if (!facts) return facts.error();
    return MessageContent(std::move(*facts));
  }
  if (auto outline = catalog::reading::read_outline(body, options)) {
    return MessageContent(std::move(*outline), options);
  }
  auto catalog = catalog::reading::read_catalog(body, options);
  if (!catalog) return catalog.error();
  return MessageContent(std::move(*catalog));
}

std::vector<SaveOutcome> save_unguarded(const SaveTask& task, const Round& round,
                                        catalog::CatalogStore& store,
                                        const std::string& store_identity) {
  const auto arrival = [&](const HeldMessage& held) {
    return catalog::Arrival{store_identity, round.items[held.index].message->id.value};
  };
  if (task.kind == MessageKind::kFacts) {
    std::vector<catalog::FactsSave> saves;
    for (const HeldMessage& held : task.messages)
      saves.push_back({&held.content.facts(), arrival(held)});
    return store.save_facts(saves);
  }
  std::vector<catalog::CatalogSave> saves;
  for (const HeldMessage& held : task.messages) {
    const queue::Message& message = *round.items[held.index].message;
    saves.push_back({&held.content.catalog(), arrival(held), message.arrived_ms,
                     held.content.whole_reader(message.body)});
  }
  return store.save(saves);
}

void work_off(Lanes& lanes, catalog::CatalogStore& store,
              const catalog::reading::ReadOptions& options, const std::string& store_identity) {
  while (!lanes.finished()) {
    const Task task = lanes.next(WorkerRole::kReadsAndSaves);
    if (const auto* read = std::get_if<ReadTask>(&task)) {
      lanes.on_read(read->index, read_message(lanes.round().items[read->index], options));
      continue;
    }
    const auto& save = std::get<SaveTask>(task);
    lanes.on_saved(indexes_of(save), save_messages(save, lanes.round(), store, store_identity));
  }
}

}  // namespace

const std::string& MessageContent::node() const {
  const auto* catalog = std::get_if<catalog::Catalog>(&value_);
  return catalog != nullptr ? catalog->node : facts().node;
}

std::vector<std::string> MessageContent::take_warnings() {
  auto* catalog = std::get_if<catalog::Catalog>(&value_);
  auto& warnings =
      catalog != nullptr ? catalog->warnings : std::get_if<catalog::NodeFacts>(&value_)->warnings;
  return std::exchange(warnings, {});
}

const catalog::Catalog& MessageContent::catalog() const {
  const auto* catalog = std::get_if<catalog::Catalog>(&value_);
  assert(catalog != nullptr);
  return *catalog;
}

std::function<storage::Result<catalog::Catalog>()> MessageContent::whole_reader(
    std::string_view body) const {
  if (!outline_of_) return nullptr;
  return [body, options = *outline_of_]() -> storage::Result<catalog::Catalog> {
    return read_guarded<catalog::Catalog>(
        [&] { return catalog::reading::read_catalog(body, options); });
  };
}

const catalog::NodeFacts& MessageContent::facts() const {
  const auto* facts = std::get_if<catalog::NodeFacts>(&value_);
  assert(facts != nullptr);
  return *facts;
}

ChunkBounds chunk_of(std::size_t window_bytes) {
  ChunkBounds chunk;
  chunk.bytes_max = std::clamp<std::size_t>(window_bytes / kChunkPart, 1, chunk.bytes_max);
  return chunk;
}

storage::Result<MessageContent> read_message(const RoundItem& item,
                                             const catalog::reading::ReadOptions& options) {
  return read_guarded<MessageContent>([&] { return read_unguarded(item, options); });
}

std::vector<SaveOutcome> save_messages(const SaveTask& task, const Round& round,
                                       catalog::CatalogStore& store,
                                       const std::string& store_identity) {
  std::string what;
  try {
    return save_unguarded(task, round, store, store_identity);
  } catch (const std::exception& error) {
    what = error.what();
  }
  const SaveOutcome failed{
      catalog::SaveStatus::kTransient, {storage::ErrorCode::kIo, "saving failed: " + what}, {}};
  return std::vector<SaveOutcome>(task.messages.size(), failed);
}

std::vector<std::size_t> indexes_of(const SaveTask& task) {
  std::vector<std::size_t> indexes;
  indexes.reserve(task.messages.size());
  for (const HeldMessage& held : task.messages)
    indexes.push_back(held.index);
  return indexes;
}

RoundResult ask_database(const Round& round, catalog::CatalogStore& store) {
  try {
    const storage::Status status = store.probe();
    return status ? RoundResult{round.number, {}} : retry_all(round, status.error().text);
  } catch (const std::exception& error) {
    return retry_all(round, std::string("asking the database failed: ") + error.what());
  }
}

RoundResult retry_all(const Round& round, const std::string& reason) {
  RoundResult result{round.number, {}};
  if (round.items.empty()) result.trouble = reason;
  result.items.reserve(round.items.size());
  for (const RoundItem& item : round.items) {
    result.items.push_back({item.item, ItemFate::kRetry, {}, {}, reason, {}});
  }
  return result;
}

RoundResult run_round(const Round& round, catalog::CatalogStore& store,
                      const catalog::reading::ReadOptions& options,
                      const std::string& store_identity, const ChunkBounds& bounds) {
  if (round.items.empty()) return ask_database(round, store);
  try {
    Lanes lanes(round, bounds, 1);
    work_off(lanes, store, options, store_identity);
    return lanes.take_result();
  } catch (const std::exception& error) {  // no memory for the bookkeeping
    return retry_all(round, std::string("storing failed: ") + error.what());
  }
}

}  // namespace stompbox::drain
