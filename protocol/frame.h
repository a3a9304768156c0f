#pragma once

#include <cstddef>
#include <cstdint>
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
[[nodiscard]] bool is_login(Command command);

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

}  // namespace stompbox::protocol
