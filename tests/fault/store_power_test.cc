#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/committer.h"
#include "storage/queue/leveldb_store.h"
#include "tests/support/fault_env.h"
#include "tests/unit/queue/fixtures.h"

// What a power loss, a full disk and a failing disk leave of the queue store.
namespace stompbox::queue::test {
namespace {

using namespace std::chrono_literals;
using stompbox::test::FaultEnv;
using storage::ErrorCode;
using Seqs = std::vector<std::uint64_t>;

LeveldbSeams seams_of(FaultEnv& env) {
  LeveldbSeams seams;
  seams.env = &env;
  seams.sync_folder = [&env](const std::string& folder) { return env.sync_folder(folder); };
  return seams;
}

std::unique_ptr<LeveldbStore> open(const std::string& path, FaultEnv& env) {
  auto opened = LeveldbStore::open(small_store(path), seams_of(env));
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().text));
  return std::move(opened.value());
}

// The last word of a committer.
class Word {
 public:
  Committer::Callbacks callbacks() {
    return {[this](CommitReport report) {
              const std::lock_guard lock(mutex_);
              last_ = std::move(report);
            },
            [](LoadedPage) {}};
  }
  [[nodiscard]] CommitReport last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  CommitReport last_;
};

JournalOptions quick() {
  JournalOptions options;
  options.full_retry = 1ms;
  options.ride = 1ms;
  options.linger = 1ms;
  return options;
}

TEST_CASE("what was written synced survives a power loss, what was not may go, in order") {
  const TempFolder folder;
  FaultEnv env;
  {
    const auto store = open(folder.path(), env);
    write(*store, {create_orders(), append(1), append(2)});
    write(*store, {append(3)}, Durability::kSynced);
    write(*store, {append(4)}, Durability::kWritten);
    env.cut_power();
  }
  env.restore_power();
  CHECK(all_seqs(*open(folder.path(), env)) == Seqs{1, 2, 3});
}

TEST_CASE("a new log file survives a power loss as soon as something in it is synced") {
  const TempFolder folder;
  FaultEnv env;
  std::uint64_t seq = 0;
  {
    const auto store = open(folder.path(), env);
    write(*store, {create_orders()});
    // Unsynced up to and beyond the next log file, then synced: all of it has to be there.
    for (int i = 0; i < 200; ++i) {
      write(*store, {append(++seq, std::string(1000, 'x'))}, Durability::kWritten);
    }
    write(*store, {append(++seq)}, Durability::kSynced);
    env.cut_power();
  }
  env.restore_power();
  const auto store = open(folder.path(), env);
  CHECK(all_seqs(*store).size() == seq);
  CHECK(store->state().queues.at(0).message_count == seq);
}

// One life of a store under a committer, ended by a power loss at a random moment.
struct Life {
  std::set<std::uint64_t> submitted;
  std::set<std::uint64_t> told;    // appends with a report
  std::set<std::uint64_t> erased;  // erases asked for
  std::set<std::uint64_t> gone;    // erases kNow with a report
  std::vector<Seqs> groups;
};

void live(const std::string& path, FaultEnv& env, std::mt19937& random, std::uint64_t& seq,
          Life& life) {
  const auto store = open(path, env);
  Word word;
  Committer journal(*store, quick(), word.callbacks());
  if (store->state().queues.empty()) static_cast<void>(journal.submit(create_orders()));
  std::vector<std::pair<Ticket, Seqs>> appends;
  std::vector<std::pair<Ticket, std::uint64_t>> erases;
  const auto steps = 20 + random() % 200;
  for (std::size_t step = 0; step < steps; ++step) {
    const std::string body(random() % 3000, 'x');
    if (random() % 8 == 0) {
      const Seqs group{seq + 1, seq + 2, seq + 3};
      seq += 3;
      appends.emplace_back(journal.submit_together({append(group[0], body), append(group[1], body),
                                                    append(group[2], body)}),
                           group);
      life.groups.push_back(group);
    } else {
      ++seq;
      appends.emplace_back(journal.submit(append(seq, body)), Seqs{seq});
    }
    for (const std::uint64_t added : appends.back().second)
      life.submitted.insert(added);
    if (random() % 3 == 0 && !life.told.empty()) {
      const std::uint64_t victim = *life.told.begin();
      const Urgency urgency = random() % 2 == 0 ? Urgency::kNow : Urgency::kRide;
      const Ticket ticket = journal.submit(erase(victim, "body", urgency));
      life.told.erase(victim);
      life.erased.insert(victim);
      if (urgency == Urgency::kNow) erases.emplace_back(ticket, victim);
    }
    if (random() % 16 == 0) {
      const Ticket wanted = appends[random() % appends.size()].first;
      REQUIRE(wait_until([&] { return word.last().through >= wanted; }));
    }
  }
  const Ticket through = word.last().through;
  env.cut_power();
  for (const auto& [ticket, seqs] : appends) {
    for (const std::uint64_t added : seqs) {
      if (ticket <= through && !life.erased.contains(added)) life.told.insert(added);
    }
  }
  for (const auto& [ticket, erased] : erases) {
    if (ticket <= through) life.gone.insert(erased);
  }
}

