#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/routing/consumer.h"
#include "broker/routing/destination.h"
#include "broker/routing/name_hash.h"
#include "broker/routing/options.h"
#include "broker/routing/pattern.h"
#include "broker/routing/policy.h"
#include "broker/routing/receipt_waits.h"
#include "broker/routing/requests.h"
#include "broker/routing/residence.h"
#include "broker/routing/retained.h"
#include "broker/routing/schedule.h"
#include "broker/routing/topic_table.h"
#include "storage/queue/journal.h"
#include "storage/queue/message_pool.h"
#include "storage/result.h"

namespace stompbox::routing {

class Queue;
class RoutedQueue;
struct RoomAsked;
struct Seat;
struct Subscription;

// Moves messages from producers to queues, topics and consumers. Pure: time, disk and peers come in
// as arguments and interfaces. Loop thread only.
class Router {
 public:
  // `journal` outlives the router.
  Router(queue::Journal& journal, RoutingOptions options, const queue::StoreState& state);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // While one lives, what comes to the disk's thread comes in bursts (Journal::hold): for an event
  // that may bring many messages.
  class Burst {
   public:
    explicit Burst(Router& router) : journal_(router.journal_) { journal_.hold(); }
    ~Burst() { journal_.release(); }
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;

   private:
    queue::Journal& journal_;
  };

  // `peer` lives until detach. Detaching ends its subscriptions; what it had in flight goes back to
  // its own place (promise P4), and no receipt reaches it any more.
  // `owner`: what its temporary destinations are called by others; unique and hard to guess.
  [[nodiscard]] PeerId attach(Consumer& peer, std::string owner = {});
  void detach(PeerId peer);

  // The wall clock, handed in: everything that depends on time uses the last value. Call it at
  // least at next_event_ms(): expiry, schedules, delayed returns and idle queues happen in it.
  void on_time(std::int64_t now_ms);
  [[nodiscard]] std::optional<std::int64_t> next_event_ms() const;
  // Called when next_event_ms() has moved to an earlier time, in the middle of the router's work.
  void on_earlier_event(std::function<void()> tell) { tell_earlier_event_ = std::move(tell); }
  // The time alone: nothing that is due happens.
  void set_clock(std::int64_t now_ms);

  // Whether a message may come in now; the sender asks before every publish.
  [[nodiscard]] Admission admit(PeerId peer, const Draft& draft, bool asks_receipt);
  // The same for a transaction: there has to be room for all that it appends to a queue. What it
  // acknowledges there counts as room. kFull: more than the queue may have at all; it never fits.
  [[nodiscard]] storage::Result<Admission> admit_together(PeerId peer,
                                                          const std::vector<Transacted>& actions,
                                                          bool asks_receipt);
  // Routes it, offers it to a waiting consumer at once. The receipt is due as DESIGN §1 says.
  [[nodiscard]] storage::Status publish(PeerId peer, Draft draft, std::int64_t now_ms,
                                        std::optional<ReceiptNumber> receipt);

  // A transaction: all or nothing, on disk in one batch (promise P5). Nobody sees a part of it
  // before that is synced. `actions` have passed admit_together(). The receipts of the
  // actions and of the COMMIT are due together. On an error nothing has happened, and everything
  // that was in flight still is.
  [[nodiscard]] storage::Status commit(PeerId peer, std::vector<Transacted> actions,
                                       std::int64_t now_ms, std::optional<ReceiptNumber> receipt);

  // Registered before anything is delivered; call start_delivery() after the SUBSCRIBE's receipt
  // has been written, so that it precedes the first MESSAGE (fact F16).
  [[nodiscard]] storage::Result<SubscriptionId> subscribe(const SubscribeRequest& request);
  void start_delivery(SubscriptionId subscription);
  // No more deliveries. What is in flight stays ackable until the peer is detached (fact F15).
  void unsubscribe(SubscriptionId subscription);

