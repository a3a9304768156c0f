#include "broker/verbs/bench_load.h"

#include <charconv>
#include <optional>
#include <utility>

#include "broker/client/client.h"
#include "protocol/frame.h"

namespace stompbox::verbs {
namespace {

using std::chrono::nanoseconds;

constexpr std::string_view kRunHeader = "bench-run";
constexpr std::string_view kSentHeader = "bench-sent";  // nanoseconds of the monotonic clock
constexpr std::size_t kPrefetch = 256;
constexpr std::chrono::milliseconds kTellEvery{50};

// Tells how far one is, now and then.
class Count {
 public:
  explicit Count(const BenchDesk& desk) : desk_(desk) {}

  // True now and then, when other things should be looked at, too.
  bool add(BenchClock::time_point now) {
    done_.messages += 1;
    done_.last = now;
    if (now < next_) return false;
    tell();
    next_ = now + kTellEvery;
    return true;
  }
  void tell() {
    if (done_.messages == told_) return;
    told_ = done_.messages;
    desk_.tell(done_);
  }

 private:
  const BenchDesk& desk_;
  HasDone done_;
  std::uint64_t told_ = 0;
  BenchClock::time_point next_ = BenchClock::now() + kTellEvery;
};

std::string text_of(BenchClock::time_point moment) {
  return std::to_string(nanoseconds(moment.time_since_epoch()).count());
}

std::optional<BenchClock::time_point> moment_of(std::string_view text) {
  nanoseconds::rep count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (stop != end || error != std::errc()) return std::nullopt;
  return BenchClock::time_point(nanoseconds(count));
}

// When the message was sent, if it is one of this run.
std::optional<BenchClock::time_point> sent_at(const protocol::Frame& message,
                                              const std::string& run) {
  if (message.headers.find(kRunHeader) != std::string_view(run)) return std::nullopt;
  return moment_of(message.headers.find(kSentHeader).value_or(""));
}

client::Subscribe subscription_to(const BenchLoad& load, const client::Client& client) {
  client::Subscribe subscribe;
  subscribe.id = "bench";
  subscribe.destination = load.destination;
  subscribe.headers = removal_of(load, client);
  if (is_shown_to_all(load.destination)) return subscribe;
  subscribe.ack = client.version() == protocol::Version::k10 ? "client" : "client-individual";
  subscribe.prefetch_count = kPrefetch;
  return subscribe;
}

// Without a header messages are durable at Stompbox alone. RabbitMQ takes persistent:false for the
// queue's, too, which is then of one connection only.
client::HeaderList persistence_of(const BenchLoad& load, const client::Client& client) {
  if (load.persistence == BenchPersistence::kPersistent) return {{"persistent", "true"}};
  if (client.server().starts_with("stompbox")) return {{"persistent", "false"}};
  return {};
}

storage::Error foreign_message(const BenchLoad& load) {
  return {storage::ErrorCode::kInvalid,
          load.destination +
              " has messages that are not of this bench: they are left there; name another "
              "destination, or none"};
}

storage::Status consume(client::Client& client, const BenchLoad& load, const BenchDesk& desk,
                        Latencies& latencies) {
  const bool acknowledges = !is_shown_to_all(load.destination);
  Count count(desk);
  for (;;) {
    const auto message = client.receive(kTellEvery);
    if (!message) return message.error();
    if (!*message) {
      count.tell();
      if (desk.is_over()) return storage::kOk;
      continue;
    }
    const auto now = BenchClock::now();
    const auto sent = sent_at(**message, load.run);
    if (!sent) return foreign_message(load);
    latencies.add(now - *sent);
    if (acknowledges) {
      if (auto acked = client.acknowledge(**message, client::Confirm::kNone); !acked) return acked;
    }
    if (count.add(now) && desk.is_over()) return storage::kOk;
  }
}

}  // namespace

BenchShare bench_share(std::uint64_t messages, std::uint64_t rate, std::size_t producers,
                       std::size_t index) {
  BenchShare share;
  share.messages = messages / producers + (index < messages % producers ? 1 : 0);
  if (rate == 0) return share;
  const nanoseconds::rep second = nanoseconds(std::chrono::seconds(1)).count();
  const auto of_all = static_cast<nanoseconds::rep>(producers) * second;
  share.every = nanoseconds(of_all / static_cast<nanoseconds::rep>(rate));
  share.first =
      share.every * static_cast<nanoseconds::rep>(index) / static_cast<nanoseconds::rep>(producers);
  return share;
}

client::HeaderList removal_of(const BenchLoad& load, const client::Client& client) {
  if (load.kind != BenchDestination::kOwn || !client.server().starts_with("RabbitMQ")) return {};
  return {{"auto-delete", "true"}};
}

storage::Status bench_produce(const BenchLoad& load, const BenchShare& share,
                              const BenchDesk& desk) {
  auto client = log_in(load.login);
  if (!client) return client.error();
  desk.tell(IsReady{});
  if (!desk.wait_for_go()) return storage::kOk;
  client::HeaderList headers = persistence_of(load, *client);
  const client::HeaderList removal = removal_of(load, *client);
  headers.insert(headers.end(), removal.begin(), removal.end());
  headers.emplace_back(kRunHeader, load.run);
  headers.emplace_back(kSentHeader, "");
  const std::string body(load.size_bytes, 'x');
  const auto begin = BenchClock::now();
  auto due = begin + share.first;
  Count count(desk);
  for (std::uint64_t i = 0; i < share.messages; ++i) {
    auto now = BenchClock::now();
    const bool waits = share.every.count() > 0;
    if (waits && due > now && desk.is_over(due - now)) return storage::kOk;
    // Late messages count from when they were due: what holds the sender up is the broker's time.
    headers.back().second = text_of(waits ? due : now);
    auto sent = client->send(load.destination, headers, body, client::Confirm::kNone);
    if (!sent) return sent;
    due += share.every;
    if (count.add(BenchClock::now()) && desk.is_over()) return storage::kOk;
  }
  count.tell();
  return client->disconnect();
}

storage::Status bench_consume(const BenchLoad& load, const BenchDesk& desk) {
  auto client = log_in(load.login);
  if (!client) return client.error();
  auto status = client->subscribe(subscription_to(load, *client));
  if (!status) return status;
  desk.tell(IsReady{});
  Latencies latencies;
  status = consume(*client, load, desk, latencies);
  desk.tell(latencies);
  if (!status) return status;
  return client->disconnect();
}

}  // namespace stompbox::verbs
