#include "storage/queue/committer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include "tests/unit/queue/fake_store.h"
#include "tests/unit/queue/fixtures.h"

namespace stompbox::queue::test {
namespace {

using namespace std::chrono_literals;
using storage::Error;
using storage::ErrorCode;
using Seqs = std::vector<std::uint64_t>;

// Where the loop would be: keeps what was posted.
class Loop {
 public:
  Committer::Callbacks callbacks() {
    return {[this](CommitReport report) {
              const std::lock_guard lock(mutex_);
              reports_.push_back(std::move(report));
            },
            [this](LoadedPage page) {
              const std::lock_guard lock(mutex_);
              pages_.push_back(std::move(page));
            }};
  }
  [[nodiscard]] std::vector<CommitReport> reports() const {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  [[nodiscard]] bool was_told(Ticket ticket) const {
    const std::lock_guard lock(mutex_);
    return !reports_.empty() && reports_.back().through >= ticket;
  }
  [[nodiscard]] bool is_full() const {
    const std::lock_guard lock(mutex_);
    return !reports_.empty() && reports_.back().disk_full;
  }
  [[nodiscard]] std::uint64_t first_page_tag() const {
    const std::lock_guard lock(mutex_);
    return pages_.at(0).tag;
  }
  [[nodiscard]] std::size_t page_count() const {
    const std::lock_guard lock(mutex_);
    return pages_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<CommitReport> reports_;
  std::vector<LoadedPage> pages_;
};

JournalOptions quick() {
  JournalOptions options;
  options.full_retry = 1ms;
  return options;
}

// So that only what the test does makes something due.
JournalOptions patient() {
  JournalOptions options;
  options.linger = 1h;
  options.ride = 1h;
  options.full_retry = 1h;
  return options;
}

// A committer whose thread is inside a write of number 1, until the gate is opened.
struct BusyCommitter {
  explicit BusyCommitter(const JournalOptions& options = quick()) {
    store.close_gate();
    journal.emplace(store, options, loop.callbacks());
    first = journal->submit(append(1));
    REQUIRE(wait_until([this] { return store.begun() == 1; }));
  }

  FakeStore store;
  Loop loop;
  std::optional<Committer> journal;
  Ticket first;
};

TEST_CASE("what comes in during a sync is one batch with one sync and one report") {
  BusyCommitter busy;
  Ticket last;
  for (std::uint64_t seq = 2; seq <= 257; ++seq)
    last = busy.journal->submit(append(seq));
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(last); }));
  const auto written = busy.store.written();
  REQUIRE(written.size() == 2);
  CHECK(written[0].appended == Seqs{1});
  CHECK(written[1].appended.size() == 256);
  CHECK(written[1].durability == Durability::kSynced);
  CHECK(busy.loop.reports().size() == 2);
}

TEST_CASE("an append is withdrawn while it waits, and not while it is written") {
  BusyCommitter busy;
  const Ticket waiting = busy.journal->submit(append(2));
  const Ticket last = busy.journal->submit(append(3));
  CHECK(!busy.journal->withdraw(busy.first));
  CHECK(busy.journal->withdraw(waiting));
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(last); }));
  CHECK(busy.store.written()[1].appended == Seqs{3});
  CHECK(!busy.journal->withdraw(last));
}

TEST_CASE("pending bytes are what is submitted, less what is withdrawn, less what is reported") {
  BusyCommitter busy;
  const std::uint64_t one = append(1).message->bytes();
  CHECK(busy.journal->pending_bytes() == one);
  const Ticket second = busy.journal->submit(append(2));
  const Ticket third = busy.journal->submit(append(3));
  CHECK(busy.journal->pending_bytes() == 3 * one);
  CHECK(busy.journal->withdraw(second));
  CHECK(busy.journal->pending_bytes() == 2 * one);
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(third); }));
  CHECK(busy.journal->pending_bytes() == 0);
  CHECK(busy.loop.reports().back().pending_bytes == 0);
}

TEST_CASE("a group is written in one batch, however much comes with it") {
  JournalOptions options = quick();
  options.batch_bytes_max = 500;
  BusyCommitter busy(options);
  static_cast<void>(busy.journal->submit(append(2)));
  const Ticket group =
      busy.journal->submit_together({append(3, std::string(900, 'x')), append(4), append(5)});
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(group); }));
  const auto written = busy.store.written();
  REQUIRE(written.size() == 3);
  CHECK(written[2].appended == Seqs{3, 4, 5});
}

