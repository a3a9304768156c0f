#include "broker/verbs/bench_words.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace stompbox::verbs {
namespace {

// A word is the number of its kind, the size of the rest, the rest. One machine, one program: the
// numbers are as they are in memory.
struct Head {
  std::uint64_t kind = 0;  // the place in BenchWord
  std::uint64_t size = 0;
};

using Numbers = std::array<std::int64_t, 2>;

std::string raw(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string contents_of(const BenchWord& word) {
  if (const auto* done = std::get_if<HasDone>(&word)) {
    const Numbers numbers{static_cast<std::int64_t>(done->messages),
                          done->last.time_since_epoch().count()};
    return raw(numbers.data(), sizeof numbers);
  }
  if (const auto* latencies = std::get_if<Latencies>(&word)) return latencies->bytes();
  if (const auto* error = std::get_if<storage::Error>(&word)) {
    return static_cast<char>(error->code) + error->text;
  }
  return {};
}

std::optional<BenchWord> read_done(std::string_view contents) {
  Numbers numbers{};
  if (contents.size() != sizeof numbers) return std::nullopt;
  std::memcpy(numbers.data(), contents.data(), sizeof numbers);
  return HasDone{static_cast<std::uint64_t>(numbers[0]),
                 BenchClock::time_point(BenchClock::duration(numbers[1]))};
}

std::optional<BenchWord> read_error(std::string_view contents) {
  if (contents.empty()) return std::nullopt;
  return storage::Error{static_cast<storage::ErrorCode>(contents.front()),
                        std::string(contents.substr(1))};
}

}  // namespace

std::string to_bytes(const BenchWord& word) {
  const std::string contents = contents_of(word);
  const Head head{word.index(), contents.size()};
  return raw(&head, sizeof head) + contents;
}

std::optional<BenchWord> BenchWords::next() {
  Head head;
  if (bytes_.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes_.data(), sizeof head);
  if (bytes_.size() - sizeof head < head.size) return std::nullopt;
  const std::string contents = bytes_.substr(sizeof head, head.size);
  bytes_.erase(0, sizeof head + contents.size());
  switch (head.kind) {
    case 0: return IsReady{};
    case 1: return read_done(contents);
    case 2: return Latencies::from_bytes(contents);
    case 3: return read_error(contents);
    default: return std::nullopt;
  }
}

}  // namespace stompbox::verbs
