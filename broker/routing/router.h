#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/routing/consumer.h"
#include "broker/routing/destination.h"
#include "broker/routing/options.h"
#include "broker/routing/receipt_waits.h"
#include "storage/queue/journal.h"
#include "storage/result.h"

namespace stompbox::routing {

class Queue;
class Topic;
struct Subscription;

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

struct SubscribeRequest {
  PeerId peer;
  std::uint32_t tag = 0;  // handed back with each delivery
  Destination destination;
  AckMode ack_mode = AckMode::kAuto;
  Credit credit;
};

// A message as it comes from a peer: all but its id and time of arrival.
struct Draft {
  std::string destination;
  std::string header_block;
  bool block_is_plain = true;
  std::string body;
  queue::Persistence persistence = queue::Persistence::kDurable;
};

enum class Admission {
  kAccept,
  kWait,    // no room: hold it and do not read on; Consumer::room_again follows
  kRefuse,  // no room, and the sender asked for a receipt: it gets an ERROR that says so
};

enum class Reach { kOne, kUpTo };    // of an ACK or NACK: one delivery, or it and all earlier
enum class Seen { kMaybe, kNever };  // of a return: never left our hands, or may have been seen

struct DeadLetterReason {
  std::string kind;    // one word: "unreadable", "rejected", "too-large", "crashed"
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
  std::optional<std::int64_t> oldest_arrived_ms;  // of what is in memory
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
  std::uint64_t topic_without_subscriber = 0;
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

// Moves messages from producers to queues, topics and consumers. Pure: time, disk and peers come in
// as arguments and interfaces. Loop thread only.
class Router {
 public:
  // `journal` outlives the router.
  Router(queue::Journal& journal, RoutingOptions options, const queue::StoreState& state);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // `peer` lives until detach. Detaching ends its subscriptions; what it had in flight goes back to
  // its own place (promise P4), and no receipt reaches it any more.
  [[nodiscard]] PeerId attach(Consumer& peer);
  void detach(PeerId peer);

  // Whether a message may come in now; the sender asks before every publish.
  [[nodiscard]] Admission admit(PeerId peer, const Draft& draft, bool asks_receipt);
  // Routes it, offers it to a waiting consumer at once. The receipt is due as DESIGN §1 says.
  [[nodiscard]] storage::Status publish(PeerId peer, Draft draft, std::int64_t now_ms,
                                        std::optional<ReceiptNumber> receipt);

  // Registered before anything is delivered; call start_delivery() after the SUBSCRIBE's receipt
  // has been written, so that it precedes the first MESSAGE (fact F16).
  [[nodiscard]] storage::Result<SubscriptionId> subscribe(const SubscribeRequest& request);
  void start_delivery(SubscriptionId subscription);
  // No more deliveries. What is in flight stays ackable until the peer is detached (fact F15).
  void unsubscribe(SubscriptionId subscription);

  // False: no such delivery in flight. The receipt is due when the effect is on stable storage.
  [[nodiscard]] bool acknowledge(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                                 std::optional<ReceiptNumber> receipt);
  // Back to its own place, to be delivered again.
  [[nodiscard]] bool give_back(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                               Seen seen, std::optional<ReceiptNumber> receipt);
  // Moves it to the dead-letter queue with its reason, in one batch (promise P7).
  [[nodiscard]] bool dead_letter(SubscriptionId subscription, DeliveryId delivery,
                                 const DeadLetterReason& reason, std::int64_t now_ms);
  // The delivery in flight that carries this message, if any: for ACKs by message-id.
  [[nodiscard]] std::optional<DeliveryId> find_in_flight(SubscriptionId subscription,
                                                         queue::MessageId message) const;
  // Changes what a subscription may have outstanding; 0 stops it.
  void set_credit(SubscriptionId subscription, Credit credit);

  // Publishes `draft` and takes the delivery out of its queue, in one batch: all or nothing. What
  // the dead-letter verbs do, as one more consumer of that queue.
  [[nodiscard]] storage::Status move_to(SubscriptionId subscription, DeliveryId delivery,
                                        Draft draft, std::int64_t now_ms,
                                        std::optional<ReceiptNumber> receipt);

  // Looks at a queue without taking anything: messages at or after `from`, in order, in flight or
  // not. `done` is called once, now or from on_loaded.
  void browse(std::string_view queue, queue::Place from, std::size_t count_max,
              std::function<void(BrowsePage)> done);

  // From the journal's threads, posted to the loop.
  void on_commit(const queue::CommitReport& report);
  void on_loaded(queue::LoadedPage page);

