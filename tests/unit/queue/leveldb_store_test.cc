#include "storage/queue/leveldb_store.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"
#include "tests/unit/queue/fixtures.h"
#include "tests/unit/queue/store_fixtures.h"

namespace stompbox::queue::test {
namespace {

TEST_CASE("a message comes back from the store as it went in, over a start too") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  Message small = *message(1, std::string("bytes\0and\n", 10));
  small.block_is_plain = false;
  Message large = *message(2, std::string(100'000, 'L'));
  large.destination = "/queue/elsewhere";
  large.expires_ms = 1'800'000'000'000;
  const auto check = [&](QueueStore& store) {
    const LoadedPage page = load(store, at(1));
    REQUIRE(page.messages.size() == 2);
    CHECK(!page.error);
    CHECK(!page.more);
    for (const auto& [sent, place] : {std::pair{small, 0}, std::pair{large, 1}}) {
      const Message& got = *page.messages[static_cast<std::size_t>(place)].message;
      CHECK(got.id == sent.id);
      CHECK(got.destination == sent.destination);
      CHECK(got.header_block == sent.header_block);
      CHECK(got.block_is_plain == sent.block_is_plain);
      CHECK(got.body == sent.body);
      CHECK(got.arrived_ms == sent.arrived_ms);
      CHECK(got.expires_ms == sent.expires_ms);
      CHECK(got.persistence == Persistence::kDurable);
    }
  };
  {
    const auto store = open(options);
    write(*store,
          {create_orders(), Append{kOrders, at(1), std::make_shared<Message>(small), Urgency::kNow},
           Append{kOrders, at(2), std::make_shared<Message>(large), Urgency::kNow}});
    check(*store);
  }
  check(*open(options));
}

TEST_CASE("pages keep to their bounds and go on where they stopped") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store, {create_orders()});
  fill(*store, 1, 25, std::string(1000, 'x'));
  const LoadedPage by_count = load(*store, at(1), 10);
  CHECK(by_count.messages.size() == 10);
  CHECK(by_count.more);
  CHECK(load(*store, at(1), 25).messages.size() == 25);
  CHECK(!load(*store, at(1), 25).more);
  const std::size_t one = append(1, std::string(1000, 'x')).message->bytes();
  CHECK(load(*store, at(1), 100, 5 * one).messages.size() == 5);
  CHECK(load(*store, at(1), 100, 5 * one - 1).messages.size() == 4);
  CHECK(load(*store, at(1), 100, 1).messages.size() == 1);
  CHECK(all_seqs(*store, 7).size() == 25);
}

TEST_CASE("a page goes through the classes in order of delivery") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store,
        {create_orders(), append(1), Append{kOrders, at(2, 9), message(2, "late"), Urgency::kNow},
         Append{kOrders, at(3, 0), message(3, "early"), Urgency::kNow}, append(4)});
  CHECK(seqs(load(*store, at(1, 0))) == Seqs{3, 1, 4, 2});
  CHECK(seqs(load(*store, at(2))) == Seqs{4, 2});
  CHECK(seqs(load(*store, at(1, 6))) == Seqs{2});
}

TEST_CASE("a page ends before the place that is not wanted any more") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  write(*store, {create_orders(), append(1), append(2), append(4),
                 Append{kOrders, at(3, 2), message(3, "early"), Urgency::kNow},
                 Append{kOrders, at(5, 9), message(5, "late"), Urgency::kNow}});
  const auto before = [&](Place place) {
    std::vector<Discard> discards;
    const LoadedPage page = store->load({kOrders, at(1, 0), 10, 10'000, 0, place}, discards);
    CHECK(!page.more);
    return seqs(page);
  };
  CHECK(before(at(4)) == Seqs{3, 1, 2});
  CHECK(before(at(3)) == Seqs{3, 1, 2});
  CHECK(before(at(1)) == Seqs{3});
  CHECK(before(at(3, 2)).empty());
  CHECK(before(at(5, 9)) == Seqs{3, 1, 2, 4});
  CHECK(before(kBehindAll) == Seqs{3, 1, 2, 4, 5});
  CHECK(all_seqs(*store) == Seqs{3, 1, 2, 4, 5});
}

TEST_CASE("queues do not see each other, and an unknown one is empty") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  const QueueId other{8};
  write(*store, {create_orders(), CreateQueue{other, "/queue/other"}, append(1),
                 Append{other, at(1), message(2, "x"), Urgency::kNow}});
  CHECK(seqs(load(*store, at(1, 0))) == Seqs{1});
  std::vector<Discard> discards;
  CHECK(store->load({QueueId{99}, at(1, 0), 10, 1000}, discards).messages.empty());
}

TEST_CASE("delivery counts come back with their messages until these are erased") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2), append(3), append(4)});
    write(*store, {Return{kOrders, at(2), 1}, Return{kOrders, at(4), 7}});
    write(*store, {Return{kOrders, at(2), 2}});
  }
  {
    const auto store = open(options);
    const LoadedPage page = load(*store, at(1));
    std::vector<std::uint32_t> counts;
    for (const LoadedMessage& loaded : page.messages)
      counts.push_back(loaded.deliveries);
    CHECK(counts == std::vector<std::uint32_t>{0, 2, 0, 7});
    write(*store, {erase(2), erase(4)});
  }
  CHECK(count_keys(folder.path(), KeyRange::kReturned) == 0);
}