TEST_CASE("a lingering append is written when its time is over") {
  FakeStore store;
  Loop loop;
  Committer journal(store, quick(), loop.callbacks());
  const Ticket ticket = journal.submit(append(1, "x", Urgency::kLinger));
  CHECK(wait_until([&] { return loop.was_told(ticket); }));
}

TEST_CASE("a lingering append is not written before something urgent comes or its time is over") {
  FakeStore store;
  Loop loop;
  Committer journal(store, patient(), loop.callbacks());
  static_cast<void>(journal.submit(append(1, "x", Urgency::kLinger)));
  static_cast<void>(journal.submit(erase(9)));
  const Ticket urgent = journal.submit(append(2));
  REQUIRE(wait_until([&] { return loop.was_told(urgent); }));
  const auto written = store.written();
  REQUIRE(written.size() == 1);
  CHECK(written[0].appended == Seqs{1, 2});
  CHECK(written[0].erased == Seqs{9});
}

TEST_CASE("erases that ride are written unsynced after a while") {
  FakeStore store;
  Loop loop;
  JournalOptions options = patient();
  options.ride = 1ms;
  Committer journal(store, options, loop.callbacks());
  const Ticket ticket = journal.submit(erase(1));
  REQUIRE(wait_until([&] { return loop.was_told(ticket); }));
  CHECK(store.written()[0].durability == Durability::kWritten);
}

TEST_CASE("volatile appends alone are not synced") {
  FakeStore store;
  Loop loop;
  Committer journal(store, quick(), loop.callbacks());
  const Ticket ticket = journal.submit(append_volatile(1));
  REQUIRE(wait_until([&] { return loop.was_told(ticket); }));
  CHECK(store.written()[0].durability == Durability::kWritten);
}

TEST_CASE("with sync never nothing is synced") {
  FakeStore store;
  Loop loop;
  JournalOptions options = quick();
  options.sync = SyncPolicy::kNever;
  Committer journal(store, options, loop.callbacks());
  const Ticket ticket = journal.submit(append(1));
  REQUIRE(wait_until([&] { return loop.was_told(ticket); }));
  CHECK(store.written()[0].durability == Durability::kWritten);
}

TEST_CASE("below the floor of free space appends wait and erases go on, and both are told") {
  FakeStore store;
  Loop loop;
  store.set_room(Room::kFull);
  Committer journal(store, quick(), loop.callbacks());
  const Ticket held = journal.submit(append(1));
  REQUIRE(wait_until([&] { return loop.is_full(); }));
  CHECK(loop.reports().back().pending_bytes == append(1).message->bytes());
  static_cast<void>(journal.submit(erase(9, "x", Urgency::kNow)));
  REQUIRE(wait_until([&] { return store.written().size() == 1; }));
  CHECK(store.written()[0].erased == Seqs{9});
  CHECK(wait_until([&] { return loop.reports().back().removals_through > held; }));
  CHECK(!loop.was_told(held));
  store.set_room(Room::kEnough);
  REQUIRE(wait_until([&] { return loop.was_told(held); }));
  CHECK(store.written()[1].appended == Seqs{1});
  CHECK(wait_until([&] { return !loop.is_full(); }));
  std::size_t changes = 0;
  bool was_full = false;
  for (const CommitReport& report : loop.reports()) {
    if (report.disk_full != was_full) ++changes;
    was_full = report.disk_full;
  }
  CHECK(changes == 2);
}

TEST_CASE("a held append can be withdrawn, and the full state ends when there is room") {
  FakeStore store;
  Loop loop;
  store.set_room(Room::kFull);
  Committer journal(store, quick(), loop.callbacks());
  const Ticket held = journal.submit(append(1));
  REQUIRE(wait_until([&] { return loop.is_full(); }));
  CHECK(journal.withdraw(held));
  CHECK(journal.pending_bytes() == 0);
  store.set_room(Room::kEnough);
  CHECK(wait_until([&] { return !loop.is_full(); }));
  CHECK(store.written().empty());
}

