#include <doctest/doctest.h>

#include <string>

#include "tests/unit/routing/queue_table.h"

using namespace stompbox;
using testing::QueueTable;
using testing::Sent;
using testing::Taker;

namespace {

std::string node(const std::string& name) {
  return "node:" + name + "\n";
}

std::string group(const std::string& name) {
  return "JMSXGroupID:" + name + "\n";
}

}  // namespace

TEST_CASE("each consumer gets what its selector lets through, in order") {
  QueueTable table;
  Taker& a = table.join({"node = 'a'"});
  Taker& b = table.join({"node = 'b'"});
  Taker& big = table.join({"size > 10"});
  for (const Sent& sent : {Sent{"1", node("a")}, Sent{"2", node("b")}, Sent{"3", node("a")},
                           Sent{"4", "size:11\n"}, Sent{"5", "size:9\n"}})
    table.send(sent);
  CHECK(a.bodies() == "13");
  CHECK(b.bodies() == "2");
  CHECK(big.bodies() == "4");
  CHECK(table.queue->waiting_count() == 1);
}

TEST_CASE("messages that nobody asks for block nobody, however many, and memory stays bounded") {
  QueueTable table(10);
  Taker& a = table.join({"node = 'a'"});
  for (int i = 0; i < 500; ++i)
    table.send({"x", node("absent" + std::to_string(i))});
  table.send({"1", node("a")});
  CHECK(a.bodies() == "1");
  table.settle();
  CHECK(table.queue->resident_count() <= 10);
  CHECK(table.loads == 0);
  CHECK(table.queue->waiting_count() == 500);
}

TEST_CASE("a consumer that comes later finds what waits for it in the store, in order") {
  QueueTable table(10);
  table.join({"node = 'a'"});
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const bool is_for_late = i % 7 == 0;
    const std::string body(1, static_cast<char>('a' + i % 26));
    table.send({body, node(is_for_late ? "late" : "absent")});
    if (is_for_late) expected += body;
  }
  Taker& late = table.join({"node = 'late'", 2});
  for (int i = 0; i < 200 && late.bodies().size() < expected.size(); ++i) {
    table.settle();
    table.acknowledge_all(late);
    CHECK(table.queue->resident_count() <= 20);
  }
  CHECK(late.bodies() == expected);
}

TEST_CASE("a scan ends: who has seen everything asks for no page until something comes for it") {
  QueueTable table(4);
  for (int i = 0; i < 50; ++i)
    table.send({"x", node("absent")});
  Taker& a = table.join({"node = 'a'"});
  table.settle();
  const std::size_t loads = table.loads;
  CHECK(loads > 0);
  for (int i = 0; i < 50; ++i)
    table.send({"y", node("absent")});
  table.send({"1", node("a")});
  table.settle();
  CHECK(table.loads == loads);
  CHECK(a.bodies() == "1");
}

TEST_CASE("what was taken out of the store's part is not given twice while its erase is pending") {
  QueueTable table(4);
  for (int i = 0; i < 40; ++i)
    table.send({std::to_string(i % 10), node(i % 2 == 0 ? "a" : "b")});
  table.commit();
  Taker& a = table.join({"node = 'a'"});
  table.load();
  for (int i = 0; i < 20; ++i)
    table.load();
  CHECK(a.got.size() == 20);
  table.acknowledge_all(a);
  Taker& all = table.join({});
  for (int i = 0; i < 60; ++i)
    table.load();
  CHECK(all.got.size() == 20);
  CHECK(all.bodies().find('2') == std::string::npos);
}

TEST_CASE("with the last selector gone the queue is plain again, and nothing is lost or doubled") {
  QueueTable table(6);
  Taker& a = table.join({"node = 'a'"});
  for (int i = 0; i < 40; ++i)
    table.send({"x", node(i % 4 == 0 ? "a" : "absent")});
  CHECK(table.queue->is_choosy());
  CHECK(a.got.size() == 10);
  table.leave(a);
  Taker& all = table.join({});
  CHECK_FALSE(table.queue->is_choosy());
  for (int i = 0; i < 40; ++i) {
    table.settle();
    table.acknowledge_all(all);
  }
  CHECK(all.got.size() == 40);
  CHECK(table.queue->nothing_waits());
}