  // An acknowledge() comes soon, and one that comes at once: what it needs is fetched into the
  // processor's cache meanwhile. Hints: whether they come or not changes nothing else.
  void expect_acknowledge(SubscriptionId subscription) const;
  void prepare_acknowledge(SubscriptionId subscription) const;
  // False: no such delivery in flight. The receipt is due when the effect is on stable storage.
  [[nodiscard]] bool acknowledge(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                                 std::optional<ReceiptNumber> receipt);
  // Back to its own place, to be delivered again.
  [[nodiscard]] bool give_back(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                               Seen seen, std::optional<ReceiptNumber> receipt);
  // NACK as its header says: `outcome` is not kAcknowledge.
  [[nodiscard]] bool refuse_delivery(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                                     Outcome outcome, std::optional<ReceiptNumber> receipt);
  // Ends a durable subscription and its backlog; kNotFound, or kInvalid while it is in use.
  [[nodiscard]] storage::Status forget_durable(std::string_view durable_name);
  // Whether the queue, topic or durable subscription is there: who may not create asks.
  [[nodiscard]] bool exists(PeerId peer, const DestinationView& destination) const;

  // Administration. Messages in flight stay with their consumers. The receipts of what is taken
  // back fall due: it was stored, and then it was deleted.
  using Done = std::function<void(storage::Result<std::uint64_t>)>;  // how many messages
  void purge(std::string_view queue, Done done);
  // kInvalid while it has consumers.
  void remove_queue(std::string_view queue, Done done);
  // Waiting messages, oldest first, up to `count_max`, in batches that are each all or nothing.
  void move_messages(std::string_view from, const Destination& to, std::uint64_t count_max,
                     Done done);
  // Everything but the peers and their subscriptions: for tests. Deliveries in flight are
  // forgotten, an ACK of one is accepted and does nothing.
  void reset(Done done);

  // Moves it to the dead-letter queue with its reason, in one batch (promise P7).
  [[nodiscard]] bool dead_letter(SubscriptionId subscription, DeliveryId delivery,
                                 const DeadLetterReason& reason, std::int64_t now_ms);
  // The delivery in flight that carries this message, if any: for ACKs by message-id.
  [[nodiscard]] std::optional<DeliveryId> find_in_flight(SubscriptionId subscription,
                                                         queue::MessageId message) const;
  // Changes what a subscription may have outstanding; 0 stops it.
  void set_credit(SubscriptionId subscription, Credit credit);

  // Publishes `draft` and takes the delivery out of its queue, in one batch: all or nothing. It is
  // the same message elsewhere, so it keeps its first arrival. What the dead-letter verbs do, as
  // one more consumer of that queue. kFull: no room now, and nothing has happened.
  [[nodiscard]] storage::Status move_to(SubscriptionId subscription, DeliveryId delivery,
                                        Draft draft, std::int64_t now_ms,
                                        std::optional<ReceiptNumber> receipt);

  // Whether dead letters go, or may go, to a queue of that name.
  [[nodiscard]] bool takes_letters(std::string_view queue) const;

  // Looks at a queue without taking anything: messages at or after `from`, in order, in flight or
  // not. `done` is called once, now or from on_loaded.
  void browse(std::string_view queue, queue::Place from, std::size_t count_max,
              std::function<void(BrowsePage)> done);

  // From the journal's threads, posted to the loop.
  void on_commit(const queue::CommitReport& report);
  void on_loaded(queue::LoadedPage page);

  [[nodiscard]] std::vector<QueueFigures> queue_figures() const;
  // Of one queue; nothing if there is no such queue.
  [[nodiscard]] std::optional<QueueFigures> queue_figures(std::string_view queue) const;
  [[nodiscard]] RouterFigures figures() const;
  // No message that has come so far has a higher id, every later one has.
  [[nodiscard]] queue::MessageId newest_message() const {
    return queue::MessageId::make(epoch_, last_message_);
  }

 private:
  struct Peer {
    Consumer* consumer = nullptr;
    std::vector<SubscriptionId> subscriptions;
    std::string owner;
    std::vector<std::string> temporary_queues;  // by internal name
    queue::Ticket last_hidden;                  // of its last transaction that sends to topics
    bool waits_for_room = false;
  };
  struct SubscriptionSlot {
    std::unique_ptr<Subscription> subscription;
    std::uint32_t uses = 0;  // so that an old id never names a new subscription
  };
  // A subscription to all queues that match, now and later.
  struct WildSubscription {
    SubscriptionId subscription;
    std::vector<Pattern> patterns;
  };
  // Where a SEND goes, and as what.
  struct Target {
    RoutedQueue* queue = nullptr;  // null: to the topic
    std::string topic;             // its internal name
    std::string destination;       // as the message has it
  };
  struct Intake {
    queue::PriorityClass priority;
    bool grouped = false;
  };
  enum class Contents : std::uint8_t { kAppends, kRemovals };  // of what a receipt waits for
  struct TopicPost;
  struct Batch;
  struct Browse;
  struct Browser;
  struct Drainage;
  struct HiddenPost;
  struct HiddenShow;
  struct Claims;
  enum class CameBack : std::uint8_t {
    kUnseen,    // it never left our hands
    kReturned,  // without an opinion of the consumer: no limit, no delay
    kRefused,   // a NACK: limit and delay of the policy
    kRejected,  // a NACK that wants it to go to the dead letters
    kOrphaned,  // its consumer is gone: the limit, no delay
  };

