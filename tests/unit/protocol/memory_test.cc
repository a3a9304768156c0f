// What the decoder holds, copies and allocates; how long fed bytes must live; how lazy it is.
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/encoder.h"
#include "tests/support/thread_time.h"
#include "tests/unit/protocol/decoding.h"

namespace {

// Of the whole program; the tests look at differences.
std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> allocated_bytes{0};

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace stompbox::protocol {
namespace {

using namespace std::string_view_literals;
using support::thread_seconds;
// Generous for linear work in a slow build, hopeless for quadratic work: a tenth of a second and
// minutes on these sizes.
constexpr double kLinearSecondsMax = 10;
constexpr std::size_t kPieceBytes = 64;

void log_in(FrameDecoder& decoder) {
  decoder.set_version(Version::k12);
  decoder.let_in();
}

Frame next_frame(FrameDecoder& decoder) {
  std::optional<DecodeEvent> event = decoder.next();
  REQUIRE(event);
  REQUIRE(std::holds_alternative<Frame>(*event));
  return std::get<Frame>(std::move(*event));
}

TEST_CASE("a version rules what follows the frame, bytes fed before included") {
  FrameDecoder decoder{DecodeLimits{}};
  decoder.feed("CONNECT\naccept-version:1.2\n\n\0SEND\na:\\c\n\nx\0SEND\nb: \\r\n\n\0"sv);
  CHECK(next_frame(decoder).command == Command::kConnect);
  decoder.set_version(Version::k12);
  CHECK(to_text(next_frame(decoder).headers) == "a=:;");
  decoder.set_version(Version::k10);
  CHECK(to_text(next_frame(decoder).headers) == "b=\\r;");
  CHECK_FALSE(decoder.next());
}

TEST_CASE("unread bytes survive their buffer once they are kept") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  std::string buffer("SEND\n\none\0SEND\n\ntwo\0SEND\n\nthr"sv);
  decoder.feed(buffer);
  CHECK(next_frame(decoder).body == "one");
  decoder.keep_unread();
  buffer.assign(buffer.size(), '#');
  CHECK(next_frame(decoder).body == "two");
  decoder.keep_unread();
  decoder.feed("ee\0SEND\n\nfour\0"sv);
  CHECK(next_frame(decoder).body == "three");
  CHECK(next_frame(decoder).body == "four");
  CHECK_FALSE(decoder.next());
  decoder.keep_unread();
  CHECK(decoder.held_bytes() == 0);
}

TEST_CASE("bytes that are fed while others are unread queue up behind them") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  std::string stream;
  for (int i = 0; i < 100; ++i)
    stream += "SEND\n\n" + std::to_string(i) + '\0';
  // More is fed than is read: the unread part grows, and its read beginning is dropped on the way.
  int read = 0;
  for (std::size_t at = 0; at < stream.size(); at += 20) {
    decoder.feed(std::string_view(stream).substr(at, 20));
    if (const auto event = decoder.next()) {
      CHECK(std::get<Frame>(*event).body == std::to_string(read++));
    }
  }
  while (const auto event = decoder.next()) {
    CHECK(std::get<Frame>(*event).body == std::to_string(read++));
  }
  CHECK(read == 100);
}

TEST_CASE("held bytes are the partial frame and what is unread, and nothing between frames") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  CHECK(decoder.held_bytes() == 0);
  decoder.feed("SEND\na:b\nc:");
  CHECK_FALSE(decoder.next());
  CHECK(decoder.held_bytes() == "a:bc:"sv.size());
  decoder.feed("d\n\n12345");
  CHECK_FALSE(decoder.next());
  CHECK(decoder.held_bytes() >= "a:bc:d12345"sv.size());
  decoder.feed("\0SEND\n\n\0"sv);
  CHECK(next_frame(decoder).body == "12345");
  CHECK(decoder.held_bytes() == "SEND\n\n\0"sv.size());
  CHECK(next_frame(decoder).body.empty());
  CHECK(decoder.held_bytes() == 0);
}

TEST_CASE("a frame costs three allocations: header bytes, header places, body") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  Frame frame;
  for (int i = 0; i < 7; ++i)
    frame.headers.add("header-" + std::to_string(i), "some value of it");
  frame.body = std::string(64 * 1024, 'x');
  std::string sized;
  append_frame(sized, Version::k12, frame);
  const std::string unsized = "SEND\na:b\n\n" + frame.body + '\0';
  for (const std::string& bytes : {sized, unsized}) {
    decoder.feed(bytes);
    const std::size_t before = allocations;
    const std::optional<DecodeEvent> event = decoder.next();
    CHECK(allocations - before == 3);
    CHECK(std::get<Frame>(*event).body == frame.body);
  }
}

