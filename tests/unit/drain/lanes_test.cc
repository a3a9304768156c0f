#include "broker/drain/lanes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/drain/scripted_store.h"

using namespace stompbox;
using namespace stompbox::drain;
using catalog::SaveOutcome;
using catalog::SaveStatus;

namespace {

constexpr auto kSaver = WorkerRole::kReadsAndSaves;
constexpr auto kReader = WorkerRole::kReads;

void add(Round& round, MessageKind kind, const std::string& node) {
  auto message = std::make_shared<queue::Message>();
  message->id = {round.items.size() + 1};
  message->body = kind == MessageKind::kCatalog ? catalog_body(node) : facts_body(node);
  if (node.empty()) message->body = "{";  // unreadable
  round.items.push_back({message->id.value, kind, std::move(message)});
}

Round catalogs(const std::vector<std::string>& nodes) {
  Round round{1, {}};
  for (const std::string& node : nodes)
    add(round, MessageKind::kCatalog, node);
  return round;
}

storage::Result<MessageContent> read(const Lanes& lanes, std::size_t index) {
  return read_message(lanes.round().items[index], {});
}

std::size_t take_read(Lanes& lanes, WorkerRole role = kReader) {
  const Task task = lanes.next(role);
  const auto* read = std::get_if<ReadTask>(&task);
  REQUIRE(read != nullptr);
  return read->index;
}

SaveTask take_save(Lanes& lanes) {
  Task task = lanes.next(kSaver);
  auto* save = std::get_if<SaveTask>(&task);
  REQUIRE(save != nullptr);
  return std::move(*save);
}

bool nothing(const Task& task) {
  return std::holds_alternative<std::monostate>(task);
}

void end_save(Lanes& lanes, const SaveTask& task, SaveStatus status = SaveStatus::kStored) {
  const SaveOutcome outcome{status, {storage::ErrorCode::kBusy, "no"}, {}};
  lanes.on_saved(indexes_of(task), std::vector<SaveOutcome>(task.messages.size(), outcome));
}

// Reads all that may be read, in the order of the walk.
void read_all(Lanes& lanes) {
  while (true) {
    const Task task = lanes.next(kReader);
    const auto* found = std::get_if<ReadTask>(&task);
    if (found == nullptr) return;
    lanes.on_read(found->index, read(lanes, found->index));
  }
}

// One round with workers that end their tasks in any order, and a database that answers anything.
class History {
 public:
  explicit History(std::uint32_t seed)
      : random_(seed),
        savers_(1 + pick(4)),
        lanes_(some_round(), {1 + pick(6), 200 + pick(2000)}, savers_) {}

  void run() {
    while (!lanes_.finished()) {
      const bool began = running_.size() < savers_ + 2 && begin_one();
      if (began && pick(2) == 0) continue;
      REQUIRE_MESSAGE(!running_.empty(), "nobody has anything to do, and the round is not over");
      end_one(pick(running_.size()));
    }
    CHECK(running_.empty());
    check(lanes_.take_result());
  }

 private:
  struct Running {
    Task task;
  };

  std::size_t pick(std::size_t below) { return random_() % below; }

  Round some_round() {
    Round round{1, {}};
    const std::size_t count = 1 + pick(50);
    const std::size_t nodes = 1 + pick(12);
    for (std::size_t i = 0; i < count; ++i) {
      const auto kind = pick(4) == 0 ? MessageKind::kFacts : MessageKind::kCatalog;
      const std::string node = pick(10) == 0 ? "" : "node" + std::to_string(pick(nodes));
      add(round, kind, node);
      nodes_.push_back(node);
    }
    trouble_in_ = pick(3) == 0 ? 1 + pick(count) : 0;
    return round;
  }

  bool begin_one() {
    const std::size_t saving = static_cast<std::size_t>(std::count_if(
        running_.begin(), running_.end(),
        [](const Running& running) { return std::holds_alternative<SaveTask>(running.task); }));
    const bool may_save = saving < savers_ && pick(3) != 0;
    Task task = lanes_.next(may_save || running_.empty() ? kSaver : kReader);
    if (nothing(task)) return false;
    if (const auto* save = std::get_if<SaveTask>(&task)) note_begin(*save);
    running_.push_back({std::move(task)});
    return true;
  }