  // Who is there: router.cc, router_subscribe.cc
  [[nodiscard]] RoutedQueue* find_queue(std::string_view name) const;
  [[nodiscard]] static QueueFigures figures_of(const RoutedQueue& queue);
  [[nodiscard]] RoutedQueue* find_queue(queue::QueueId id) const;
  enum class Maker : std::uint8_t {
    kPeer,
    kBroker,  // for a dead letter: the bound on the number of queues does not hold it up
  };
  [[nodiscard]] storage::Result<RoutedQueue*> queue_named(std::string_view name,
                                                          Maker maker = Maker::kPeer);
  void restore(const queue::QueueState& found);
  void set_up(RoutedQueue& queue);
  [[nodiscard]] bool is_named_in_options(std::string_view queue) const;
  [[nodiscard]] bool counts(const RoutedQueue& queue) const;
  [[nodiscard]] Subscription* find(SubscriptionId id) const;
  [[nodiscard]] Consumer* consumer_of(PeerId peer) const;
  [[nodiscard]] const std::string& owner_name(PeerId peer) const;
  [[nodiscard]] storage::Result<RoutedQueue*> queue_of(PeerId peer, const DestinationView& view);
  [[nodiscard]] storage::Result<std::string> topic_of(PeerId peer,
                                                      const DestinationView& view) const;
  [[nodiscard]] storage::Status take_seats(PeerId peer, const std::vector<Destination>& queues,
                                           Subscription& subscription,
                                           std::vector<Pattern>& patterns);
  [[nodiscard]] storage::Status take_durable(const SubscribeRequest& request,
                                             Subscription& subscription);
  [[nodiscard]] storage::Status take_topics(PeerId peer, const SubscribeRequest& request,
                                            Subscription& subscription);
  [[nodiscard]] storage::Status take_places(const SubscribeRequest& request,
                                            Subscription& subscription,
                                            std::vector<Pattern>& patterns);
  Seat& seat_at(Subscription& subscription, RoutedQueue& queue);
  void give_up(Subscription& subscription);
  void enrol(std::unique_ptr<Subscription> subscription, const SubscribeRequest& request,
             std::vector<Pattern> patterns);
  void seat_wild_ones(RoutedQueue& queue);
  void end(Subscription& subscription);
  void drop_if_spent(Subscription& subscription);
  void drop_if_unused(RoutedQueue& queue);
  void drop_queue(RoutedQueue& queue);
  void forget_queue(RoutedQueue& queue);
  void leave_destination(Subscription& subscription);