TEST_CASE("an announced body of up to 1 MiB that comes in pieces is allocated once") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  decoder.feed("SEND\ncontent-length:1048576\n\n");
  CHECK_FALSE(decoder.next());
  const std::string piece(4096, 'x');
  const std::size_t before = allocations;
  for (int i = 0; i < 256; ++i) {
    decoder.feed(piece);
    if (decoder.next()) FAIL("a frame before its NUL");
  }
  CHECK(allocations == before);
  decoder.feed("\0"sv);
  CHECK(next_frame(decoder).body.size() == 1024 * 1024);
}

TEST_CASE("a larger announced body costs nothing until its bytes come") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  const std::size_t before = allocated_bytes;
  decoder.feed("SEND\ncontent-length:104857600\n\n0123456789");
  CHECK_FALSE(decoder.next());
  CHECK(allocated_bytes - before < 4096);
  CHECK(decoder.held_bytes() < 100);
}

TEST_CASE("a body that is dropped is not held") {
  FrameDecoder decoder{DecodeLimits{}};
  decoder.let_in();
  decoder.feed("SUBSCRIBE\ncontent-length:100000\n\n");
  const std::string piece(50'000, 'x');
  decoder.feed(piece);
  CHECK_FALSE(decoder.next());
  CHECK(decoder.held_bytes() < 100);
}

TEST_CASE("a line that comes piece by piece is looked at once") {
  constexpr std::size_t kPieces = 128 * 1024;
  DecodeLimits limits;
  limits.header_line_bytes_max = kPieces * kPieceBytes + 10;
  limits.headers_bytes_max = kPieces * kPieceBytes + 10;
  FrameDecoder decoder(limits);
  log_in(decoder);
  decoder.feed("SEND\na:");
  const std::string piece(kPieceBytes, 'x');
  const double begin = thread_seconds();
  for (std::size_t i = 0; i < kPieces; ++i) {
    if (decoder.next()) FAIL("an event within a line");
    decoder.feed(piece);
  }
  CHECK_FALSE(decoder.next());
  CHECK(thread_seconds() - begin < kLinearSecondsMax);
  CHECK(decoder.held_bytes() >= kPieces * kPieceBytes);
}

TEST_CASE("bytes that pile up unread piece by piece are copied a few times at most") {
  constexpr std::size_t kPieces = 128 * 1024;
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  const std::string piece(kPieceBytes, '\n');
  const double begin = thread_seconds();
  for (std::size_t i = 0; i < kPieces; ++i)
    decoder.feed(piece);
  CHECK(thread_seconds() - begin < kLinearSecondsMax);
  CHECK(decoder.held_bytes() == kPieces * kPieceBytes);
  CHECK_FALSE(decoder.next());
  CHECK(decoder.held_bytes() == 0);
}

TEST_CASE("bytes that stay unread while others are read and fed are moved a few times at most") {
  constexpr std::size_t kFrames = 30'000;
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  const std::string frame = "SEND\n\n" + std::string(2048, 'x') + '\0';
  std::string stream;
  for (std::size_t i = 0; i < kFrames; ++i)
    stream += frame;
  decoder.feed(stream);
  const double begin = thread_seconds();
  for (std::size_t i = 0; i < kFrames; ++i) {
    if (!decoder.next()) FAIL("a frame is missing");
    decoder.feed("\n");
  }
  CHECK_FALSE(decoder.next());
  CHECK(thread_seconds() - begin < kLinearSecondsMax);
}

TEST_CASE("a frame that is done with lends its headers' memory to the next that is there already") {
  FrameDecoder decoder{DecodeLimits{}};
  log_in(decoder);
  decoder.feed("ACK\nid:1\nreceipt:a\n\n\0ACK\nid:22\n\n\0ACK\nid:3\n\n\0"sv);
  Frame first = next_frame(decoder);
  const std::size_t before = allocations;
  decoder.use_again(std::move(first.headers));
  Frame second = next_frame(decoder);
  CHECK(allocations == before);
  CHECK(to_text(second.headers) == "id=22;");
  decoder.use_again(std::move(second.headers));
  Frame third = next_frame(decoder);
  CHECK(to_text(third.headers) == "id=3;");
  decoder.use_again(std::move(third.headers));
  CHECK(decoder.held_bytes() == 0);
  CHECK_FALSE(decoder.next());
}

}  // namespace
}  // namespace stompbox::protocol