TEST_CASE("a batch that finds the disk full is written again, once, before anything else") {
  FakeStore store;
  Loop loop;
  store.fail_writes(Error{ErrorCode::kFull, "full"});
  Committer journal(store, quick(), loop.callbacks());
  const Ticket first = journal.submit(append(1));
  REQUIRE(wait_until([&] { return loop.is_full(); }));
  const Ticket second = journal.submit(append(2));
  CHECK(!loop.was_told(first));
  store.fail_writes(std::nullopt);
  REQUIRE(wait_until([&] { return loop.was_told(second) && !loop.is_full(); }));
  const auto written = store.written();
  REQUIRE(written.size() == 2);
  CHECK(written[0].appended == Seqs{1});
  CHECK(written[1].appended == Seqs{2});
}

TEST_CASE("any other failure of a write is the end: one word, then silence") {
  FakeStore store;
  Loop loop;
  store.fail_writes(Error{ErrorCode::kIo, "The disk is broken"});
  Committer journal(store, quick(), loop.callbacks());
  const Ticket first = journal.submit(append(1));
  REQUIRE(wait_until([&] { return !loop.reports().empty(); }));
  CHECK(loop.reports()[0].fatal == Error{ErrorCode::kIo, "The disk is broken"});
  CHECK(!loop.was_told(first));
  store.fail_writes(std::nullopt);
  const Ticket second = journal.submit(append(2));
  CHECK(second > first);
  CHECK(journal.submit(append(3)) > second);
  journal.stop();
  CHECK(loop.reports().size() == 1);
  CHECK(store.written().empty());
}

TEST_CASE("stopping writes what is pending, whatever its urgency") {
  FakeStore store;
  Loop loop;
  Committer journal(store, patient(), loop.callbacks());
  static_cast<void>(journal.submit(append(1, "x", Urgency::kLinger)));
  static_cast<void>(journal.submit(erase(9)));
  journal.stop();
  REQUIRE(store.written().size() == 1);
  CHECK(store.written()[0].appended == Seqs{1});
  CHECK(store.written()[0].erased == Seqs{9});
}

TEST_CASE("stopping below the floor of free space writes what waits: there is no later") {
  FakeStore store;
  Loop loop;
  store.set_room(Room::kFull);
  Committer journal(store, patient(), loop.callbacks());
  static_cast<void>(journal.submit(append(1)));
  REQUIRE(wait_until([&] { return !loop.reports().empty(); }));
  CHECK(store.written().empty());
  journal.stop();
  REQUIRE(store.written().size() == 1);
  CHECK(store.written()[0].appended == Seqs{1});
  CHECK(journal.pending_bytes() == 0);
}

TEST_CASE("stopping on a disk that refuses to write ends, and says how much is lost") {
  FakeStore store;
  Loop loop;
  store.set_room(Room::kFull);
  store.fail_writes(Error{ErrorCode::kFull, "No space"});
  Committer journal(store, patient(), loop.callbacks());
  static_cast<void>(journal.submit(append(1)));
  journal.stop();
  CHECK(store.written().empty());
  CHECK(journal.pending_bytes() > 0);
}

TEST_CASE("a load is answered by one page, and what it found is written by the committer") {
  FakeStore store;
  Loop loop;
  JournalOptions options = patient();
  options.ride = 1ms;
  store.find_when_loading(
      {{kOrders, at(1), Discard::Reason::kStale, Persistence::kVolatile, 1, {}}});
  Committer journal(store, options, loop.callbacks());
  journal.load({kOrders, at(1), 10, 1000, 77});
  REQUIRE(wait_until([&] { return store.written().size() == 1; }));
  CHECK(store.written()[0].discard_count == 1);
  REQUIRE(wait_until([&] { return loop.page_count() == 1; }));
  CHECK(loop.first_page_tag() == 77);
}

TEST_CASE("the sweeper is woken on a full disk although nothing can be written") {
  FakeStore store;
  Loop loop;
  store.set_room(Room::kFull);
  Committer journal(store, quick(), loop.callbacks());
  static_cast<void>(journal.submit(append(1)));
  REQUIRE(wait_until([&] { return loop.is_full(); }));
  store.have_tidying_due();
  CHECK(wait_until([&] { return store.tidied() == 1; }));
  CHECK(store.written().empty());
}

