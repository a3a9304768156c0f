#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// Where the peers of STOMP disagree (fact 8.1, item 7): one table, a row for each broker whose
// place we may take. Nothing else in the program asks "which profile".
namespace stompbox::routing {

enum class Unprefixed : std::uint8_t {
  kRefuse,  // ActiveMQ, Apollo
  kQueue,   // RabbitMQ: a name without a leading slash
  kTopic,   // StompServer, CoilMQ: what does not begin with /queue is a topic
};
enum class NackMeaning : std::uint8_t { kRequeue, kDeadLetter };
enum class DefaultPersistence : std::uint8_t { kDurable, kVolatile };
enum class ReplyQueues : std::uint8_t {
  kExplicit,  // ActiveMQ: the owner subscribes to /temp-queue/ itself
  kImplicit,  // RabbitMQ: mentioning one in reply-to subscribes to it
  kEither,    // implicit until the owner subscribes
};
// What `persistent:true` on SUBSCRIBE asks for: a durable subscription, on topics only.
enum class TransactionReceipts : std::uint8_t { kAtCommit, kWhenBuffered };  // fact G16

struct Profile {
  std::string_view name;
  Unprefixed unprefixed = Unprefixed::kRefuse;
  // /queuefoo is a queue, as StompServer has it: whatever begins with /queue. No other prefix but
  // /topic/ means anything then.
  bool loose_queue_prefix = false;
  // Of a SEND to a queue that does not say.
  DefaultPersistence persistence = DefaultPersistence::kDurable;
  bool persistence_is_fixed = false;  // `persistent:false` has no effect (StompServer's stores)
  NackMeaning nack = NackMeaning::kRequeue;
  ReplyQueues reply_queues = ReplyQueues::kEither;
  TransactionReceipts transaction_receipts = TransactionReceipts::kAtCommit;
  // Credit of ack:client when the client names none; nothing: SessionOptions.
  std::optional<std::uint32_t> client_credit_count = std::nullopt;
  std::string_view reply_prefix = "/remote-temp-queue/";  // what strangers see in reply-to
  bool monitor_queue = false;                             // StompServer's /queue/monitor (fact 3.6)
  bool wildcards = true;                                  // false: `*`, `>`, `#` are letters
  bool composites = true;                                 // false: a comma is a letter (fact 2.6)
  bool encoded_slash = false;  // RabbitMQ: `%2F` in a name is a slash (fact 2.6)
};

// auto, stompserver, activemq, rabbitmq, apollo; nullptr for any other name.
[[nodiscard]] const Profile* find_profile(std::string_view name);
[[nodiscard]] const Profile& default_profile();  // auto

}  // namespace stompbox::routing
