#include "broker/session/outbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace stompbox::session {
namespace {

queue::MessagePtr message_of(std::size_t body_bytes) {
  auto message = std::make_shared<queue::Message>();
  message->body.assign(body_bytes, 'b');
  return message;
}

// What a kernel gets that takes `step` bytes at a time.
std::string drain(Outbox& outbox, std::size_t step) {
  std::string taken;
  while (outbox.waiting_bytes() > 0) {
    std::array<Outbox::Piece, 3> pieces;
    const std::size_t count = outbox.gather(pieces.data(), pieces.size());
    REQUIRE(count > 0);
    std::size_t left = step;
    std::size_t consumed = 0;
    for (std::size_t i = 0; i < count && left > 0; ++i) {
      const std::size_t size = std::min(pieces[i].size, left);
      taken.append(pieces[i].begin, size);
      left -= size;
      consumed += size;
    }
    outbox.consume(consumed);
  }
  return taken;
}

TEST_CASE("bytes leave in the order that they came in, however they are taken") {
  for (const std::size_t step : {1U, 7U, 4096U, 1'000'000U}) {
    Outbox outbox;
    std::string all;
    for (int i = 0; i < 50; ++i) {
      const std::string text = "piece " + std::to_string(i) + ";";
      outbox.append(text);
      all += text;
      const auto message = message_of(i % 2 == 0 ? 100 : Outbox::kReferenceFrom);
      outbox.append_body(message);
      all += message->body;
    }
    CHECK(outbox.position() == all.size());
    CHECK(drain(outbox, step) == all);
    CHECK(outbox.sent() == all.size());
  }
}

TEST_CASE("a small body is copied, a large one is referenced") {
  Outbox outbox;
  const auto small = message_of(Outbox::kReferenceFrom - 1);
  const auto large = message_of(Outbox::kReferenceFrom);
  outbox.append_body(small);
  outbox.append_body(large);
  CHECK(small.use_count() == 1);
  CHECK(large.use_count() == 2);
  std::array<Outbox::Piece, 2> pieces;
  REQUIRE(outbox.gather(pieces.data(), 2) == 2);
  CHECK(pieces[1].begin == large->body.data());
  outbox.consume(outbox.waiting_bytes());
  CHECK(large.use_count() == 1);
}

TEST_CASE("gathered pieces stay where they are whatever is appended") {
  Outbox outbox;
  outbox.append("first");
  std::array<Outbox::Piece, 4> pieces;
  REQUIRE(outbox.gather(pieces.data(), 4) == 1);
  for (int i = 0; i < 1000; ++i)
    outbox.append("more and more and more");
  CHECK(std::string(pieces[0].begin, pieces[0].size) == "first");
  outbox.consume(2);
  REQUIRE(outbox.gather(pieces.data(), 4) >= 2);
  CHECK(std::string(pieces[0].begin, pieces[0].size) == "rst");
}

TEST_CASE("what is appended in place counts when it is reported") {
  Outbox outbox;
  outbox.tail().append("abc");
  CHECK(outbox.position() == 0);
  outbox.appended();
  CHECK(outbox.position() == 3);
  outbox.tail().append("de");
  outbox.appended();
  CHECK(outbox.position() == 5);
  CHECK(drain(outbox, 2) == "abcde");
}

TEST_CASE("what is cleared was never sent") {
  Outbox outbox;
  outbox.append("0123456789");
  outbox.consume(4);
  outbox.clear();
  CHECK(outbox.waiting_bytes() == 0);
  CHECK(outbox.sent() == 4);
  CHECK(outbox.position() == 4);
  outbox.append("new");
  CHECK(drain(outbox, 100) == "new");
}

TEST_CASE("a long backlog is in chunks that are given back while it is read") {
  Outbox outbox;
  const std::string piece(1000, 'x');
  for (int i = 0; i < 1000; ++i)
    outbox.append(piece);
  std::array<Outbox::Piece, 64> pieces;
  CHECK(outbox.gather(pieces.data(), pieces.size()) > 10);
}

TEST_CASE("an outbox that was sent leaves its memory to the next one, within a bound") {
  Shared shared;
  for (std::size_t i = 0; i < 2 * Shared::kChunksMax; ++i) {
    Outbox outbox(&shared);
    for (int j = 0; j < 300; ++j)
      outbox.append(std::string(1000, 'x'));
    drain(outbox, 1'000'000);
    CHECK(shared.chunks.size() <= Shared::kChunksMax);
  }
  REQUIRE_FALSE(shared.chunks.empty());
  std::size_t kept = 0;
  for (const OutboxChunk& chunk : shared.chunks) {
    CHECK(chunk.bytes.empty());
    CHECK_FALSE(chunk.message);
    kept += chunk.bytes.capacity();
  }
  CHECK(kept <= Shared::kChunksMax * 128 * 1024);
  Outbox outbox(&shared);
  outbox.append("fresh");
  CHECK(drain(outbox, 100) == "fresh");
}

TEST_CASE("a small chunk is not worth keeping") {
  Shared shared;
  Outbox outbox(&shared);
  outbox.append("small");
  drain(outbox, 100);
  CHECK(shared.chunks.empty());
}

TEST_CASE("lines are common from the second delivery of a message on, in one version") {
  CommonLines lines;
  const queue::MessagePtr one = message_of(1);
  const queue::MessagePtr other = message_of(2);
  CHECK_FALSE(lines.fit(one, protocol::Version::k12));
  CHECK(lines.fit(one, protocol::Version::k12));
  lines.before = "made";
  CHECK(lines.fit(one, protocol::Version::k12));
  CHECK(lines.before == "made");
  CHECK_FALSE(lines.fit(one, protocol::Version::k10));
  CHECK(lines.before.empty());
  CHECK_FALSE(lines.fit(other, protocol::Version::k10));
  CHECK(one.use_count() == 1);
}

}  // namespace
}  // namespace stompbox::session
