#include "storage/queue/pending.h"

#include <doctest/doctest.h>

#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "tests/unit/queue/fixtures.h"

namespace stompbox::queue::test {
namespace {

using namespace std::chrono_literals;
using TimePoint = Pending::TimePoint;

constexpr TimePoint kStart{1h};

// The numbers of what was taken, erases and returns negative; of queues, 1000 when one is made and
// -1000 when one is dropped.
std::vector<int> taken_seqs(const Pending::Taken& taken) {
  std::vector<int> found;
  for (const Op& op : taken.batch.ops) {
    if (const auto* append = std::get_if<Append>(&op)) {
      found.push_back(static_cast<int>(append->place.seq.value));
    } else if (const auto* erase = std::get_if<Erase>(&op)) {
      found.push_back(-static_cast<int>(erase->place.seq.value));
    } else if (const auto* back = std::get_if<Return>(&op)) {
      found.push_back(-static_cast<int>(back->place.seq.value));
    } else {
      found.push_back(std::holds_alternative<CreateQueue>(op) ? 1000 : -1000);
    }
  }
  return found;
}

Pending::Taken take(Pending& pending, TimePoint now = kStart, Room room = Room::kEnough) {
  Pending::Taken taken;
  pending.take(now, room, taken);
  return taken;
}

using Seqs = std::vector<int>;

TEST_CASE("an erase joins the run that it stands behind") {
  Erase run = erase(7);
  CHECK(joins(run, erase(8)));
  CHECK(joins(run, erase(9)));
  CHECK(run.place == at(7));
  CHECK(run.count == 3);
  CHECK(run.bytes == erase(7).bytes);
}

TEST_CASE("no erase joins a run that has another place, size, persistence, queue or hurry") {
  Erase other_queue = erase(8);
  other_queue.queue = QueueId{77};
  Erase other_class = erase(8);
  other_class.place = at(8, 4);
  Erase of_a_volatile = erase(8);
  of_a_volatile.persistence = Persistence::kVolatile;
  for (const Erase& next :
       {erase(7), erase(6), erase(9), erase(8, "larger than the body"), other_queue, other_class,
        of_a_volatile, erase(8, "body", Urgency::kNow)}) {
    Erase run = erase(7);
    CHECK_FALSE(joins(run, next));
    CHECK(run.count == 1);
  }
  Erase urgent = erase(7, "body", Urgency::kNow);
  CHECK_FALSE(joins(urgent, erase(8, "body", Urgency::kNow)));
}

TEST_CASE("a run of erases is bounded, and counts in a batch for what it is") {
  Erase run = erase(1);
  std::uint64_t seq = 2;
  while (joins(run, erase(seq)))
    ++seq;
  CHECK(run.count == 4096);
  Pending pending{JournalOptions{}};
  for (std::uint32_t i = 0; i < 8; ++i)
    static_cast<void>(pending.add(run, kStart));
  CHECK(take(pending, kStart + 1h).batch.ops.size() == 4);  // 64 bytes each, of 1 MiB
}

TEST_CASE("all that is pending is taken in order, in one batch") {
  Pending pending{JournalOptions{}};
  Ticket last;
  for (std::uint64_t seq = 1; seq <= 100; ++seq)
    last = pending.add(append(seq), kStart);
  CHECK(pending.due() == TimePoint::min());
  const Pending::Taken taken = take(pending);
  CHECK(taken.batch.ops.size() == 100);
  CHECK(taken_seqs(taken).front() == 1);
  CHECK(taken_seqs(taken).back() == 100);
  CHECK(taken.through == last);
  CHECK(taken.durability == Durability::kSynced);
  CHECK(pending.due() == TimePoint::max());
}

TEST_CASE("a batch is bounded in bytes, and the rest is due at once") {
  JournalOptions options;
  options.batch_bytes_max = 10'000;
  Pending pending(options);
  for (std::uint64_t seq = 1; seq <= 4; ++seq) {
    static_cast<void>(pending.add(append(seq, std::string(4000, 'x'), Urgency::kLinger), kStart));
  }
  CHECK(taken_seqs(take(pending, kStart + options.linger)) == Seqs{1, 2});
  CHECK(pending.due() == TimePoint::min());
  CHECK(taken_seqs(take(pending, kStart + options.linger)) == Seqs{3, 4});
}

TEST_CASE("a message or a group larger than a batch is taken whole") {
  JournalOptions options;
  options.batch_bytes_max = 1000;
  Pending pending(options);
  static_cast<void>(pending.add(append(1, std::string(5000, 'x')), kStart));
  static_cast<void>(
      pending.add_group({append(2), append(3, std::string(5000, 'x')), append(4)}, kStart));
  static_cast<void>(pending.add(append(5), kStart));
  CHECK(taken_seqs(take(pending)) == Seqs{1});
  CHECK(taken_seqs(take(pending)) == Seqs{2, 3, 4});
  CHECK(taken_seqs(take(pending)) == Seqs{5});
}

TEST_CASE("an append that is withdrawn in time is not written") {
  Pending pending{JournalOptions{}};
  const Ticket first = pending.add(append(1), kStart);
  const Ticket second = pending.add(append(2), kStart);
  const std::uint64_t both = pending.append_bytes();
  CHECK(pending.withdraw(first));
  CHECK(!pending.withdraw(first));
  CHECK(pending.append_bytes() == both / 2);
  const Pending::Taken taken = take(pending);
  CHECK(taken_seqs(taken) == Seqs{2});
  CHECK(taken.through == second);
  CHECK(!pending.withdraw(second));
  CHECK(pending.append_bytes() == 0);
}

TEST_CASE("tickets stay right over thousands of withdrawn and taken slots") {
  Pending pending{JournalOptions{}};
  std::vector<Ticket> tickets;
  for (std::uint64_t seq = 1; seq <= 20'000; ++seq) {
    tickets.push_back(pending.add(append(seq, "x", Urgency::kLinger), kStart));
  }
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    if (i % 1000 != 7) CHECK(pending.withdraw(tickets[i]));
  }
  const Pending::Taken taken = take(pending, kStart + 10ms);
  CHECK(taken.batch.ops.size() == 20);
  CHECK(taken.through == tickets.back());
}

TEST_CASE("lingering appends wait for their time, then all that is pending goes") {
  const JournalOptions options;
  Pending pending(options);
  static_cast<void>(pending.add(append(1, "x", Urgency::kLinger), kStart));
  static_cast<void>(pending.add(append(2, "x", Urgency::kLinger), kStart + 5ms));
  static_cast<void>(pending.add(erase(3), kStart + 6ms));
  CHECK(pending.due() == kStart + options.linger);
  CHECK(take(pending, kStart + options.linger - 1ns).batch.empty());
  const Pending::Taken taken = take(pending, kStart + options.linger);
  CHECK(taken_seqs(taken) == Seqs{1, 2, -3});
  CHECK(taken.durability == Durability::kSynced);
}

TEST_CASE("something urgent takes everything along, in order") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add(append(1, "x", Urgency::kLinger), kStart));
  static_cast<void>(pending.add(erase(2), kStart));
  static_cast<void>(pending.add(append(3), kStart));
  CHECK(pending.due() == TimePoint::min());
  CHECK(taken_seqs(take(pending)) == Seqs{1, -2, 3});
}