TEST_CASE("an erased message leaves nothing behind, wherever its body stood") {
  const TempFolder folder;
  StoreOptions options = small_store(folder.path());
  options.inline_body_bytes_max = 100;
  const std::string body(500, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1, body), append(2, "inline")});
  }
  options.inline_body_bytes_max = 10'000;  // changed meanwhile: the body of 1 still stands apart
  {
    const auto store = open(options);
    write(*store, {erase(1, body), erase(2, "inline")});
    CHECK(all_seqs(*store).empty());
  }
  CHECK(count_keys(folder.path(), KeyRange::kIndex) == 0);
  CHECK(count_keys(folder.path(), KeyRange::kBody) == 0);
}

TEST_CASE("a message that moves to another queue under its id keeps its body") {
  const TempFolder folder;
  const auto store = open(small_store(folder.path()));
  const QueueId dead_letters{8};
  const std::string body(5000, 'b');
  const MessagePtr moved = message(1, body);
  write(*store, {create_orders(), CreateQueue{dead_letters, "/queue/dead"},
                 Append{kOrders, at(1), moved, Urgency::kNow}});
  write(*store, {Append{dead_letters, at(1), moved, Urgency::kNow}, erase(1, body)});
  std::vector<Discard> discards;
  const LoadedPage page = store->load({dead_letters, at(1, 0), 10, 1 << 20}, discards);
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].message->body == body);
}

TEST_CASE("each start has an epoch of its own, the identity stays") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const StoreState first = open(options)->state();
  const StoreState second = open(options)->state();
  CHECK(first.epoch == 1);
  CHECK(second.epoch == 2);
  CHECK(first.identity.size() == 32);
  CHECK(first.identity == second.identity);
}

TEST_CASE("a start knows what each queue holds") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    CHECK(store->state().queues.empty());
    write(*store, {create_orders(), CreateQueue{QueueId{3}, "/queue/empty"}, append(5), append(6),
                   append(9), append_volatile(10)});
    write(*store, {erase(5)});
  }
  const auto store = open(options);
  const std::vector<QueueState>& queues = store->state().queues;
  REQUIRE(queues.size() == 2);
  CHECK(queues[0].name == "/queue/empty");
  CHECK(queues[0].message_count == 0);
  CHECK(queues[0].next_seq == Seq{1});
  CHECK(queues[1].name == kOrdersName);
  CHECK(queues[1].message_count == 2);
  CHECK(queues[1].message_bytes == 2 * append(6).message->bytes());
  CHECK(queues[1].first == at(6));
  CHECK(queues[1].next_seq == Seq{11});
  REQUIRE(queues[1].classes.size() == 1);
  CHECK(queues[1].classes[0].priority == PriorityClass{5});
  CHECK(queues[1].classes[0].message_count == 2);
  CHECK(queues[1].classes[0].first == Seq{6});
  CHECK(store->state().last_queue == kOrders);
}

TEST_CASE("volatile messages are found in their epoch only, and then taken out") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append_volatile(2), append(3)});
    CHECK(all_seqs(*store) == Seqs{1, 2, 3});
  }
  {
    const auto store = open(options);
    CHECK(store->state().queues.at(0).message_count == 2);
    std::vector<Discard> discards;
    CHECK(seqs(store->load({kOrders, at(1, 0), 10, 10'000}, discards)) == Seqs{1, 3});
    REQUIRE(discards.size() == 1);
    CHECK(store->write({{}, discards}, Durability::kWritten).has_value());
    CHECK(all_seqs(*store) == Seqs{1, 3});
  }
  CHECK(count_keys(folder.path(), KeyRange::kIndex) == 2);
}

TEST_CASE("the sweeper finds volatile messages of an earlier epoch that nobody loads") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  {
    const auto store = open(options);
    std::vector<Op> ops{create_orders()};
    for (std::uint64_t seq = 1; seq <= 3000; ++seq)
      ops.emplace_back(append_volatile(seq));
    write(*store, std::move(ops));
    CHECK(!store->tidy_due());
  }
  const auto store = open(options);
  CHECK(store->tidy_due());
  std::vector<Discard> discards;
  while (store->tidy(discards) == Tidied::kMoreToDo) {
  }
  CHECK(discards.size() == 3000);
  CHECK(!store->tidy_due());
}

TEST_CASE("a damaged entry is set aside with a word, and the queue goes on") {
  const TempFolder folder;
  const StoreOptions options = small_store(folder.path());
  const std::string body(5000, 'b');
  {
    const auto store = open(options);
    write(*store, {create_orders(), append(1), append(2), append(3, body), append(4)});
  }
  {
    const auto db = open_raw(folder.path());
    const leveldb::WriteOptions plain;
    REQUIRE(db->Put(plain, slice(place_key(KeyRange::kIndex, kOrders, at(2))), "\xff?").ok());
    REQUIRE(db->Delete(plain, slice(place_key(KeyRange::kBody, kOrders, at(3)))).ok());
  }
  {
    const auto store = open(options);
    std::vector<Discard> discards;
    const LoadedPage page = store->load({kOrders, at(1, 0), 10, 10'000}, discards);
    CHECK(seqs(page) == Seqs{1, 4});
    REQUIRE(page.error);
    CHECK(page.error->code == ErrorCode::kCorrupt);
    CHECK(says(*page.error, "2 damaged message(s) of queue /queue/orders"));
    CHECK(says(*page.error, "class 5, number 2"));
    REQUIRE(discards.size() == 2);
    CHECK(store->write({{}, discards}, Durability::kSynced).has_value());
    CHECK(!load(*store, at(1, 0)).error);
  }
  CHECK(count_keys(folder.path(), KeyRange::kDamaged) == 2);
  CHECK(open(options)->state().queues.at(0).message_count == 2);
}

}  // namespace
}  // namespace stompbox::queue::test
