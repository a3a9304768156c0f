#include "broker/drain/round.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

namespace stompbox::drain {
namespace {

using catalog::SaveOutcome;
using catalog::SaveStatus;

// What differs between the two kinds of messages.
struct CatalogWork {
  using Value = catalog::Catalog;
  using Save = catalog::CatalogSave;
  static constexpr MessageKind kKind = MessageKind::kCatalog;

  static storage::Result<Value> read(std::string_view body, const catalog::ReadOptions& options) {
    return catalog::read_catalog(body, options);
  }
  static std::vector<SaveOutcome> save(catalog::CatalogStore& store, std::span<const Save> saves) {
    return store.save(saves);
  }
};

struct FactsWork {
  using Value = catalog::NodeFacts;
  using Save = catalog::FactsSave;
  static constexpr MessageKind kKind = MessageKind::kFacts;

  static storage::Result<Value> read(std::string_view body, const catalog::ReadOptions& options) {
    return catalog::read_facts(body, options);
  }
  static std::vector<SaveOutcome> save(catalog::CatalogStore& store, std::span<const Save> saves) {
    return store.save_facts(saves);
  }
};

ItemFate fate_of(SaveStatus status) {
  switch (status) {
    case SaveStatus::kStored: return ItemFate::kStored;
    case SaveStatus::kUnchanged: return ItemFate::kUnchanged;
    case SaveStatus::kSuperseded: return ItemFate::kSuperseded;
    case SaveStatus::kSkipped: return ItemFate::kSkipped;
    case SaveStatus::kTransient: return ItemFate::kRetry;
    case SaveStatus::kPermanent: return ItemFate::kDeadLetter;
  }
  return ItemFate::kRetry;
}

void append(std::vector<std::string>& warnings, std::vector<std::string> more) {
  warnings.insert(warnings.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

// One kind's share of a round. Walks from the newest message to the oldest, so that a message's
// fate is known when an older one of its node is met; saves in chunks on the way. `trouble` holds
// why the database takes nothing more in this round; what is left then keeps its first fate,
// kRetry.
template <typename Work>
class Walk {
 public:
  Walk(const Round& round, RoundResult& result, catalog::CatalogStore& store,
       const catalog::ReadOptions& options, const std::string& store_identity,
       const ChunkBounds& bounds, std::string& trouble)
      : round_(round),
        result_(result),
        store_(store),
        options_(options),
        store_identity_(store_identity),
        bounds_(bounds),
        trouble_(trouble) {}

  void run() {
    for (std::size_t left = round_.items.size(); left > 0 && trouble_.empty(); --left) {
      const std::size_t index = left - 1;
      if (round_.items[index].kind == Work::kKind) visit(index);
    }
    while (!chunk_.empty() && trouble_.empty())
      save_chunk();
  }

 private:
  using Value = typename Work::Value;
  enum class Standing { kPending, kSettled };  // of the node's newest readable message
  struct Node {
    Standing standing = Standing::kPending;
    std::vector<std::size_t> older;  // met while it is pending, newest first
  };
  struct Pending {
    std::size_t index;
    Value value;
  };

  void visit(std::size_t index) {
    auto value = read(index);
    if (!value) return;
    ItemResult& item = result_.items[index];
    const auto [node, is_first] = nodes_.try_emplace(item.node);
    if (is_first) {
      hold(index, std::move(*value));
    } else if (node->second.standing == Standing::kPending) {
      node->second.older.push_back(index);
    } else {
      item.fate = ItemFate::kSuperseded;
    }
  }

  // Nothing if it cannot be read: its fate is set.
  std::optional<Value> read(std::size_t index) {
    ItemResult& item = result_.items[index];
    auto value = read_guarded(round_.items[index].message->body);
    if (!value) {
      const bool too_large = value.error().code == storage::ErrorCode::kTooLarge;
      item.fate = ItemFate::kDeadLetter;
      item.kind = too_large ? "too-large" : "unreadable";
      item.reason = value.error().text;
      return std::nullopt;
    }
    item.node = value->node;
    item.warnings = std::move(value->warnings);
    return std::move(*value);
  }

  storage::Result<Value> read_guarded(std::string_view body) const {
    try {
      return Work::read(body, options_);
    } catch (const std::bad_alloc&) {
      return storage::Error{storage::ErrorCode::kTooLarge,
                            "reading it takes more memory than there is"};
    } catch (const std::exception& error) {
      return storage::Error{storage::ErrorCode::kInvalid,
                            std::string("reading it failed: ") + error.what()};
    }
  }

  void hold(std::size_t index, Value value) {
    const std::size_t bytes = round_.items[index].message->body.size();
    if (!chunk_.empty() &&
        (chunk_.size() >= bounds_.count_max || chunk_bytes_ + bytes > bounds_.bytes_max)) {
      save_chunk();
    }
    chunk_bytes_ += bytes;
    chunk_.push_back({index, std::move(value)});
  }

  // In order of arrival. A message that the database refuses for good makes room for the next older
  // one of its node, which joins the next chunk.
  void save_chunk() {
    std::vector<Pending> chunk = std::exchange(chunk_, {});
    chunk_bytes_ = 0;
    if (!trouble_.empty()) return;
    std::sort(chunk.begin(), chunk.end(),
              [](const Pending& a, const Pending& b) { return a.index < b.index; });
    std::vector<typename Work::Save> saves;
    saves.reserve(chunk.size());
    for (const Pending& pending : chunk) {
      saves.push_back({&pending.value, arrival(pending.index)});
    }
    std::vector<SaveOutcome> outcomes = save_guarded(saves);
    assert(outcomes.size() == chunk.size());
    for (std::size_t i = 0; i < chunk.size(); ++i)
      settle(chunk[i].index, std::move(outcomes[i]));
  }

  catalog::Arrival arrival(std::size_t index) const {
    return {store_identity_, round_.items[index].message->id.value};
  }

  std::vector<SaveOutcome> save_guarded(const std::vector<typename Work::Save>& saves) {
    std::string what;
    try {
      return Work::save(store_, saves);
    } catch (const std::exception& error) {
      what = error.what();
    }
    const SaveOutcome failed{
        SaveStatus::kTransient, {storage::ErrorCode::kIo, "saving failed: " + what}, {}};
    return std::vector<SaveOutcome>(saves.size(), failed);
  }

  void settle(std::size_t index, SaveOutcome outcome) {
    ItemResult& item = result_.items[index];
    item.fate = fate_of(outcome.status);
    append(item.warnings, std::move(outcome.warnings));
    if (item.fate == ItemFate::kRetry) {
      item.reason = outcome.error.text;
      if (trouble_.empty()) trouble_ = outcome.error.text;
      return;  // the older ones of the node keep kRetry
    }
    if (item.fate != ItemFate::kDeadLetter) return settle_older(item.node);
    item.kind = "rejected";
    item.reason = outcome.error.text;
    take_next_older(item.node);
  }

  void settle_older(const std::string& name) {
    Node& node = nodes_[name];
    node.standing = Standing::kSettled;
    for (const std::size_t older : node.older)
      result_.items[older].fate = ItemFate::kSuperseded;
    node.older.clear();
  }

  void take_next_older(const std::string& name) {
    const auto node = nodes_.find(name);
    while (!node->second.older.empty()) {
      const std::size_t index = node->second.older.front();
      node->second.older.erase(node->second.older.begin());
      auto value = read(index);
      if (!value) continue;
      chunk_bytes_ += round_.items[index].message->body.size();
      chunk_.push_back({index, std::move(*value)});
      return;
    }
    nodes_.erase(node);  // the next older one that is met is the first of its node again
  }

  const Round& round_;
  RoundResult& result_;
  catalog::CatalogStore& store_;
  const catalog::ReadOptions& options_;
  const std::string& store_identity_;
  const ChunkBounds bounds_;
  std::string& trouble_;
  std::unordered_map<std::string, Node> nodes_;
  std::vector<Pending> chunk_;
  std::size_t chunk_bytes_ = 0;
};

}  // namespace

RoundResult retry_all(const Round& round, const std::string& reason) {
  RoundResult result{round.number, {}};
  result.items.reserve(round.items.size());
  for (const RoundItem& item : round.items) {
    result.items.push_back({item.item, ItemFate::kRetry, {}, {}, reason, {}});
  }
  return result;
}

RoundResult run_round(const Round& round, catalog::CatalogStore& store,
                      const catalog::ReadOptions& options, const std::string& store_identity,
                      const ChunkBounds& bounds) {
  RoundResult result = retry_all(round, {});
  std::string trouble;
  try {
    Walk<FactsWork>(round, result, store, options, store_identity, bounds, trouble).run();
    Walk<CatalogWork>(round, result, store, options, store_identity, bounds, trouble).run();
  } catch (const std::exception& error) {  // no memory for the bookkeeping
    trouble = std::string("storing failed: ") + error.what();
  }
  for (ItemResult& item : result.items) {
    if (item.fate == ItemFate::kRetry && item.reason.empty()) item.reason = trouble;
  }
  return result;
}

}  // namespace stompbox::drain