  // From a producer: router_publish.cc, router_batch.cc
  [[nodiscard]] bool out_of_room() const;
  [[nodiscard]] bool is_full(const RoutedQueue& queue) const;
  [[nodiscard]] bool holds_some_of(PeerId peer, const RoutedQueue& queue) const;
  [[nodiscard]] bool is_closed_to(PeerId peer, const RoutedQueue& queue) const;
  [[nodiscard]] RoutedQueue* full_durable(PeerId peer, std::string_view topic_name);
  [[nodiscard]] bool has_hidden_posts(PeerId peer) const;
  [[nodiscard]] Admission refuse_or_wait(PeerId peer, bool asks_receipt);
  [[nodiscard]] bool takes_room(PeerId peer, const Draft& draft, const DestinationView& view) const;
  void wait_for_room(PeerId peer, RoutedQueue* queue);
  void room_in(RoutedQueue& queue);
  [[nodiscard]] queue::MessagePtr make_message(Draft draft, const RoutedQueue* queue);
  void set_arrival(queue::Message& message, const std::optional<FirstArrival>& first);
  [[nodiscard]] queue::MessagePtr aged(const queue::MessagePtr& message,
                                       const RoutedQueue& queue) const;
  [[nodiscard]] std::int64_t expiry_in(const RoutedQueue& queue, std::int64_t expires_ms) const;
  [[nodiscard]] storage::Status publish_together(PeerId peer, Draft draft, const Debt& debt);
  [[nodiscard]] storage::Status publish_to(PeerId peer, const DestinationView& view, Draft&& draft,
                                           const Debt& debt);
  [[nodiscard]] storage::Status check_topic(std::string_view name, const Draft& draft) const;
  void publish_to_queue(RoutedQueue& queue, queue::MessagePtr message, Intake intake, Debt debt);
  [[nodiscard]] queue::Ticket submit_append(RoutedQueue& queue, const Entry& entry,
                                            queue::Urgency urgency);
  [[nodiscard]] static queue::CreateQueue introduction(const RoutedQueue& queue);
  void make_known(RoutedQueue& queue);
  void arrive(RoutedQueue& queue, Entry entry);
  void enqueue(RoutedQueue& queue, Entry entry);
  void make_room(RoutedQueue& queue);
  void erase(const Entry& entry, queue::Urgency urgency);
  void pay(const Debt& debt);
  // On an error `targets` has what was found until then: the caller's to forget_targets().
  [[nodiscard]] storage::Status find_targets(PeerId peer, const Draft& draft,
                                             std::vector<Target>& targets);
  [[nodiscard]] storage::Result<Target> target_of(PeerId peer, const DestinationView& view);
  void add_send(Batch& batch, PeerId peer, const std::vector<Target>& targets, Draft draft);
  void add_to_queue(Batch& batch, RoutedQueue& queue, queue::MessagePtr message, Intake intake);
  void add_erase(Batch& batch, const Entry& entry);
  static void add_volatile_appends(Batch& batch);
  queue::Ticket submit(Batch batch);
  void settle(PeerId peer, queue::Ticket ticket, Contents contents,
              std::optional<ReceiptNumber> receipt);

  // Room for all of a transaction: router_room.cc
  using Demand = std::map<std::string, RoomAsked>;  // by the internal names of queues
  enum class Told : std::uint8_t { kWhoFits, kAll };
  [[nodiscard]] Demand demand_of(PeerId peer, const std::vector<Transacted>& actions);
  void add_demand(Demand& demand, PeerId peer, const Draft& draft);
  void add_freed(Demand& demand, const std::vector<Transacted>& actions) const;
  [[nodiscard]] bool takes_room(PeerId peer, const Transacted& action) const;
  [[nodiscard]] storage::Status check_can_fit(const Demand& demand) const;
  [[nodiscard]] RoutedQueue* first_without_room(PeerId peer, const Demand& demand) const;
  [[nodiscard]] bool must_be_heard(PeerId peer, const RoutedQueue& queue,
                                   const RoomAsked& asked) const;
  void wait_for_room_in(RoutedQueue& queue, PeerId peer, const RoomAsked& asked);
  void tell_senders(RoutedQueue& queue, Told told);

  // Topics: router_topics.cc
  void publish_to_topic(TopicPost post, Intake intake, Debt debt);
  void add_to_topic(Batch& batch, TopicPost post, Intake intake);
  void post_in_order(const TopicPost& post);
  void post_now(const TopicPost& post);
  void show(const Topic& topic, const TopicPost& post);
  void offer(Subscription& subscription, const Entry& entry, const TopicLimits& limits);
  void bound_backlog(Subscription& subscription, const TopicLimits& limits);
  void bound_all_backlogs();
  void lose_oldest(Subscription& subscription, std::size_t count);
  void close_slow(Subscription& subscription);
  void clear_backlog(Subscription& subscription);
  void give_retained(Subscription& subscription, const std::vector<Destination>& topics);
  void pump_backlog(Subscription& subscription);
  void put_back(Subscription& subscription, Entry entry);
  void release_hidden_posts();

