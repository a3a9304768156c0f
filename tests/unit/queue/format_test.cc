#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/queue/key_format.h"
#include "storage/queue/record_format.h"
#include "tests/unit/queue/fixtures.h"

namespace stompbox::queue::test {
namespace {

std::string index_key(std::uint32_t queue, std::uint8_t priority, std::uint64_t seq) {
  return std::string(place_key(KeyRange::kIndex, QueueId{queue}, at(seq, priority)).view());
}

TEST_CASE("keys sort by queue, then class, then number") {
  const std::vector<std::string> in_order{index_key(1, 0, 1),     index_key(1, 0, 255),
                                          index_key(1, 0, 256),   index_key(1, 5, 1),
                                          index_key(1, 5, ~0ULL), index_key(2, 0, 1),
                                          index_key(256, 0, 1),   index_key(0xffffffff, 9, 7)};
  CHECK(std::is_sorted(in_order.begin(), in_order.end()));
}

TEST_CASE("a key reads back as what it was made from") {
  const Key key = place_key(KeyRange::kBody, QueueId{0xfedcba98}, at(0x0123456789abcdef, 9));
  const auto read = read_place_key(KeyRange::kBody, key.view());
  REQUIRE(read);
  CHECK(read->queue == QueueId{0xfedcba98});
  CHECK(read->place == at(0x0123456789abcdef, 9));
  CHECK(read_queue_key(KeyRange::kMeta, queue_key(KeyRange::kMeta, kOrders).view()) == kOrders);
}

TEST_CASE("the bytes of a key are those of the format document") {
  CHECK(place_key(KeyRange::kIndex, QueueId{0x01020304}, at(0x05060708090a0b0c, 5)).view() ==
        std::string_view("I\x01\x02\x03\x04\x05\x05\x06\x07\x08\x09\x0a\x0b\x0c", 14));
  CHECK(store_key().view() == "S");
}

TEST_CASE("a key of another range, class or length is no key") {
  const std::string key = index_key(1, 5, 1);
  CHECK(!read_place_key(KeyRange::kBody, key));
  CHECK(!read_place_key(KeyRange::kIndex, key.substr(0, 13)));
  CHECK(!read_place_key(KeyRange::kIndex, key + "x"));
  CHECK(!read_place_key(KeyRange::kIndex, index_key(1, 10, 1)));
  CHECK(!read_queue_key(KeyRange::kIndex, key));
}

std::string encoded(const Message& message, BodyPlace body_place) {
  std::string bytes;
  encode_index(message, kOrdersName, body_place, bytes);
  return bytes;
}

TEST_CASE("an index entry reads back as the message") {
  for (const Persistence persistence : {Persistence::kDurable, Persistence::kVolatile}) {
    Message sent = *message(42, "the body", persistence, 3);
    sent.block_is_plain = false;
    const std::string bytes = encoded(sent, BodyPlace::kInline);
    const auto entry = decode_index(bytes);
    REQUIRE(entry);
    CHECK(entry->id == sent.id);
    CHECK(entry->persistence == persistence);
    CHECK(entry->arrived_ms == sent.arrived_ms);
    CHECK(entry->destination_is_queue);
    CHECK(entry->header_block == sent.header_block);
    CHECK(!entry->block_is_plain);
    CHECK(entry->inline_body == sent.body);
    CHECK(entry->bytes() == sent.bytes());
  }
}

TEST_CASE("a destination other than the queue's name is kept in the entry") {
  Message sent = *message(1, "x");
  sent.destination = "/queue/other";
  const std::string bytes = encoded(sent, BodyPlace::kInline);
  const auto entry = decode_index(bytes);
  REQUIRE(entry);
  CHECK(!entry->destination_is_queue);
  CHECK(entry->destination == "/queue/other");
}

TEST_CASE("the time of expiry is in the entry of a message that has one") {
  Message sent = *message(1, "body");
  const std::size_t without = encoded(sent, BodyPlace::kInline).size();
  sent.expires_ms = 1'800'000'000'123;
  const std::string bytes = encoded(sent, BodyPlace::kInline);
  CHECK(bytes.size() == without + 8);
  const auto entry = decode_index(bytes);
  REQUIRE(entry);
  CHECK(entry->expires_ms == sent.expires_ms);
  CHECK(entry->inline_body == sent.body);
}

TEST_CASE("the bytes of an index entry are those of the format document") {
  Message sent;
  sent.id = {0x0102030405060708};
  sent.destination = "/queue/x";
  sent.header_block = "a:b\n";
  sent.body = "body";
  sent.arrived_ms = 0x11;
  sent.expires_ms = 0x22;
  CHECK(encoded(sent, BodyPlace::kInline) ==
        std::string("\x16\x08\x07\x06\x05\x04\x03\x02\x01\x11\0\0\0\0\0\0\0\x22\0\0\0\0\0\0\0"
                    "\x08/queue/x\x04"
                    "a:b\nbody",
                    25 + 9 + 5 + 4));
}

TEST_CASE("the name of a queue reads back with its attributes, and cut it does not") {
  const QueueName sent{"/queue/orders", std::string("any\0bytes", 9)};
  std::string bytes;
  encode_name(sent, bytes);
  CHECK(decode_name(bytes) == sent);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(!decode_name(std::string_view(bytes).substr(0, size)));
  }
  CHECK(!decode_name(bytes + "x"));
}

TEST_CASE("the last queue reads back") {
  std::string bytes;
  encode_last_queue(QueueId{70'000}, bytes);
  CHECK(decode_last_queue(bytes) == QueueId{70'000});
  CHECK(!decode_last_queue(bytes + "x"));
  CHECK(!decode_last_queue(""));
}

TEST_CASE("an entry whose body stands apart knows its length") {
  const Message sent = *message(1, std::string(5000, 'b'));
  const std::string bytes = encoded(sent, BodyPlace::kApart);
  CHECK(bytes.size() < 100);
  const auto entry = decode_index(bytes);
  REQUIRE(entry);
  CHECK(entry->body_place == BodyPlace::kApart);
  CHECK(entry->body_bytes == 5000);
  CHECK(entry->bytes() == sent.bytes());
}

TEST_CASE("an index entry cut at any byte before its body is no entry") {
  Message sent = *message(1, std::string(300, 'b'));
  sent.destination = "/queue/other";
  const std::string bytes = encoded(sent, BodyPlace::kApart);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(!decode_index(std::string_view(bytes).substr(0, size)));
  }
  CHECK(!decode_index(bytes + "x"));
}

TEST_CASE("an index entry with an unknown flag is no entry") {
  std::string bytes = encoded(*message(1, "x"), BodyPlace::kInline);
  bytes[0] = static_cast<char>(bytes[0] | 0x20);
  CHECK(!decode_index(bytes));
}

TEST_CASE("a meta record reads back, and cut or lengthened it does not") {
  QueueMeta meta;
  meta.classes.push_back({PriorityClass{5}, 10, 12345, 2, 500, 17, {20, 40}, {{100, 200}}, {}, 0});
  meta.classes.push_back({PriorityClass{9}, 0, 0, 0, 1ULL << 60, 1, {}, {}, {}, 0});
  std::string bytes;
  encode_meta(meta, bytes);
  CHECK(decode_meta(bytes) == meta);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(!decode_meta(std::string_view(bytes).substr(0, size)));
  }
  CHECK(!decode_meta(bytes + "x"));
}

TEST_CASE("what is deferred reads back behind a meta record as format 2 had it") {
  QueueMeta meta;
  meta.classes.push_back({PriorityClass{4}, 1, 2, 3, 90, 80, {}, {}, {20, 70}, 12345});
  meta.classes.push_back({PriorityClass{5}, 10, 12345, 2, 500, 17, {}, {{100, 200}}, {}, 0});
  meta.classes.push_back({PriorityClass{6}, 0, 0, 0, 8, 8, {}, {}, {1, 8}, 700});
  std::string bytes;
  encode_meta(meta, bytes);
  CHECK(decode_meta(bytes) == meta);
  QueueMeta older = meta;
  for (ClassMeta& entry : older.classes) {
    entry.deferred = {};
    entry.deferred_bytes = 0;
  }
  std::string older_bytes;
  encode_meta(older, older_bytes);
  REQUIRE(bytes.starts_with(older_bytes));
  CHECK(decode_meta(older_bytes) == older);
  for (const std::string_view wrong : {"\x07\x01\x01\x01", "\x04\x14\x64\x01", "\x04\x14", "\x04"})
    CHECK(!decode_meta(older_bytes + std::string(wrong)));
}

TEST_CASE("a store record of a newer format gives its number, whatever follows") {
  std::string bytes;
  encode_store({kStoreFormat + 1, "identity", 4, 2048}, bytes);
  const auto newer = decode_store(bytes + "something new");
  REQUIRE(newer);
  CHECK(newer->format == kStoreFormat + 1);
}

TEST_CASE("a store record reads back") {
  std::string bytes;
  encode_store({kStoreFormat, "identity", 70000, 2048}, bytes);
  const auto read = decode_store(bytes);
  REQUIRE(read);
  CHECK(read->identity == "identity");
  CHECK(read->epoch == 70000);
  CHECK(read->inline_bytes_least == 2048);
  CHECK(!decode_store(bytes.substr(0, bytes.size() - 1)));
  CHECK(!decode_store(""));
}

}  // namespace
}  // namespace stompbox::queue::test
