// How fast bytes become frames, beside memcpy of the same bytes in the same run.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/decoder.h"
#include "protocol/encoder.h"

namespace {

using stompbox::protocol::append_frame;
using stompbox::protocol::Command;
using stompbox::protocol::DecodeEvent;
using stompbox::protocol::DecodeLimits;
using stompbox::protocol::Frame;
using stompbox::protocol::FrameDecoder;
using stompbox::protocol::Version;

constexpr std::size_t kReadBytes = 64 * 1024;  // what one read of a socket gives
// Time of the processor, not of the wall, and of several rounds the best: others use the machine
// too.
constexpr int kRounds = 10;
constexpr double kRoundSeconds = 0.05;

// Streams are short enough to stay in the cache, where a read of a socket leaves its bytes too.
constexpr std::size_t kSmallFrames = 4000;
constexpr std::size_t kLargeFrames = 8;

Frame small_frame() {
  Frame frame;
  frame.headers.add("destination", "/queue/orders");
  frame.headers.add("receipt", "message-12345");
  frame.body = "a body of thirty-two characters.";
  return frame;
}

Frame large_frame() {
  Frame frame;
  frame.headers.add("destination", "/queue/catalog");
  frame.headers.add("content-type", "text/plain; charset=UTF-8");
  frame.body = std::string(64 * 1024, 'x');
  return frame;
}

std::string stream_of(const Frame& frame, std::size_t count) {
  std::string stream;
  for (std::size_t i = 0; i < count; ++i)
    append_frame(stream, Version::k12, frame);
  return stream;
}

// Reads the whole stream as a connection would; says how many frames came.
std::size_t decode(FrameDecoder& decoder, std::string_view stream) {
  std::size_t frames = 0;
  while (!stream.empty()) {
    const std::size_t count = std::min(kReadBytes, stream.size());
    decoder.feed(stream.substr(0, count));
    while (const std::optional<DecodeEvent> event = decoder.next()) {
      if (!std::holds_alternative<Frame>(*event)) std::abort();
      ++frames;
    }
    stream.remove_prefix(count);
  }
  return frames;
}

// Calls `pass` for a round's time; gives calls per second of the best round.
template <typename Pass>
double passes_per_second(const Pass& pass) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::clock_t begin = std::clock();
    std::size_t passes = 0;
    double seconds = 0;
    while (seconds < kRoundSeconds) {
      pass();
      ++passes;
      seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    }
    best = std::max(best, static_cast<double>(passes) / seconds);
  }
  return best;
}

double measure_decoder(std::string_view stream, std::size_t frames) {
  FrameDecoder decoder{DecodeLimits{}};
  decoder.set_version(Version::k12);
  decoder.let_in();
  return passes_per_second([&decoder, stream, frames] {
    if (decode(decoder, stream) != frames) std::abort();
  });
}

// Copies the stream in blocks of a read.
double measure_memcpy(std::string_view stream) {
  std::string block(kReadBytes, '\0');
  return passes_per_second([&block, stream] {
    for (std::size_t at = 0; at < stream.size(); at += kReadBytes) {
      const std::size_t count = std::min(kReadBytes, stream.size() - at);
      std::memcpy(block.data(), stream.data() + at, count);
      if (block[count - 1] == '\x7f') std::abort();  // never; the copy must happen
    }
  });
}

}  // namespace

int main() {
  const std::string small = stream_of(small_frame(), kSmallFrames);
  const std::string large = stream_of(large_frame(), kLargeFrames);
  const double large_bytes = static_cast<double>(large.size());
  std::cout << "decoder_small_frame_bytes=" << small.size() / kSmallFrames << " bytes\n"
            << "decoder_small_frames=" << kSmallFrames * measure_decoder(small, kSmallFrames) / 1e6
            << " M/s\n"
            << "decoder_64KiB_bodies=" << large_bytes * measure_decoder(large, kLargeFrames) / 1e9
            << " GB/s\n"
            << "memcpy_of_the_same=" << large_bytes * measure_memcpy(large) / 1e9 << " GB/s\n";
  return 0;
}