TEST_CASE("a group stays with its consumer until that leaves, and its first message says so") {
  QueueTable table;
  Taker& one = table.join({});
  Taker& two = table.join({});
  table.send({"a", group("g")});
  table.send({"b", group("h")});
  table.send({"c", group("g")});
  table.send({"d", group("g")});
  CHECK(one.bodies() == "acd");
  CHECK(two.bodies() == "b");
  CHECK(one.got[0].first_of_group);
  CHECK_FALSE(one.got[1].first_of_group);
  table.acknowledge_all(one);
  table.leave(one);
  table.send({"e", group("g")});
  CHECK(two.bodies() == "be");
  CHECK(two.got[1].first_of_group);
}

TEST_CASE("a group waits for its consumer's credit and does not stand in the way of others") {
  QueueTable table;
  Taker& one = table.join({"", 1});
  Taker& two = table.join({});
  table.send({"a", group("g")});
  table.send({"b", group("g")});
  table.send({"c"});
  table.send({"d", group("h")});
  CHECK(one.bodies() == "a");
  CHECK(two.bodies() == "cd");
  table.acknowledge_all(one);
  CHECK(one.bodies() == "ab");
}

TEST_CASE("a group is closed by its message with JMSXGroupSeq:-1") {
  QueueTable table;
  Taker& one = table.join({});
  Taker& two = table.join({});
  table.send({"a", group("g")});
  table.send({"b", group("g") + "JMSXGroupSeq:-1\n"});
  table.send({"c", group("g")});
  CHECK(one.bodies() == "ab");
  CHECK(two.bodies() == "c");
  CHECK(two.got[0].first_of_group);
}

TEST_CASE("groups bind what their owner's selector lets through; the rest goes to anybody") {
  QueueTable table;
  Taker& a = table.join({"node = 'a'"});
  Taker& all = table.join({"", 1000, -1});
  table.send({"1", group("g") + node("a")});
  table.send({"2", group("g") + node("b")});
  table.send({"3", group("g") + node("a")});
  CHECK(a.bodies() == "13");
  CHECK(all.bodies() == "2");
}

TEST_CASE("a group in the store is found when its owner has credit again") {
  QueueTable table(4);
  Taker& one = table.join({"", 1});
  Taker& two = table.join({"", 1});
  for (int i = 0; i < 60; ++i)
    table.send({std::string(1, static_cast<char>('a' + i % 26)), group(i % 2 == 0 ? "g" : "h")});
  for (int i = 0; i < 200 && one.got.size() + two.got.size() < 60; ++i) {
    table.settle();
    table.acknowledge_all(one);
    table.settle();
    table.acknowledge_all(two);
  }
  CHECK(one.got.size() == 30);
  CHECK(two.got.size() == 30);
  CHECK(one.bodies().substr(0, 6) == "acegik");
  CHECK(two.bodies().substr(0, 6) == "bdfhjl");
}

TEST_CASE(
    "what is held behind the end of a page is not counted as paged when the queue gets plain") {
  QueueTable table(4);
  Taker& a = table.join({"node = 'a'", 0});
  for (const char* body : {"1", "2", "3"})
    table.send({body, node("absent"), 9});
  table.send({"4", node("absent")});
  table.send({"5", node("a")});  // kept: somebody asks for it
  table.commit();
  CHECK(table.queue->paged_count() == 1);
  table.leave(a);
  Taker& all = table.join({"", 0});  // the page has room for one: there is more, and it is held
  table.load();
  CHECK(table.queue->paged_count() == 0);
  table.join({"node = 'b'"});
  table.settle();
  table.set_credit(all, 10);
  CHECK(all.bodies() == "45123");
  CHECK(table.queue->nothing_waits());
}

TEST_CASE("what is held behind all that is paged is not counted as paged, either") {
  QueueTable table(4);
  Taker& a = table.join({"node = 'a'", 0});
  for (const char* body : {"1", "2", "3"})
    table.send({body, node("absent"), 9});
  table.send({"4", node("absent")});
  table.send({"5", node("b")});
  table.send({"6", node("a")});  // kept: somebody asks for it
  Taker& b = table.join({"node = 'b'"});
  table.settle();
  table.acknowledge_all(b);  // the last that was paged is gone
  table.settle();
  CHECK(b.bodies() == "5");
  CHECK(table.queue->paged_count() == 1);
  table.leave(a);
  table.leave(b);
  Taker& all = table.join({"", 0});  // the page has room for one: there is more, and it is held
  table.load();
  CHECK(table.queue->paged_count() == 0);
  table.join({"node = 'b'"});
  table.settle();
  table.set_credit(all, 10);
  CHECK(all.bodies() == "46123");
  CHECK(table.queue->nothing_waits());
}