TEST_CASE("what is submitted while the journal is held is written in order when it is released") {
  BusyCommitter busy;
  busy.journal->hold();
  std::vector<Ticket> tickets{busy.first};
  for (std::uint64_t seq = 2; seq <= 200; ++seq)
    tickets.push_back(busy.journal->submit(append(seq)));
  tickets.push_back(busy.journal->submit_together({append(201), append(202)}));
  tickets.push_back(busy.journal->submit(append(203)));
  for (std::size_t i = 1; i < tickets.size(); ++i)
    CHECK(tickets[i - 1] < tickets[i]);
  CHECK(busy.journal->pending_bytes() == 203 * append(1).message->bytes());
  CHECK(busy.journal->withdraw(tickets.back()));
  const Ticket last = busy.journal->submit(append(204));
  busy.journal->release();
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(last); }));
  Seqs written;
  for (const FakeStore::Written& batch : busy.store.written())
    written.insert(written.end(), batch.appended.begin(), batch.appended.end());
  REQUIRE(written.size() == 203);
  CHECK(std::is_sorted(written.begin(), written.end()));
  CHECK(written.back() == 204);
  CHECK(busy.journal->pending_bytes() == 0);
}

TEST_CASE(
    "erases one behind the other are one operation under one ticket while the journal is held") {
  FakeStore store;
  Loop loop;
  Committer journal(store, quick(), loop.callbacks());
  journal.hold();
  const Ticket first = journal.submit(erase(1));
  for (std::uint64_t seq = 2; seq <= 1000; ++seq)
    CHECK(journal.submit(erase(seq)) == first);
  CHECK(journal.submit(erase(1002)) > first);
  const Ticket last = journal.submit(erase(1003, "body", Urgency::kNow));
  journal.release();
  REQUIRE(wait_until([&] { return loop.was_told(last); }));
  Seqs expected(1000);
  std::iota(expected.begin(), expected.end(), 1);
  expected.insert(expected.end(), {1002, 1003});
  CHECK(store.written().back().erased == expected);
}

TEST_CASE("an erase joins no run while an append is pending, for it may be of that") {
  BusyCommitter busy;
  busy.journal->hold();
  const Ticket appended = busy.journal->submit(append(3));
  const Ticket erased = busy.journal->submit(erase(2));
  CHECK(busy.journal->submit(erase(3)) > erased);
  CHECK(busy.journal->withdraw(appended));
  busy.journal->release();
  busy.store.open_gate();
  REQUIRE(wait_until([&] { return busy.loop.was_told(erased); }));
}

TEST_CASE("a held journal hands over what has become many, and at a stop everything") {
  FakeStore store;
  Loop loop;
  Committer journal(store, quick(), loop.callbacks());
  journal.hold();
  Ticket last;
  for (std::uint64_t seq = 1; seq <= 64; ++seq)
    last = journal.submit(append(seq));
  CHECK(wait_until([&] { return loop.was_told(last); }));
  static_cast<void>(journal.submit(append(65)));
  journal.stop();
  CHECK(store.written().back().appended == Seqs{65});
}

TEST_CASE("after the end a held journal gives out tickets as before, and writes nothing") {
  FakeStore store;
  Loop loop;
  store.fail_writes(Error{ErrorCode::kIo, "broken"});
  Committer journal(store, quick(), loop.callbacks());
  const Ticket first = journal.submit(append(1));
  REQUIRE(wait_until([&] { return !loop.reports().empty() && loop.reports().back().fatal; }));
  journal.hold();
  const Ticket second = journal.submit(append(2));
  journal.release();
  const Ticket third = journal.submit(append(3));
  CHECK(first < second);
  CHECK(second < third);
  CHECK(store.written().empty());
}

TEST_CASE("a withdrawal that leaves nothing to write is reported all the same") {
  FakeStore store;
  Loop loop;
  JournalOptions options;
  options.linger = 500ms;
  Committer journal(store, options, loop.callbacks());
  const Ticket ticket = journal.submit(append(1, "x", Urgency::kLinger));
  REQUIRE(journal.withdraw(ticket));
  CHECK(wait_until([&] { return loop.was_told(ticket); }));
  CHECK(store.written().empty());
}

}  // namespace
}  // namespace stompbox::queue::test