TEST_CASE("a lingering append that was withdrawn does not make the others due") {
  Pending pending{JournalOptions{}};
  const Ticket first = pending.add(append(1, "x", Urgency::kLinger), kStart);
  static_cast<void>(pending.add(append(2, "x", Urgency::kLinger), kStart + 8ms));
  CHECK(pending.withdraw(first));
  CHECK(take(pending, kStart + 10ms).batch.empty());
  CHECK(pending.due() == kStart + 18ms);
}

TEST_CASE("a withdrawn tail counts as done although there is nothing to write") {
  const JournalOptions options;
  Pending pending(options);
  const Ticket first = pending.add(append(1, "x", Urgency::kLinger), kStart);
  const Ticket second = pending.add(append(2, "x", Urgency::kLinger), kStart);
  CHECK(pending.withdraw(first));
  CHECK(pending.withdraw(second));
  const Pending::Taken taken = take(pending, kStart + options.linger);
  CHECK(taken.batch.empty());
  CHECK(taken.through == second);
}

TEST_CASE("erases and returns that only ride are written unsynced after a while") {
  const JournalOptions options;
  Pending pending(options);
  static_cast<void>(pending.add(erase(1), kStart));
  static_cast<void>(pending.add(Return{kOrders, at(2), 1}, kStart));
  CHECK(pending.due() == kStart + options.ride);
  const Pending::Taken taken = take(pending, kStart + options.ride);
  CHECK(taken_seqs(taken) == Seqs{-1, -2});
  CHECK(taken.durability == Durability::kWritten);
}

