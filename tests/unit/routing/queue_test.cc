#include "broker/routing/queue.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/routing/queue_table.h"

using namespace stompbox;
using routing::Exclusivity;
using testing::QueueTable;
using testing::Sent;
using testing::Taker;
using Visible = QueueTable::Visible;

TEST_CASE("a higher class goes first among what is in memory, and within a class the older") {
  QueueTable table;
  for (const Sent& sent : {Sent{"a"}, Sent{"b", "", 0}, Sent{"c", "", 9}, Sent{"d", "", 0}})
    table.send(sent);
  CHECK(table.join({}).bodies() == "bdac");
}

TEST_CASE("classes are kept apart in the store, too") {
  QueueTable table(4);
  for (int i = 0; i < 40; ++i)
    table.send({i % 2 == 0 ? "l" : "h", "", static_cast<std::uint8_t>(i % 2 == 0 ? 9 : 0)});
  Taker& taker = table.join({"", 1});
  for (int i = 0; i < 100; ++i) {
    table.settle();
    table.acknowledge_all(taker);
    CHECK(table.queue->resident_count() <= 12);
  }
  CHECK(taker.got.size() == 40);
  CHECK(table.queue->nothing_waits());
  // The last of the higher class, but for what was in memory when its page was asked for.
  CHECK(taker.bodies().rfind('h') < 26);
}

TEST_CASE("what is read ahead keeps to the bound in bytes, but for a page") {
  QueueTable table;
  table.residence.queue_bytes_max = 4000;
  const std::string body(400, 'b');
  constexpr std::size_t kPageBytesMax = 4000 / 4 + 464;  // the last message of one may be over
  for (int i = 0; i < 100; ++i)
    table.send({body});
  Taker& taker = table.join({"", 1});
  while (taker.got.size() < 100) {
    const std::size_t before = taker.got.size();
    table.settle();
    CHECK(table.queue->resident_bytes() <= 4000 + kPageBytesMax);
    table.acknowledge_all(taker);
    REQUIRE(taker.got.size() > before);
  }
  table.acknowledge_all(taker);
  CHECK(table.queue->nothing_waits());
}

TEST_CASE("a returned message goes back to its own place and class") {
  QueueTable table;
  Taker& taker = table.join({"", 1});
  for (const Sent& sent : {Sent{"a"}, Sent{"b"}, Sent{"c", "", 0}})
    table.send(sent);
  table.give_back(taker, taker.got[0].id);
  CHECK(taker.bodies() == "ac");
  table.acknowledge_all(taker);
  CHECK(taker.bodies() == "acab");
}

TEST_CASE("part of a transaction is not seen before it is synced, nor is what follows it") {
  QueueTable table;
  Taker& taker = table.join({});
  table.send({"a"}, Visible::kAfterCommit);
  table.send({"b"});
  table.send({"c", "", 0});
  CHECK(taker.bodies() == "c");
  table.commit();
  CHECK(taker.bodies() == "cab");
}

TEST_CASE("with selectors, part of a transaction holds back only who would get it") {
  QueueTable table;
  Taker& a = table.join({"node = 'a'"});
  Taker& b = table.join({"node = 'b'"});
  table.send({"1", "node:a\n"}, Visible::kAfterCommit);
  table.send({"2", "node:a\n"});
  table.send({"3", "node:b\n"});
  CHECK(a.bodies().empty());
  CHECK(b.bodies() == "3");
  table.commit();
  CHECK(a.bodies() == "12");
}

TEST_CASE("all goes to the exclusive consumer, and on its end to the next") {
  QueueTable table;
  Taker& shared = table.join({});
  Taker& one = table.join({"", 1, 0, Exclusivity::kExclusive});
  Taker& two = table.join({"", 1000, 0, Exclusivity::kExclusive});
  for (const char* body : {"a", "b", "c"})
    table.send({body});
  CHECK(one.bodies() == "a");
  CHECK(two.bodies().empty());
  table.leave(one);
  CHECK(two.bodies() == "abc");
  CHECK(shared.bodies().empty());
  table.leave(two);
  CHECK(shared.bodies() == "abc");
  CHECK(table.queue->waiting_count() == 0);
}