  // To a consumer and back: router_delivery.cc
  void deliver(RoutedQueue& queue, Seat& seat, Entry entry);
  void pump(RoutedQueue& queue);
  void hand_out(Subscription& subscription, Entry entry, std::uint64_t lost_before = 0);
  void request_load(RoutedQueue& queue);
  void list_for_commit(RoutedQueue& queue);
  void credit_came(Subscription& subscription);
  // The next delivery that an ACK or NACK of `delivery` reaches; nothing when that was the last.
  [[nodiscard]] static std::optional<DeliveryId> next_reached(const Subscription& subscription,
                                                              DeliveryId delivery, Reach reach);
  [[nodiscard]] static Entry take_from_flight(Subscription& subscription, DeliveryId delivery);
  [[nodiscard]] std::optional<queue::Ticket> finish(Subscription& subscription, DeliveryId delivery,
                                                    queue::Urgency urgency);
  [[nodiscard]] bool withdraw(const Entry& entry);
  void come_back(Batch& batch, Subscription& subscription, Entry entry, CameBack how);
  void return_to_place(Batch& batch, Entry entry, CameBack how);
  [[nodiscard]] std::int64_t delay_of(const RoutedQueue& queue, const Entry& entry,
                                      CameBack how) const;
  void put_at_place(RoutedQueue& queue, Entry entry, std::int64_t delay_ms);
  void after_verdicts(SubscriptionId subscription);
  [[nodiscard]] bool return_all(SubscriptionId subscription, DeliveryId delivery, Reach reach,
                                CameBack how, std::optional<ReceiptNumber> receipt);

  // Dead letters and what has expired: router_letters.cc
  [[nodiscard]] std::optional<std::string> letter_queue_for(const Entry& entry) const;
  void bury(Batch& batch, Entry entry, const DeadLetterReason& reason);
  [[nodiscard]] Draft letter_of(const queue::Message& message, const std::string& queue,
                                const DeadLetterReason& reason) const;
  void bound_letters(RoutedQueue& queue);
  void expire(RoutedQueue& queue);
  void bury_expired(Batch& batch, Entry entry);
  [[nodiscard]] bool is_expired(const queue::Message& message) const {
    return message.expires_ms != 0 && message.expires_ms <= now_ms_;
  }

  // Transactions: router_transactions.cc
  [[nodiscard]] storage::Status check(const Transacted& action, Claims& claims) const;
  void carry_out(PeerId peer, std::vector<Transacted> actions,
                 const std::vector<std::vector<Target>>& targets,
                 std::optional<ReceiptNumber> receipt);
  void add_verdict(Batch& batch, const TransactedVerdict& verdict);
  void forget_targets(const std::vector<std::vector<Target>>& targets);

  // The clock: router_time.cc
  void start_clock();
  void arm(RoutedQueue& queue);
  void arm_at(RoutedQueue& queue, std::int64_t at_ms);
  void look_after(RoutedQueue& queue);
  void let_rest(RoutedQueue& queue);
  [[nodiscard]] bool is_idle(const RoutedQueue& queue) const;

  // Scheduled messages: router_schedule.cc
  void find_jobs(queue::Place from);
  [[nodiscard]] storage::Status check_schedule(const Draft& draft,
                                               const std::vector<Destination>& targets) const;
  void add_job(Batch& batch, Draft draft);
  void keep_job(Job job);
  void do_due_jobs();
  void do_job(Job job);
  void on_job_page(queue::LoadedPage page);
  void on_jobs_found(queue::LoadedPage page);
  [[nodiscard]] queue::Op erase_of(const Job& job) const;
  void forget_all_jobs();
  [[nodiscard]] std::optional<Job> take_job(queue::MessageId id);
  [[nodiscard]] storage::Status manage_schedule(const Draft& draft, const Debt& debt);
  void remove_job(queue::MessageId id, const Debt& debt);

  // What the journal says: router_journal.cc
  void refuse_waiting_appends();
  void take_back(RoutedQueue& queue, const ReceiptWaits::Wait& wait);
  void tell_room();
  void report_when_stored(std::uint64_t count, Contents contents, Done done);
  void tell_reports();
  void note_ticket(queue::Ticket ticket) { last_submitted_ = ticket; }