TEST_CASE("what asks for a sync, and what does not") {
  const auto durability_of = [](Op op) {
    Pending pending{JournalOptions{}};
    static_cast<void>(pending.add(std::move(op), kStart));
    return take(pending, kStart + 1h).durability;
  };
  CHECK(durability_of(append(1)) == Durability::kSynced);
  CHECK(durability_of(append(1, "x", Urgency::kLinger)) == Durability::kSynced);
  CHECK(durability_of(append_volatile(1)) == Durability::kWritten);
  CHECK(durability_of(erase(1)) == Durability::kWritten);
  CHECK(durability_of(erase(1, "x", Urgency::kNow)) == Durability::kSynced);
  CHECK(durability_of(Return{kOrders, at(1), 1}) == Durability::kWritten);
  CHECK(durability_of(create_orders()) == Durability::kWritten);
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add_group({Return{kOrders, at(1), 1}}, kStart));
  CHECK(take(pending).durability == Durability::kSynced);
}

TEST_CASE("discards ride along with the next batch, or go alone after a while") {
  const JournalOptions options;
  Pending pending(options);
  pending.add_discards({{kOrders, at(1), Discard::Reason::kStale, Persistence::kVolatile, 1, {}}},
                       Urgency::kRide, kStart);
  CHECK(pending.due() == kStart + options.ride);
  CHECK(take(pending, kStart).batch.discards.empty());
  static_cast<void>(pending.add(append(5), kStart));
  CHECK(take(pending, kStart).batch.discards.size() == 1);
  CHECK(pending.due() == TimePoint::max());
}

TEST_CASE("discards that are urgent are due at once, and are not synced") {
  Pending pending{JournalOptions{}};
  pending.add_discards({{kOrders, at(1), Discard::Reason::kDropped, {}, 0, "key"}}, Urgency::kRide,
                       kStart);
  pending.add_discards({{kOrders, at(2), Discard::Reason::kDropped, {}, 0, "key"}}, Urgency::kNow,
                       kStart);
  CHECK(pending.due() == TimePoint::min());
  const Pending::Taken taken = take(pending);
  CHECK(taken.batch.discards.size() == 2);
  CHECK(taken.durability == Durability::kWritten);
}

TEST_CASE("on a full disk the word about removals does not wait for the held appends") {
  Pending pending{JournalOptions{}};
  const Ticket held = pending.add(append(10), kStart);
  const Ticket erased = pending.add_group({erase(1)}, kStart);
  static_cast<void>(pending.add_group({append(11), append(12)}, kStart));
  const Pending::Taken taken = take(pending, kStart, Room::kFull);
  CHECK(taken.through < held);
  CHECK(taken.removals_through > erased);
  const Ticket refers = pending.add_group({erase(12)}, kStart);
  static_cast<void>(pending.add(erase(2, "x", Urgency::kNow), kStart));
  CHECK(take(pending, kStart, Room::kFull).removals_through < refers);
  pending.release_held();
  const Pending::Taken rest = take(pending);
  CHECK(rest.through > refers);
  CHECK(rest.removals_through == rest.through);
}

TEST_CASE("a queue that is dropped on a full disk takes its held appends with it") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add(append(10), kStart));
  static_cast<void>(
      pending.add(Append{QueueId{8}, at(11), message(11, "x"), Urgency::kNow}, kStart));
  static_cast<void>(take(pending, kStart, Room::kFull));
  const Ticket drop = pending.add_group({DropQueue{kOrders}}, kStart);
  const Pending::Taken taken = take(pending, kStart, Room::kFull);
  CHECK(taken_seqs(taken) == Seqs{-1000});
  CHECK(taken.removals_through == drop);
  pending.release_held();
  CHECK(taken_seqs(take(pending)) == Seqs{11});
}

