#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One STOMP frame as a value: command, headers in order, body.
namespace stompbox::protocol {

// Commands of STOMP 1.0 to 1.2. Case sensitive on the wire (fact A5).
enum class Command : std::uint8_t {
  kConnect,
  kStomp,
  kSend,
  kSubscribe,
  kUnsubscribe,
  kAck,
  kNack,
  kBegin,
  kCommit,
  kAbort,
  kDisconnect,
  kConnected,
  kMessage,
  kReceipt,
  kError,
};

[[nodiscard]] std::string_view to_text(Command command);
// Nothing if it is no command of STOMP, letter for letter.
[[nodiscard]] std::optional<Command> parse_command(std::string_view text);
// CONNECT, STOMP and CONNECTED: no version is agreed yet, so they carry no escapes (fact B6).
[[nodiscard]] inline bool is_login(Command command) {
  return command == Command::kConnect || command == Command::kStomp ||
         command == Command::kConnected;
}

// Headers in the order of the wire, repeated names kept. One string holds all the bytes, so that a
// frame costs two allocations however many headers it has. Views into it live until the next
// change.
class Headers {
 public:
  struct View {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const View&, const View&) = default;
  };

  void add(std::string_view name, std::string_view value);
  // The same from "name:value"; `colon` is the place of the colon that parts them.
  void add_line(std::string_view line, std::size_t colon);
  void clear();
  // Room for so many headers with so many bytes of names and values in all.
  void reserve(std::size_t count, std::size_t bytes);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] View at(std::size_t index) const;
  // Bytes of all names and values, with the colon between them.
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

  // The first of that name wins (fact A11).
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  struct Entry {
    std::uint32_t name_begin;
    std::uint32_t value_begin;  // one behind the name's end: the colon is between them
    std::uint32_t value_end;

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  void add_entry(std::size_t name_begin, std::size_t value_begin);

  std::string bytes_;
  std::vector<Entry> entries_;
};

struct Frame {
  Command command = Command::kSend;
  Headers headers;  // decoded: no escapes left
  std::string body;
  bool short_length_mended =
      false;  // the old gems' content-length was less than the body (fact 1.4)

  friend bool operator==(const Frame&, const Frame&) = default;
};

// What follows is called for each header of each frame: inline, which is worth a fifth of the time.

inline void Headers::add_line(std::string_view line, std::size_t colon) {
  assert(colon < line.size() && line[colon] == ':');
  const std::size_t begin = bytes_.size();
  bytes_.append(line);
  add_entry(begin, begin + colon + 1);
}

inline void Headers::add_entry(std::size_t name_begin, std::size_t value_begin) {
  assert(bytes_.size() <= std::numeric_limits<std::uint32_t>::max());
  entries_.push_back({.name_begin = static_cast<std::uint32_t>(name_begin),
                      .value_begin = static_cast<std::uint32_t>(value_begin),
                      .value_end = static_cast<std::uint32_t>(bytes_.size())});
}

inline Headers::View Headers::at(std::size_t index) const {
  assert(index < entries_.size());
  const Entry& entry = entries_[index];
  const std::string_view bytes = bytes_;
  return {.name = bytes.substr(entry.name_begin, entry.value_begin - 1 - entry.name_begin),
          .value = bytes.substr(entry.value_begin, entry.value_end - entry.value_begin)};
}

inline std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const View header = at(i);
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

}  // namespace stompbox::protocol
