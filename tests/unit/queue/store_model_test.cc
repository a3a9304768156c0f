#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "storage/queue/pending.h"
#include "tests/unit/queue/store_fixtures.h"

// Random histories of a store and of a map that says what it must hold.
namespace stompbox::queue::test {
namespace {

struct Kept {
  MessagePtr message;
  std::uint32_t deliveries = 0;

  friend bool operator==(const Kept& a, const Kept& b) {
    return a.deliveries == b.deliveries && a.message->body == b.message->body;
  }
};
using Shelf = std::map<Place, Kept>;

class History {
 public:
  explicit History(std::uint32_t seed) : random_(seed) {
    seams_.free_bytes = [this] { return free_bytes_.load(); };
    options_.free_bytes_floor = 1000;
    start();
    make_queue();
  }

  void step() {
    switch (pick(12)) {
      case 0:
      case 1:
      case 2: append_some(); break;
      case 3:
      case 4: drain_some(); break;
      case 5: erase_first(); break;
      case 6: erase_any(); break;
      case 7: give_back_some(); break;
      case 8: load_some(); break;
      case 9: sweep_some(); break;
      case 10:
        if (pick(4) == 0) start();
        break;
      default:
        if (pick(10) == 0) drop();
    }
  }

  void check() {
    Shelf found;
    Place from = at(1, 0);
    while (true) {
      LoadedPage page = read(from, 1 + pick(300));
      REQUIRE_FALSE(page.error);
      for (LoadedMessage& loaded : page.messages)
        found[loaded.place] = {std::move(loaded.message), loaded.deliveries};
      if (!page.more) break;
      from = found.rbegin()->first;
      ++from.seq.value;
    }
    REQUIRE(std::equal(
        found.begin(), found.end(), shelf_.begin(), shelf_.end(),
        [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
  }

  // Of the whole store, behind its back; nothing is live but on the shelf.
  std::size_t entries_after_sweeping() {
    free_bytes_ = 0;
    static_cast<void>(store_->room());
    while (store_->tidy_due())
      tidy();
    store_.reset();
    return count_keys(folder_.path(), KeyRange::kIndex);
  }
  [[nodiscard]] std::size_t live() const { return shelf_.size(); }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool is_rare() { return pick(8) == 0; }

  // After a stop or, as nothing is settled, a crash. Volatile messages do not survive it.
  void start() {
    store_.reset();
    store_ = open(options_, seams_);
    free_bytes_ = 1'000'000;
    static_cast<void>(store_->room());
    std::erase_if(shelf_, [](const auto& entry) {
      return entry.second.message->persistence == Persistence::kVolatile;
    });
  }

  void make_queue() {
    queue_ = QueueId{queue_.value + 1};
    put({CreateQueue{queue_, "/queue/q" + std::to_string(queue_.value)}});
  }

  void put(std::vector<Op> ops) {
    write(*store_, pick(2) == 0 ? std::move(ops) : with_runs(ops), Durability::kWritten);
  }

  // As the committer hands them over.
  static std::vector<Op> with_runs(const std::vector<Op>& ops) {
    std::vector<Op> joined;
    for (const Op& op : ops) {
      const auto* const next = std::get_if<Erase>(&op);
      auto* const run = joined.empty() ? nullptr : std::get_if<Erase>(&joined.back());
      if (next == nullptr || run == nullptr || !joins(*run, *next)) joined.push_back(op);
    }
    return joined;
  }

  void append_some() {
    std::vector<Op> ops;
    for (std::size_t count = 1 + pick(60); count > 0; --count) {
      ++number_;
      if (is_rare()) number_ += pick(50);  // withdrawn, or of another class
      const std::string body(is_rare() ? 3000 : 10, static_cast<char>('a' + number_ % 26));
      const Persistence persistence = is_rare() ? Persistence::kVolatile : Persistence::kDurable;
      const Place place = at(number_, is_rare() ? 4 : 5);
      const MessagePtr made = message(number_, body, persistence, store_->state().epoch);
      shelf_[place] = {made, 0};
      ops.emplace_back(Append{queue_, place, made, Urgency::kNow});
    }
    put(std::move(ops));
  }

  // As consumers do it: in order but for some that keep theirs a while.
  void drain_some() {
    const LoadedPage page = read(at(1, 0), 1 + pick(200));
    std::vector<Op> ops;
    for (const LoadedMessage& loaded : page.messages) {
      if (!is_rare() || pick(20) > 0) ops.push_back(take(shelf_.find(loaded.place)));
    }
    if (pick(3) == 0) std::shuffle(ops.begin(), ops.end(), random_);
    put(std::move(ops));
  }

  void erase_first() {
    std::vector<Op> ops;
    for (std::size_t count = pick(40); count > 0 && !shelf_.empty(); --count)
      ops.push_back(take(shelf_.begin()));
    put(std::move(ops));
  }

  void erase_any() {
    if (!shelf_.empty()) put({take(any())});
  }

  void give_back_some() {
    if (shelf_.empty()) return;
    const auto found = any();
    put({Return{queue_, found->first, ++found->second.deliveries}});
  }

  void load_some() {
    if (!shelf_.empty()) static_cast<void>(read(any()->first, 1 + pick(500)));
  }

  void sweep_some() {
    free_bytes_ = pick(2) == 0 ? 0 : 1'000'000;
    static_cast<void>(store_->room());
    for (std::size_t count = pick(8); count > 0; --count)
      tidy();
  }

  void drop() {
    shelf_.clear();
    put({DropQueue{queue_}});
    make_queue();
  }

  Op take(Shelf::iterator entry) {
    const Message& gone = *entry->second.message;
    Op op = Erase{queue_, entry->first, gone.id, gone.bytes(), gone.persistence, Urgency::kRide};
    shelf_.erase(entry);
    return op;
  }

  Shelf::iterator any() {
    return std::next(shelf_.begin(), static_cast<std::ptrdiff_t>(pick(shelf_.size())));
  }

  LoadedPage read(Place from, std::size_t count) {
    std::vector<Discard> discards;
    LoadedPage page = store_->load({queue_, from, count, 1U << 20}, discards);
    note(std::move(discards));
    return page;
  }

  void tidy() {
    std::vector<Discard> discards;
    static_cast<void>(store_->tidy(discards));
    note(std::move(discards));
  }

  void note(std::vector<Discard> discards) {
    if (discards.empty()) return;
    REQUIRE(store_->write({{}, std::move(discards)}, Durability::kWritten).has_value());
  }

  std::mt19937 random_;
  const TempFolder folder_;
  std::atomic<std::uint64_t> free_bytes_{1'000'000};
  LeveldbSeams seams_;
  StoreOptions options_ = small_store(folder_.path());
  std::unique_ptr<LeveldbStore> store_;
  QueueId queue_;
  std::uint64_t number_ = 0;
  Shelf shelf_;
};

TEST_CASE("whatever was loaded, erased, swept and started again, what was not erased is there") {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    History history(seed);
    for (int step = 1; step <= 200; ++step) {
      history.step();
      if (step % 20 == 0) history.check();
    }
    history.check();
    CHECK(history.entries_after_sweeping() == history.live());
  }
}

}  // namespace
}  // namespace stompbox::queue::test