  void note_begin(const SaveTask& save) {
    for (const HeldMessage& message : save.messages) {
      CHECK(message.content.node() == nodes_[message.index]);
      CHECK_MESSAGE(saving_.insert(nodes_[message.index]).second,
                    "two messages of a node are saved at once");
    }
  }

  void end_one(std::size_t which) {
    const Task task = std::move(running_[which].task);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(which));
    if (const auto* found = std::get_if<ReadTask>(&task)) {
      return lanes_.on_read(found->index, read(lanes_, found->index));
    }
    const auto& save = std::get<SaveTask>(task);
    std::vector<SaveOutcome> outcomes;
    for (const HeldMessage& message : save.messages) {
      outcomes.push_back(answer(message.index));
      saving_.erase(nodes_[message.index]);
    }
    lanes_.on_saved(indexes_of(save), std::move(outcomes));
  }

  SaveOutcome answer(std::size_t index) {
    SaveStatus status = pick(6) == 0 ? SaveStatus::kPermanent : SaveStatus::kStored;
    if (trouble_in_ > 0 && --trouble_in_ == 0) status = SaveStatus::kTransient;
    troubled_ = troubled_ || status == SaveStatus::kTransient;
    CHECK(answered_.emplace(index, status).second);
    return {status, {storage::ErrorCode::kBusy, "no"}, {}};
  }

  // Of each node and kind, from the newest: refused ones, one that is stored, superseded ones.
  void check(const RoundResult& result) {
    REQUIRE(result.items.size() == nodes_.size());
    std::map<std::pair<std::string, MessageKind>, bool> stored;
    for (std::size_t left = nodes_.size(); left > 0; --left) {
      const ItemResult& item = result.items[left - 1];
      CHECK(item.item == left);
      const auto answered = answered_.find(left - 1);
      if (item.fate == ItemFate::kRetry) {
        CHECK(troubled_);
        CHECK_FALSE(item.reason.empty());
        CHECK((answered == answered_.end() || answered->second == SaveStatus::kTransient));
      } else if (nodes_[left - 1].empty()) {
        CHECK(item.fate == ItemFate::kDeadLetter);
      } else {
        bool& settled = stored[{nodes_[left - 1], lanes_.round().items[left - 1].kind}];
        if (answered == answered_.end()) {
          CHECK(item.fate == ItemFate::kSuperseded);
          CHECK_MESSAGE(settled, "superseded by nothing");
        } else {
          CHECK_MESSAGE(!settled, "saved although a newer one is stored");
          CHECK((item.fate == ItemFate::kStored) == (answered->second == SaveStatus::kStored));
          settled = item.fate == ItemFate::kStored;
        }
      }
    }
  }

  std::mt19937 random_;
  const std::size_t savers_;
  std::vector<std::string> nodes_;  // by index; empty: unreadable
  std::size_t trouble_in_ = 0;      // saves from here; 0: none comes
  bool troubled_ = false;
  Lanes lanes_;
  std::vector<Running> running_;
  std::set<std::string> saving_;
  std::map<std::size_t, SaveStatus> answered_;
};

}  // namespace

TEST_CASE("messages that were read out of order are looked at from the newest to the oldest") {
  Lanes lanes(catalogs({"a", "a"}), {}, 1);
  CHECK(take_read(lanes) == 1);
  CHECK(take_read(lanes) == 0);
  lanes.on_read(0, read(lanes, 0));
  CHECK(nothing(lanes.next(kSaver)));
  lanes.on_read(1, read(lanes, 1));
  CHECK(indexes_of(take_save(lanes)) == std::vector<std::size_t>{1});
}

TEST_CASE("whoever has no store only reads") {
  Lanes lanes(catalogs({"a"}), {}, 1);
  read_all(lanes);
  CHECK(nothing(lanes.next(kReader)));
  CHECK_FALSE(lanes.finished());
}