TEST_CASE("a consumer of higher priority comes first while it has credit") {
  QueueTable table;
  Taker& low = table.join({});
  Taker& high = table.join({"", 2, 5});
  for (const char* body : {"a", "b", "c"})
    table.send({body});
  CHECK(high.bodies() == "ab");
  CHECK(low.bodies() == "c");
}

TEST_CASE("what has expired is never delivered, and goes in time when nobody consumes") {
  QueueTable table;
  table.send({"a", "", 5, 2000});
  table.send({"b"});
  table.send({"c", "", 5, 3000});
  REQUIRE(table.queue->next_event_ms() == 2000);
  table.on_time(2000);
  CHECK(table.expired == std::vector<std::string>{"a"});
  CHECK(table.queue->next_event_ms() == 3000);
  table.now_ms = 3000;
  CHECK(table.join({}).bodies() == "b");
  table.on_time(3000);
  CHECK(table.expired.size() == 2);
  table.settle();
  CHECK(table.journal.stored_count("q") == 1);
}

TEST_CASE("what has expired in the store only is found when its date has passed") {
  QueueTable table(4);
  for (int i = 0; i < 40; ++i)
    table.send({"x", "", 5, i % 2 == 0 ? 50'000 : 0});
  table.settle();
  CHECK(table.expired.size() == 0);
  table.on_time(60'000);
  table.settle();
  CHECK(table.expired.size() == 20);
  CHECK(table.queue->waiting_count() == 20);
  CHECK(table.journal.stored_count("q") == 20);
  CHECK_FALSE(table.queue->next_event_ms().has_value());
}

TEST_CASE("a delayed return waits for its date and then has its own place") {
  QueueTable table;
  Taker& taker = table.join({"", 1});
  table.send({"a"});
  table.send({"b"});
  table.give_back(taker, taker.got[0].id, 5000);
  CHECK(taker.bodies() == "ab");
  CHECK(table.queue->next_event_ms() == 5000);
  CHECK(table.queue->delayed_count() == 1);
  CHECK(table.queue->figures().waiting == 1);
  table.send({"c"});
  table.on_time(5000);
  table.acknowledge_all(taker);
  CHECK(taker.bodies() == "abac");
}

TEST_CASE("draining takes everything out, oldest first, from the store too") {
  QueueTable table(4);
  table.join({"node = 'a'"});
  for (int i = 0; i < 30; ++i)
    table.send({std::string(1, static_cast<char>('a' + i % 26)), "node:b\n"});
  table.queue->drain(30);
  std::string drained;
  while (!table.queue->drain_is_over()) {
    while (const auto entry = table.queue->next_drained(table.committed)) {
      drained += entry->message->body;
      table.erase(*entry);
    }
    table.pump();
    table.settle();
  }
  table.settle();
  CHECK(drained == "abcdefghijklmnopqrstuvwxyzabcd");
  CHECK(table.queue->nothing_waits());
  CHECK(table.queue->is_choosy());
  CHECK(table.journal.stored_count("q") == 0);
}

TEST_CASE("the memory of a queue without consumers is given back, and all of it comes again") {
  QueueTable table;
  Taker& gone = table.join({"", 3});
  for (int i = 0; i < 20; ++i)
    table.send({std::string(1, static_cast<char>('a' + i))});
  table.send({"v", "", 5, 0, queue::Persistence::kVolatile});
  table.leave(gone);
  table.queue->release_memory(table.committed);
  CHECK(table.queue->resident_count() == 21);  // not certain to be stored yet
  table.commit();
  table.queue->release_memory(table.committed);
  CHECK(table.queue->resident_count() == 1);
  CHECK(table.residence.total_bytes == table.queue->resident_bytes());
  Taker& taker = table.join({});
  table.settle();
  CHECK(taker.bodies() == "abcdefghijklmnopqrstv");
}

TEST_CASE("to make room the oldest of the lowest class goes") {
  QueueTable table;
  for (const Sent& sent : {Sent{"a", "", 2}, Sent{"b"}, Sent{"c"}})
    table.send(sent);
  CHECK(table.queue->drop_oldest()->message->body == "b");
  CHECK(table.join({}).bodies() == "ac");
}