  // Looking and administration: router_browse.cc, router_admin.cc
  void finish_browse(std::uint64_t tag, queue::LoadedPage page);
  [[nodiscard]] BrowsePage browse_memory(const RoutedQueue& queue, queue::Place from,
                                         std::size_t count_max) const;
  void start_browser(const SubscribeRequest& request, Subscription& subscription);
  void pump_browser(Subscription& subscription);
  void on_browser_page(SubscriptionId subscription, BrowsePage page);
  void tell_followers(RoutedQueue& queue, const Entry& entry);
  void show_followers(RoutedQueue& queue, const Entry& entry);
  void release_hidden_shows();
  void end_browser(Subscription& subscription);
  void start_drain(RoutedQueue& queue, Drainage drainage, std::uint64_t count_max);
  [[nodiscard]] static Drainage make_room_drainage();
  [[nodiscard]] static Drainage bound_letters_drainage();
  void count_dropped(RoutedQueue& queue);
  void count_dropped_letter(RoutedQueue& queue);
  void continue_drain(RoutedQueue& queue);
  [[nodiscard]] std::size_t drain_a_batch(RoutedQueue& queue, Drainage& drainage);
  void drain_one(Batch& batch, Drainage& drainage, Entry entry);
  void move_one(Batch& batch, Drainage& drainage, Entry entry);
  void go_on_moving();
  void break_off_move(RoutedQueue& queue);
  void end_drain(RoutedQueue& queue);
  [[nodiscard]] std::uint64_t reset_queues();
  [[nodiscard]] std::uint64_t drop_all_queues();
  void seat_anew(Subscription& subscription, RoutedQueue& queue);

  queue::Journal& journal_;
  const RoutingOptions options_;
  const PolicyTable policies_;
  const bool has_bounds_;  // some policy bounds a queue
  const std::uint32_t epoch_;

  // What is published here is mostly let go on the disk's thread: see MessagePool.
  static constexpr std::size_t kPooledBytesMax = 2 * 1024 * 1024;
  const queue::MessagePool::Owner pool_ = queue::MessagePool::make(kPooledBytesMax);
  Residence residence_;              // before the queues, which keep it
  std::size_t in_flight_total_ = 0;  // before the subscriptions, which keep it
  std::unordered_map<std::string, std::unique_ptr<RoutedQueue>, NameHash, std::equal_to<>> queues_;
  std::unordered_map<std::uint32_t, RoutedQueue*> queues_by_id_;
  std::size_t uncounted_queues_ = 0;  // that do not count for the bound
  TopicTable topics_;
  RetainedStore retained_;
  std::uint64_t last_post_ = 0;  // arrival number over all topics
  std::size_t backlog_total_bytes_ = 0;
  std::unordered_map<std::uint32_t, Peer> peers_;
  std::unordered_map<std::string, PeerId, NameHash, std::equal_to<>> owners_;
  std::vector<SubscriptionSlot> subscriptions_;
  std::vector<std::uint32_t> free_subscriptions_;
  std::vector<WildSubscription> wild_;
  std::uint32_t last_peer_ = 0;
  std::uint32_t last_queue_ = 0;
  std::uint64_t last_message_ = 0;

  ReceiptWaits waits_;
  ReceiptWaits removal_waits_;  // for what appends nothing: a full disk does not hold it up
  queue::Ticket last_submitted_;
  queue::Ticket committed_through_;
  queue::Ticket removed_through_;  // of what appends nothing; not less
  struct Report {                  // what an operator is to be told when it is on stable storage
    queue::Ticket ticket;
    Contents contents;
    std::uint64_t count = 0;
    Done done;
  };
  std::vector<Report> reports_;
  std::deque<HiddenPost> hidden_posts_;
  std::deque<HiddenShow> hidden_shows_;
  bool disk_full_ = false;
  std::vector<PeerId> waiting_peers_;
  std::vector<queue::QueueId> waiting_for_commit_;  // what is next there is not written yet

  std::function<void()> tell_earlier_event_;
  std::int64_t now_ms_ = 0;                                  // 0: nobody has said yet
  std::set<std::pair<std::int64_t, std::uint32_t>> alarms_;  // when to look after which queue

  ScheduleClock schedule_;
  queue::QueueId schedule_queue_;  // 0: there is none yet
  std::uint64_t last_job_seq_ = 0;
  std::unordered_map<std::uint64_t, Job> loading_jobs_;  // by the tag of their page
  std::vector<Job> unwritten_jobs_;                      // due, and not in the store yet
  bool finding_jobs_ = false;                            // those of earlier lives come page by page
  std::multimap<queue::MessageId, Debt> unfound_jobs_;   // to be removed when they come

  std::unordered_map<std::uint64_t, std::unique_ptr<Browse>> browses_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Browser>> browsers_;    // by subscription
  std::unordered_map<std::uint32_t, std::unique_ptr<Drainage>> drainages_;  // by queue
  std::uint64_t last_load_ = 0;                                             // tag
  RouterFigures figures_;  // counters; the rest is filled in by figures()
};

}  // namespace stompbox::routing
