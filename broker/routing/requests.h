#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/routing/consumer.h"
#include "broker/routing/destination.h"
#include "broker/routing/selector.h"
#include "storage/queue/journal.h"
#include "storage/result.h"

// What is asked of the router, and what it says of itself.
namespace stompbox::routing {

enum class AckMode : std::uint8_t {
  kAuto,        // done when the consumer says that it has left our hands
  kClient,      // an ACK covers all earlier deliveries of the subscription (fact G2)
  kIndividual,  // an ACK covers one (fact G3)
};

// What a subscription may have outstanding. One message always fits, however large.
struct Credit {
  std::size_t count_max = 1000;
  std::size_t bytes_max = 1024 * 1024;
};

enum class Locality : std::uint8_t { kAll, kNotOwn };  // topics: not what the peer itself sent
enum class Exclusivity : std::uint8_t { kShared, kExclusive };
enum class Browsing : std::uint8_t {
  kNo,
  kOnce,    // what is there, then Consumer::browse_end
  kFollow,  // and then what comes
};

struct SubscribeRequest {
  PeerId peer;
  std::uint32_t tag = 0;  // handed back with each delivery
  // One, or several of a composite destination; names with wildcards stand for all that match, now
  // and later. One subscription, one credit, one set of deliveries over all of them.
  std::vector<Destination> destinations;
  AckMode ack_mode = AckMode::kAuto;
  Credit credit;
  std::shared_ptr<const Selector> selector;  // null: everything
  Locality locality = Locality::kAll;
  // Of a durable subscription to topics, client-id included; it is shared by all who use the name
  // (fact 2.5). Its backlog is the destination /dsub/NAME.
  std::optional<std::string> durable_name;
  Exclusivity exclusivity = Exclusivity::kShared;
  std::int32_t priority = 0;  // consumers of a higher one come first while they have credit
  Browsing browsing = Browsing::kNo;
  std::uint64_t browse_from = 0;  // Delivery::seq to begin with; UINT64_MAX: only what comes
  // Three lines of the processor's cache that the consumer looks at when something is delivered:
  // fetched ahead, and otherwise left alone. Null: nothing.
  const void* memory = nullptr;
};

enum class Retain : std::uint8_t { kNo, kSet, kRemove };

// AMQ_SCHEDULED_DELAY, _PERIOD, _REPEAT (fact 2.10).
struct Schedule {
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds period{0};
  std::int64_t repeats = 0;  // further times; -1: for ever
};

enum class Reach { kOne, kUpTo };    // of an ACK or NACK: one delivery, or it and all earlier
enum class Seen { kMaybe, kNever };  // of a return: never left our hands, or may have been seen
enum class Outcome : std::uint8_t {
  kAcknowledge,
  kReturn,  // NACK: back to its place, after the policy's delay; a dead letter beyond its limit
  kReject,  // NACK requeue:false: a dead letter at once
};

// When a message came to this broker for the first time. What orders messages (promise P6) goes by
// it, so it stays with a message that is moved, buried or revived.
struct FirstArrival {
  queue::MessageId id;
  std::int64_t arrived_ms = 0;
};

// A message as it comes from a peer: all but its id and time of arrival.
struct Draft {
  std::string destination;
  std::string header_block;
  bool block_is_plain = true;
  std::string body;
  queue::Persistence persistence = queue::Persistence::kDurable;
  queue::PriorityClass priority;
  std::int64_t expires_ms = 0;  // wall clock; 0: never
  bool has_group = false;       // the block has a JMSXGroupID
  Retain retain = Retain::kNo;  // topics
  std::optional<Schedule> schedule;
  std::optional<FirstArrival> first_arrival;  // of a message that was here before; nothing: now
};

// What a transaction holds until COMMIT, in order (facts G13, G14).
struct TransactedSend {
  Draft draft;
  std::optional<ReceiptNumber> receipt;
};
struct TransactedVerdict {
  SubscriptionId subscription;
  DeliveryId delivery;
  Reach reach;
  Outcome outcome;
  std::optional<ReceiptNumber> receipt;
};
using Transacted = std::variant<TransactedSend, TransactedVerdict>;

enum class Admission {
  kAccept,
  kWait,    // no room: hold it and do not read on; Consumer::room_again follows
  kRefuse,  // no room, and the sender asked for a receipt: it gets an ERROR that says so
};

struct DeadLetterReason {
  std::string kind;    // one word: "unreadable", "rejected", "redelivered", "expired", …
  std::string detail;  // one sentence
};

struct QueueFigures {
  std::string name;
  std::uint64_t waiting = 0;  // ready to be delivered, in memory or in the store
  std::uint64_t in_flight = 0;
  std::uint64_t resident = 0;  // of the waiting: in memory
  std::uint64_t bytes = 0;
  std::uint64_t consumers = 0;
  std::uint64_t enqueued = 0;  // since the start
  std::uint64_t acknowledged = 0;
  std::uint64_t returned = 0;
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;                      // made room for newer ones, as its policy says
  std::optional<std::int64_t> oldest_arrived_ms;  // of what is in memory
  bool takes_letters = false;                     // a dead-letter queue
};

struct RouterFigures {
  bool disk_full = false;
  std::uint64_t journal_bytes = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t peers = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t withdrawn = 0;  // appends that an ACK cancelled before they cost a write
  std::uint64_t dead_lettered = 0;
  std::uint64_t dead_letters_dropped = 0;  // the oldest made room for newer ones
  std::uint64_t queue_dropped = 0;         // the oldest made room, as their queues' policies say
  std::uint64_t topic_without_subscriber = 0;
  std::uint64_t topic_dropped = 0;  // not given to a subscription that was too slow for them
  std::uint64_t expired = 0;
  std::uint64_t transactions = 0;  // committed
  std::uint64_t scheduled = 0;     // waiting for their time
  std::uint64_t retained = 0;
  std::uint64_t durable_subscriptions = 0;
  std::string last_load_error;  // of a page that could not be read; empty: none since the start
};

struct BrowsedMessage {
  queue::Place place;
  queue::MessagePtr message;
  std::uint32_t deliveries = 0;
  bool in_flight = false;
};

struct BrowsePage {
  std::vector<BrowsedMessage> messages;
  std::optional<queue::Place> next;  // where to go on; nothing at the end
  std::optional<storage::Error> error;
};

}  // namespace stompbox::routing