TEST_CASE("a queue is not dropped before a held group, and its name not made anew before that") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add_group({append(10), append(11)}, kStart));
  const Ticket drop = pending.add(DropQueue{kOrders}, kStart);
  static_cast<void>(pending.add(CreateQueue{QueueId{8}, std::string(kOrdersName)}, kStart));
  static_cast<void>(pending.add(erase(1, "x", Urgency::kNow), kStart));
  const Pending::Taken taken = take(pending, kStart, Room::kFull);
  CHECK(taken_seqs(taken) == Seqs{-1});
  CHECK(taken.removals_through < drop);
  pending.release_held();
  CHECK(taken_seqs(take(pending)) == Seqs{10, 11, -1000, 1000});
}

TEST_CASE(
    "on a full disk appends are held, erases go on, and the word stays in front of the held") {
  Pending pending{JournalOptions{}};
  const Ticket first = pending.add(erase(1, "x", Urgency::kNow), kStart);
  static_cast<void>(pending.add(append(10), kStart));
  static_cast<void>(pending.add(erase(2, "x", Urgency::kNow), kStart));
  static_cast<void>(pending.add_group({append(11), erase(3)}, kStart));
  const Pending::Taken taken = take(pending, kStart, Room::kFull);
  CHECK(taken_seqs(taken) == Seqs{-1, -2});
  CHECK(taken.through == first);
  CHECK(pending.is_holding());
  CHECK(pending.due() == TimePoint::max());
  const Ticket last = pending.add(erase(4, "x", Urgency::kNow), kStart);
  CHECK(taken_seqs(take(pending, kStart, Room::kFull)) == Seqs{-4});
  pending.release_held();
  CHECK(pending.due() == TimePoint::min());
  const Pending::Taken rest = take(pending);
  CHECK(taken_seqs(rest) == Seqs{10, 11, -3});
  CHECK(rest.through == last);
  CHECK(!pending.is_holding());
  CHECK(!pending.has_appends());
}

TEST_CASE("the erase of a held append cancels both") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add(append(10), kStart));
  CHECK(take(pending, kStart, Room::kFull).batch.empty());
  const Ticket last = pending.add(erase(10, "body", Urgency::kNow), kStart);
  const Pending::Taken taken = take(pending, kStart, Room::kFull);
  CHECK(taken.batch.empty());
  CHECK(taken.through == last);
  CHECK(!pending.is_holding());
  CHECK(pending.append_bytes() == 0);
}

TEST_CASE("a held append can be withdrawn") {
  Pending pending{JournalOptions{}};
  const Ticket held = pending.add(append(10), kStart);
  static_cast<void>(pending.add(append(11), kStart));
  static_cast<void>(take(pending, kStart, Room::kFull));
  CHECK(pending.withdraw(held));
  CHECK(pending.is_holding());
  const Ticket last = pending.add(erase(10, "body", Urgency::kNow), kStart);
  CHECK(taken_seqs(take(pending, kStart, Room::kFull)) == Seqs{-10});
  pending.release_held();
  const Pending::Taken rest = take(pending);
  CHECK(taken_seqs(rest) == Seqs{11});
  CHECK(rest.through == last);
}

TEST_CASE("what was held goes as soon as there is room, whatever its urgency was") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add(append(10, "x", Urgency::kLinger), kStart));
  static_cast<void>(pending.add(erase(1, "x", Urgency::kNow), kStart));
  CHECK(taken_seqs(take(pending, kStart, Room::kFull)) == Seqs{-1});
  pending.release_held();
  CHECK(pending.due() == TimePoint::min());
  CHECK(taken_seqs(take(pending)) == Seqs{10});
}

TEST_CASE("what refers to a held group waits behind it") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add_group({append(10), append(11)}, kStart));
  static_cast<void>(pending.add(erase(10, "body", Urgency::kNow), kStart));
  static_cast<void>(pending.add(Return{kOrders, at(11), 1}, kStart));
  static_cast<void>(pending.add_group({erase(11)}, kStart));
  CHECK(take(pending, kStart, Room::kFull).batch.empty());
  pending.release_held();
  CHECK(taken_seqs(take(pending)) == Seqs{10, 11, -10, -11, -11});
}

TEST_CASE("a hurry makes everything due") {
  Pending pending{JournalOptions{}};
  static_cast<void>(pending.add(append(1, "x", Urgency::kLinger), kStart));
  static_cast<void>(pending.add(erase(2), kStart));
  pending.hurry();
  CHECK(taken_seqs(take(pending)) == Seqs{1, -2});
}

}  // namespace
}  // namespace stompbox::queue::test
