#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/queue/message.h"
#include "storage/result.h"

namespace stompbox::routing {

// The SQL-92 condition on headers that JMS users know (facts F17, 2.2): = <> < <= > >= AND OR NOT
// BETWEEN IN LIKE … ESCAPE, IS [NOT] NULL, + - * /, literals 'text' (a quote doubled), 12, 1.5e3,
// 0x1f, TRUE, FALSE. Headers are text: where one is compared with a number it is read as a number,
// and the comparison is unknown if it is none; the same with TRUE and FALSE. Identifiers may hold
// `-` and `.` after the first letter, so a subtraction needs blanks. A missing header is unknown
// (NULL), and unknown is no match. Words of the language are so in any case, headers are not.
//
// Names of JMS: JMSType, JMSCorrelationID and JMSReplyTo are the headers `type`, `correlation-id`
// and `reply-to`; JMSPriority (4 if none) and JMSTimestamp (else the time of arrival) are numbers;
// JMSExpiration, JMSDeliveryMode and JMSDestination are the message's own; any other JMS... but
// JMSX... is unknown. The prefixes `convert_string_expressions:` (ActiveMQ) and `hyphenated_props:`
// (Artemis) ask for what holds anyway and are passed over. An empty text matches everything (JMS).
//
// Immutable; any thread.
class Selector {
 public:
  static constexpr std::size_t kTextBytesMax = 8192;
  static constexpr std::size_t kDepthMax = 64;  // of parentheses, NOTs, signs, sums of sums

  // kInvalid with a sentence that says where it stops to make sense. Bounded in length and depth.
  [[nodiscard]] static storage::Result<std::shared_ptr<const Selector>> parse(
      std::string_view text);
  virtual ~Selector() = default;
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  // Time bounded by the product of the lengths of selector and headers. No allocation unless a
  // header that is looked at has an escape.
  [[nodiscard]] virtual bool matches(const queue::Message& message) const = 0;

  // The whole condition is `header = 'value'`: what an index can look up by find_header().
  struct Equality {
    std::string header;
    std::string value;
  };
  [[nodiscard]] const std::optional<Equality>& equality() const { return equality_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 protected:
  Selector() = default;
  std::string text_;
  std::optional<Equality> equality_;
};

// Headers as a message keeps them: "name:value\n" lines (Message::header_block).
struct HeaderLines {
  std::string_view block;
  bool is_plain = false;  // Message::block_is_plain
};

// The first header of that name in a block of "name:value\n" lines (Message::header_block), without
// a copy when nothing in it is escaped; else unescaped into `scratch`.
[[nodiscard]] std::optional<std::string_view> find_header(const queue::Message& message,
                                                          std::string_view name,
                                                          std::string& scratch);
[[nodiscard]] std::optional<std::string_view> find_header(const HeaderLines& headers,
                                                          std::string_view name,
                                                          std::string& scratch);

}  // namespace stompbox::routing