void check(const Life& life, const std::set<std::uint64_t>& found) {
  for (const std::uint64_t seq : life.told)
    CHECK_MESSAGE(found.contains(seq), seq);
  for (const std::uint64_t seq : life.gone)
    CHECK_MESSAGE(!found.contains(seq), seq);
  for (const std::uint64_t seq : found)
    CHECK_MESSAGE(life.submitted.contains(seq), seq);
  for (const Seqs& group : life.groups) {
    std::size_t there = 0;
    bool touched = false;
    for (const std::uint64_t seq : group) {
      if (found.contains(seq)) ++there;
      touched = touched || life.erased.contains(seq);
    }
    if (!touched) CHECK((there == 0 || there == group.size()));
  }
}

TEST_CASE(
    "over random power losses: what was reported is there, what was erased is not, groups whole") {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const TempFolder folder;
    FaultEnv env;
    Life life;
    std::uint64_t seq = 0;
    for (int lives = 0; lives < 4; ++lives) {
      live(folder.path(), env, random, seq, life);
      env.restore_power();
      const auto store = open(folder.path(), env);
      const Seqs found = all_seqs(*store);
      check(life, {found.begin(), found.end()});
      if (!store->state().queues.empty()) {
        CHECK(store->state().queues[0].message_count == found.size());
        seq = std::max(seq, store->state().queues[0].next_seq.value);
      }
    }
  }
}

TEST_CASE("a queue whose drop was synced is gone after a power loss, and is swept to the end") {
  const TempFolder folder;
  FaultEnv env;
  constexpr QueueId kNext{8};
  constexpr std::uint64_t kCount = 20'000;
  {
    const auto store = open(folder.path(), env);
    write(*store, {create_orders()});
    for (std::uint64_t seq = 1; seq <= kCount;) {
      std::vector<Op> ops;
      for (int i = 0; i < 500; ++i)
        ops.emplace_back(append(seq++));
      write(*store, std::move(ops), Durability::kWritten);
    }
    write(*store, {DropQueue{kOrders}, CreateQueue{kNext, std::string(kOrdersName)},
                   Append{kNext, at(1), message(1, "x"), Urgency::kNow}});
    // Two steps of the sweep, and the power goes.
    for (int step = 0; step < 2; ++step) {
      std::vector<Discard> discards;
      static_cast<void>(store->tidy(discards));
      CHECK(!discards.empty());
      CHECK(store->write({{}, discards}, Durability::kWritten).has_value());
    }
    env.cut_power();
  }
  env.restore_power();
  const auto store = open(folder.path(), env);
  REQUIRE(store->state().queues.size() == 1);
  CHECK(store->state().queues[0].queue == kNext);
  CHECK(store->state().queues[0].message_count == 1);
  std::size_t swept = 0;
  while (store->tidy_due()) {
    std::vector<Discard> discards;
    static_cast<void>(store->tidy(discards));
    swept += discards.size();
    if (discards.empty()) continue;
    CHECK(store->write({{}, discards}, Durability::kWritten).has_value());
  }
  // Whatever of the two steps was lost is done again, and the record of the drop goes at last.
  CHECK(swept > kCount - 2 * 5000);
  CHECK(swept <= kCount + 1);
  std::vector<Discard> ignored;
  CHECK(store->load({kNext, at(1, 0), 10, 1000}, ignored).messages.size() == 1);
}

TEST_CASE("a log that is left for the next one is durable before anything behind it is") {
  const TempFolder folder;
  FaultEnv env;
  std::uint64_t seq = 0;
  {
    const auto store = open(folder.path(), env);
    write(*store, {create_orders()});
    env.stall_tables();  // so that the log that is left stays the only place of what it holds
    for (int i = 0; i < 100; ++i) {
      write(*store, {append(++seq, std::string(1000, 'x'))}, Durability::kWritten);
    }
    write(*store, {append(++seq)}, Durability::kSynced);
    env.cut_power();
  }
  env.restore_power();
  CHECK(all_seqs(*open(folder.path(), env)).size() == seq);
}

TEST_CASE("a sync that fails for want of room is a failed sync, not a full disk") {
  const TempFolder folder;
  FaultEnv env;
  const auto store = open(folder.path(), env);
  env.fail_syncs(ENOSPC);
  const auto written = store->write(batch_of({create_orders(), append(1)}), Durability::kSynced);
  REQUIRE(!written.has_value());
  CHECK(written.error().code == ErrorCode::kIo);
  CHECK(!store->write(batch_of({append(2)}), Durability::kWritten).has_value());
}