TEST_CASE("a catalog is not saved while facts of its node are, another node's is") {
  Round round{1, {}};
  add(round, MessageKind::kCatalog, "a");
  add(round, MessageKind::kCatalog, "b");
  add(round, MessageKind::kFacts, "a");
  Lanes lanes(std::move(round), {}, 2);
  read_all(lanes);
  const SaveTask facts = take_save(lanes);
  CHECK(facts.kind == MessageKind::kFacts);
  const SaveTask other = take_save(lanes);
  CHECK(indexes_of(other) == std::vector<std::size_t>{1});
  CHECK(nothing(lanes.next(kSaver)));
  end_save(lanes, facts);
  CHECK(indexes_of(take_save(lanes)) == std::vector<std::size_t>{0});
}

TEST_CASE("an older message waits for the fate of the newer one that is being saved") {
  Lanes lanes(catalogs({"a", "a"}), {1, 1 << 20}, 2);
  lanes.on_read(1, read(lanes, take_read(lanes)));
  const SaveTask newest = take_save(lanes);
  lanes.on_read(0, read(lanes, take_read(lanes)));
  CHECK(nothing(lanes.next(kSaver)));
  SUBCASE("stored: superseded") {
    end_save(lanes, newest);
    REQUIRE(lanes.finished());
    CHECK(lanes.take_result().items[0].fate == ItemFate::kSuperseded);
  }
  SUBCASE("refused: read and saved in its place") {
    end_save(lanes, newest, SaveStatus::kPermanent);
    lanes.on_read(0, read(lanes, take_read(lanes)));
    CHECK(indexes_of(take_save(lanes)) == std::vector<std::size_t>{0});
  }
}

TEST_CASE("with several savers tasks become smaller towards the end of the round") {
  std::vector<std::string> nodes;
  for (int i = 0; i < 40; ++i)
    nodes.push_back("node" + std::to_string(i));
  Lanes lanes(catalogs(nodes), {32, 1 << 20}, 2);
  read_all(lanes);
  std::vector<std::size_t> sizes;
  for (std::size_t saved = 0; saved < nodes.size(); saved += sizes.back())
    sizes.push_back(take_save(lanes).messages.size());
  CHECK(sizes == std::vector<std::size_t>{10, 8, 6, 4, 3, 3, 2, 1, 1, 1, 1});
}

TEST_CASE("reading ahead stops at a task more than can be saved, by count and by bytes") {
  const Round round = catalogs({"a", "b", "c", "d", "e", "f"});
  const std::size_t body = round.items[0].message->body.size();
  const auto read_ahead = [&round](const ChunkBounds& bounds) {
    Lanes lanes(round, bounds, 1);
    std::size_t count = 0;
    while (!nothing(lanes.next(kReader)))
      ++count;
    return count;
  };
  CHECK(read_ahead({2, 1 << 20}) == 4);
  CHECK(read_ahead({32, body}) == 2);
  CHECK(read_ahead({32, 1}) == 1);
}

TEST_CASE("a save that is not waited for goes back, with all that is left of the round") {
  Lanes lanes(catalogs({"a", "b"}), {1, 1 << 20}, 2);
  read_all(lanes);
  const SaveTask hung = take_save(lanes);
  const SaveTask other = take_save(lanes);
  lanes.abandon(indexes_of(hung), "no answer");
  CHECK_FALSE(lanes.finished());
  end_save(lanes, other);
  REQUIRE(lanes.finished());
  const RoundResult result = lanes.take_result();
  CHECK(result.items[hung.messages[0].index].fate == ItemFate::kRetry);
  CHECK(result.items[hung.messages[0].index].reason == "no answer");
  CHECK(result.items[other.messages[0].index].fate == ItemFate::kStored);
}

TEST_CASE("after give_up what is under way is settled and nothing else is begun") {
  Lanes lanes(catalogs({"a", "b"}), {1, 1 << 20}, 1);
  read_all(lanes);
  const SaveTask save = take_save(lanes);
  lanes.give_up("stopping");
  CHECK(nothing(lanes.next(kSaver)));
  end_save(lanes, save);
  REQUIRE(lanes.finished());
  const RoundResult result = lanes.take_result();
  CHECK(result.items[1].fate == ItemFate::kStored);
  CHECK(result.items[0].reason == "stopping");
}

TEST_CASE("whatever the order in which tasks end, each node's newest wins and nothing is lost") {
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    History(seed).run();
  }
}