  [[nodiscard]] std::vector<QueueFigures> queue_figures() const;
  [[nodiscard]] RouterFigures figures() const;

 private:
  struct Peer {
    Consumer* consumer = nullptr;
    std::vector<SubscriptionId> subscriptions;
    bool waits_for_room = false;
  };
  struct SubscriptionSlot {
    std::unique_ptr<Subscription> subscription;
    std::uint32_t uses = 0;  // so that an old id never names a new subscription
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, std::unique_ptr<T>, NameHash, std::equal_to<>>;
  struct Browse;

  [[nodiscard]] Queue* find_queue(std::string_view name) const;
  [[nodiscard]] storage::Result<Queue*> queue_named(std::string_view name);
  [[nodiscard]] storage::Result<Topic*> topic_named(std::string_view name);
  [[nodiscard]] Subscription* find(SubscriptionId id) const;
  [[nodiscard]] Consumer* consumer_of(PeerId peer) const;
  [[nodiscard]] queue::MessagePtr make_message(Draft draft, std::int64_t now_ms);
  [[nodiscard]] bool out_of_room() const;

  void publish_to_queue(Queue& queue, queue::MessagePtr message, Debt debt);
  void publish_to_topic(std::string_view name, const queue::MessagePtr& message);
  [[nodiscard]] queue::Ticket submit_append(Queue& queue, const Entry& entry,
                                            queue::Urgency urgency);
  void make_known(Queue& queue);
  void enqueue(Queue& queue, Entry entry);
  void pay(const Debt& debt);

  void deliver(Queue& queue, Subscription& subscription, Entry entry);
  void pump(Queue& queue);
  void pump_backlog(Subscription& subscription);
  void hand_out(Subscription& subscription, Entry entry);
  void request_load(Queue& queue);

  // The next delivery that an ACK or NACK of `delivery` reaches; nothing when that was the last.
  [[nodiscard]] static std::optional<DeliveryId> next_reached(const Subscription& subscription,
                                                              DeliveryId delivery, Reach reach);
  [[nodiscard]] std::optional<queue::Ticket> finish(Subscription& subscription, DeliveryId delivery,
                                                    queue::Urgency urgency);
  [[nodiscard]] std::optional<queue::Ticket> take_off_disk(Queue& queue, const Entry& entry,
                                                           AckMode mode, queue::Urgency urgency);
  [[nodiscard]] bool withdraw(const Entry& entry);
  [[nodiscard]] std::optional<queue::Ticket> return_one(Subscription& subscription,
                                                        DeliveryId delivery, Seen seen,
                                                        queue::Urgency urgency);
  void settle(const Subscription& subscription, std::optional<queue::Ticket> ticket,
              std::optional<ReceiptNumber> receipt);
  static void put_back(Subscription& subscription, Entry entry);
  void credit_came(Subscription& subscription);
  void end(Subscription& subscription);
  void drop_if_spent(Subscription& subscription);
  void drop_if_unused(Queue& queue);
  void leave_destination(Subscription& subscription);
  void refuse_waiting_appends();
  void take_back(Queue& queue, const ReceiptWaits::Wait& wait);
  void tell_room();
  void note_ticket(queue::Ticket ticket) { last_submitted_ = ticket; }

  void finish_browse(std::uint64_t tag, queue::LoadedPage page);
  [[nodiscard]] BrowsePage browse_memory(const Queue& queue, queue::Place from,
                                         std::size_t count_max) const;

  queue::Journal& journal_;
  const RoutingOptions options_;
  const std::uint32_t epoch_;

  std::size_t resident_total_ = 0;   // before the queues, which keep it
  std::size_t in_flight_total_ = 0;  // before the subscriptions, which keep it
  ByName<Queue> queues_;
  std::unordered_map<std::uint32_t, Queue*> queues_by_id_;
  ByName<Topic> topics_;
  std::unordered_map<std::uint32_t, Peer> peers_;
  std::vector<SubscriptionSlot> subscriptions_;
  std::vector<std::uint32_t> free_subscriptions_;
  std::uint32_t last_peer_ = 0;
  std::uint32_t last_queue_ = 0;
  std::uint64_t last_message_ = 0;

  ReceiptWaits waits_;
  queue::Ticket last_submitted_;
  queue::Ticket committed_through_;
  bool disk_full_ = false;
  std::vector<PeerId> waiting_peers_;
  std::vector<Queue*> waiting_for_commit_;  // their next page is not written yet
  std::unordered_map<std::uint64_t, std::unique_ptr<Browse>> browses_;
  std::uint64_t last_browse_ = 0;
  RouterFigures figures_;  // counters; the rest is filled in by figures()
};

}  // namespace stompbox::routing