TEST_CASE("a failed sync is the end: it is said, and nothing is written any more") {
  const TempFolder folder;
  FaultEnv env;
  {
    const auto store = open(folder.path(), env);
    Word word;
    Committer journal(*store, quick(), word.callbacks());
    const Ticket first = journal.submit_together({create_orders(), append(1)});
    REQUIRE(wait_until([&] { return word.last().through >= first; }));
    env.fail_syncs(EIO);
    const Ticket second = journal.submit(append(2));
    REQUIRE(wait_until([&] { return word.last().fatal.has_value(); }));
    CHECK(word.last().fatal->code == ErrorCode::kIo);
    CHECK(word.last().fatal->text.find(folder.path()) != std::string::npos);
    CHECK(word.last().through < second);
    static_cast<void>(journal.submit(append(3)));
    journal.stop();
    env.cut_power();
  }
  env.restore_power();
  CHECK(all_seqs(*open(folder.path(), env)) == Seqs{1});
}

TEST_CASE(
    "after a write that failed for another reason nothing is written, though the disk works") {
  const TempFolder folder;
  FaultEnv env;
  {
    const auto store = open(folder.path(), env);
    write(*store, {create_orders(), append(1)});
    env.fail_writes(EIO);
    const auto written = store->write(batch_of({append(2)}), Durability::kSynced);
    REQUIRE(!written.has_value());
    CHECK(written.error().code == ErrorCode::kIo);
    env.make_room();
    CHECK(!store->write(batch_of({append(3)}), Durability::kSynced).has_value());
    CHECK(!store->write_again().has_value());
  }
  CHECK(all_seqs(*open(folder.path(), env)) == Seqs{1});
}

TEST_CASE("a disk that fills up is a state: it is said, nothing is lost, and it goes on") {
  const TempFolder folder;
  FaultEnv env;
  {
    const auto store = open(folder.path(), env);
    Word word;
    Committer journal(*store, quick(), word.callbacks());
    Ticket last = journal.submit_together({create_orders(), append(1)});
    REQUIRE(wait_until([&] { return word.last().through >= last; }));
    env.fill_disk();
    last = journal.submit(append(2, std::string(300'000, 'x')));
    REQUIRE(wait_until([&] { return word.last().disk_full; }));
    CHECK(!word.last().fatal);
    for (std::uint64_t seq = 3; seq <= 50; ++seq)
      last = journal.submit(append(seq));
    CHECK(word.last().through < last);
    env.make_room();
    REQUIRE(wait_until([&] { return word.last().through >= last && !word.last().disk_full; }));
    CHECK(!word.last().fatal);
    CHECK(all_seqs(*store).size() == 50);
    journal.stop();
    env.cut_power();
  }
  env.restore_power();
  const auto store = open(folder.path(), env);
  CHECK(all_seqs(*store).size() == 50);
  CHECK(store->state().queues.at(0).message_count == 50);
}

TEST_CASE("a disk that is full when a table is written is a state too") {
  const TempFolder folder;
  FaultEnv env;
  const auto store = open(folder.path(), env);
  Word word;
  Committer journal(*store, quick(), word.callbacks());
  Ticket last = journal.submit_together({create_orders(), append(1)});
  REQUIRE(wait_until([&] { return word.last().through >= last; }));
  env.fill_disk();
  // Far more than one write buffer.
  for (std::uint64_t seq = 2; seq <= 500; ++seq)
    last = journal.submit(append(seq, std::string(2000, 'x')));
  REQUIRE(wait_until([&] { return word.last().disk_full; }));
  env.make_room();
  REQUIRE(wait_until([&] { return word.last().through >= last; }));
  CHECK(!word.last().fatal);
  CHECK(all_seqs(*store).size() == 500);
}

TEST_CASE("below the floor of free space appends wait while erases are written") {
  const TempFolder folder;
  FaultEnv env;
  std::atomic<std::uint64_t> free_bytes{1000};
  LeveldbSeams seams = seams_of(env);
  seams.free_bytes = [&free_bytes] { return free_bytes.load(); };
  StoreOptions options = small_store(folder.path());
  options.free_bytes_floor = 500;
  auto opened = LeveldbStore::open(options, seams);
  REQUIRE(opened.has_value());
  LeveldbStore& store = *opened.value();
  Word word;
  Committer journal(store, quick(), word.callbacks());
  Ticket last = journal.submit_together({create_orders(), append(1), append(2)});
  REQUIRE(wait_until([&] { return word.last().through >= last; }));
  free_bytes = 499;
  last = journal.submit(append(3));
  REQUIRE(wait_until([&] { return word.last().disk_full; }));
  static_cast<void>(journal.submit(erase(1, "body", Urgency::kNow)));
  CHECK(wait_until([&] { return all_seqs(store) == Seqs{2}; }));
  free_bytes = 500;
  REQUIRE(wait_until([&] { return word.last().through >= last && !word.last().disk_full; }));
  CHECK(all_seqs(store) == Seqs{2, 3});
}

TEST_CASE("a folder that may not be written is refused with a sentence") {
  const TempFolder folder;
  FaultEnv env;
  env.cut_power();
  const auto refused = LeveldbStore::open(small_store(folder.path()), seams_of(env));
  REQUIRE(!refused.has_value());
  CHECK(refused.error().text.find("The queue store in " + folder.path() + " could not be opened") ==
        0);
}

}  // namespace
}  // namespace stompbox::queue::test
