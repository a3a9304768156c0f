#include "broker/verbs/bench.h"

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "broker/control/json.h"
#include "broker/verbs/care_watch.h"
#include "broker/verbs/send.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

using control::Json;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kListen{100};
// So long may nothing happen before it is given up.
constexpr std::chrono::seconds kPatience{30};

storage::Error too_late(const std::string& what) {
  return {storage::ErrorCode::kBusy,
          what + " within " + std::to_string(kPatience.count()) + " s: given up"};
}

storage::Error interrupted() {
  return {storage::ErrorCode::kBusy, "interrupted"};
}

std::string run_name() {
  std::random_device random;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (int i = 0; i < 16; ++i)
    name.push_back(kDigits[random() % kDigits.size()]);
  return name;
}

std::uint64_t expected_of(const BenchOptions& options, const std::string& destination) {
  return options.messages * (is_shown_to_all(destination) ? options.consumers : 1);
}

storage::Status hire_all(
    BenchCrew& crew, BenchRole role, std::size_t count,
    const std::function<storage::Status(std::size_t, const BenchDesk&)>& work) {
  for (std::size_t i = 0; i < count; ++i) {
    auto hired = crew.hire(role, [&work, i](const BenchDesk& desk) { return work(i, desk); });
    if (!hired) return hired;
  }
  const auto until = BenchClock::now() + kPatience;
  while (crew.ready(role) < count) {
    crew.listen(kListen);
    if (crew.failure()) return *crew.failure();
    if (crew.interrupted()) return interrupted();
    if (BenchClock::now() > until) return too_late("not all clients could log in");
  }
  return storage::kOk;
}

// Until all have come, with a line on how far it is.
storage::Status watch(BenchCrew& crew, const BenchOptions& options, std::uint64_t expected) {
  CareProgress progress("measuring", options.output);
  std::uint64_t last = 0;
  auto until = BenchClock::now() + kPatience;
  for (;;) {
    crew.listen(kListen);
    if (crew.failure()) return *crew.failure();
    if (crew.interrupted()) return interrupted();
    const std::uint64_t received = crew.done(BenchRole::kConsumer).messages;
    progress.on_progress("messages", received, expected);
    const bool all_sent = crew.done(BenchRole::kProducer).messages == options.messages;
    if (received >= expected && all_sent) return storage::kOk;
    if (received != last) until = BenchClock::now() + kPatience;
    last = received;
    if (BenchClock::now() > until) {
      return too_late("no message came after the first " + std::to_string(received) + " of " +
                      std::to_string(expected));
    }
  }
}

// The clients say goodbye, and the consumers what they have measured.
storage::Status end(BenchCrew& crew) {
  crew.stop();
  const auto until = BenchClock::now() + kPatience;
  while (crew.working() > 0) {
    crew.listen(kListen);
    if (BenchClock::now() > until) return too_late("not all clients ended");
  }
  if (crew.failure()) return *crew.failure();
  return storage::kOk;
}

storage::Status run(const BenchOptions& options, const BenchLoad& load, BenchFigures& figures) {
  auto crew = BenchCrew::make();
  if (!crew) return crew.error();
  const auto consume = [&load](std::size_t, const BenchDesk& desk) {
    return bench_consume(load, desk);
  };
  const auto produce = [&load, &options](std::size_t index, const BenchDesk& desk) {
    return bench_produce(
        load, bench_share(options.messages, options.rate, options.producers, index), desk);
  };
  if (auto hired = hire_all(*crew, BenchRole::kConsumer, options.consumers, consume); !hired) {
    return hired;
  }
  if (auto hired = hire_all(*crew, BenchRole::kProducer, options.producers, produce); !hired) {
    return hired;
  }
  const auto begin = BenchClock::now();
  crew->go();
  if (auto watched = watch(*crew, options, expected_of(options, load.destination)); !watched) {
    return watched;
  }
  if (auto ended = end(*crew); !ended) return ended;
  figures.sending = crew->done(BenchRole::kProducer).last - begin;
  figures.receiving = crew->done(BenchRole::kConsumer).last - begin;
  figures.received = crew->done(BenchRole::kConsumer).messages;
  figures.latencies = crew->latencies();
  return storage::kOk;
}

// After a run that broke off: what is left in its own queue is taken and forgotten.
void empty_queue(const BenchLoad& load) {
  constexpr milliseconds kQuiet{500};
  auto client = log_in(load.login);
  if (!client) return;
  client::Subscribe subscribe;
  subscribe.id = "left";
  subscribe.destination = load.destination;
  subscribe.headers = removal_of(load, *client);
  if (!client->subscribe(subscribe)) return;
  const auto until = BenchClock::now() + kPatience;
  while (BenchClock::now() < until) {
    const auto message = client->receive(kQuiet);
    if (!message || !*message) break;
  }
  static_cast<void>(client->disconnect());
}

// Elsewhere it is not known who gets what.
bool is_measurable(std::string_view destination) {
  return destination.starts_with("/queue/") || is_shown_to_all(destination);
}

// The name that the broker gives itself, and that one can log in at all.
storage::Result<std::string> ask_server(const Login& login) {
  auto client = log_in(login);
  if (!client) return client.error();
  if (auto status = client->disconnect(); !status) return status.error();
  return client->server();
}

std::uint64_t per_second(std::uint64_t count, nanoseconds time) {
  if (time.count() <= 0) return 0;
  const double seconds = std::chrono::duration<double>(time).count();
  return static_cast<std::uint64_t>(static_cast<double>(count) / seconds);
}

std::uint64_t in_microseconds(nanoseconds time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(time).count());
}

// "85 us", "1.23 ms", "2.50 s"
std::string show_time_of(nanoseconds time) {
  const std::uint64_t micro = in_microseconds(time);
  if (micro < 1000) return std::to_string(micro) + " us";
  const bool is_seconds = micro >= 1'000'000;
  const std::uint64_t hundredths = micro / (is_seconds ? 10'000 : 10);
  const std::string digits = std::to_string(100 + hundredths % 100).substr(1);
  return std::to_string(hundredths / 100) + "." + digits + (is_seconds ? " s" : " ms");
}

std::string bench_json(const BenchFigures& figures, const BenchOptions& options) {
  Json json;
  json.begin_object()
      .field("broker", options.login.broker)
      .field("server", figures.server)
      .field("destination", figures.destination)
      .field("messages", options.messages)
      .field("size_bytes", options.size_bytes)
      .field("producers", options.producers)
      .field("consumers", options.consumers)
      .field("persistent", options.persistence == BenchPersistence::kPersistent)
      .field("rate", options.rate)
      .field("received", figures.received)
      .field("duration_us", in_microseconds(figures.receiving))
      .field("sent_per_second", per_second(options.messages, figures.sending))
      .field("received_per_second", per_second(figures.received, figures.receiving));
  json.key("latency_us")
      .begin_object()
      .field("p50", in_microseconds(figures.latencies.quantile(0.5)))
      .field("p99", in_microseconds(figures.latencies.quantile(0.99)))
      .field("max", in_microseconds(figures.latencies.longest()))
      .end_object();
  return json.end_object().text() + "\n";
}

std::string bench_table(const BenchFigures& figures, const BenchOptions& options) {
  Table table({{""}, {""}});
  const std::string server = figures.server.empty() ? "" : ", " + figures.server;
  const bool persists = options.persistence == BenchPersistence::kPersistent;
  table.add({"broker", options.login.broker + server});
  table.add({"destination", figures.destination});
  table.add({"load", counted(options.messages, "message") + " of " +
                         std::to_string(options.size_bytes) + " bytes, " +
                         (persists ? "persistent" : "not persistent")});
  table.add({"clients", counted(options.producers, "producer") + ", " +
                            counted(options.consumers, "consumer")});
  table.add({"sent", std::to_string(per_second(options.messages, figures.sending)) + " a second"});
  table.add(
      {"received", std::to_string(per_second(figures.received, figures.receiving)) + " a second"});
  table.add({"latency", "p50 " + show_time_of(figures.latencies.quantile(0.5)) + ", p99 " +
                            show_time_of(figures.latencies.quantile(0.99)) + ", longest " +
                            show_time_of(figures.latencies.longest())});
  return table.text();
}

}  // namespace

std::string show_bench(const BenchFigures& figures, const BenchOptions& options) {
  return options.output == Output::kJson ? bench_json(figures, options)
                                         : bench_table(figures, options);
}

Exit bench(const BenchOptions& options) {
  BenchLoad load{
      .login = options.login,
      .destination = {},
      .kind = options.destination.empty() ? BenchDestination::kOwn : BenchDestination::kNamed,
      .run = run_name(),
      .size_bytes = options.size_bytes,
      .persistence = options.persistence};
  const bool is_own = load.kind == BenchDestination::kOwn;
  load.destination = full_destination(is_own ? "stompbox-bench-" + load.run : options.destination);
  if (!is_measurable(load.destination)) {
    return fail({storage::ErrorCode::kInvalid,
                 "'" + load.destination + "' is neither /queue/NAME nor /topic/NAME"});
  }
  auto server = ask_server(options.login);
  if (!server) return fail(server.error());
  BenchFigures figures;
  figures.server = *server;
  figures.destination = load.destination;
  const auto status = run(options, load, figures);
  if (!status) {
    if (is_own) empty_queue(load);
    complain(status.error().text);
    return Exit::kFailed;
  }
  print(show_bench(figures, options));
  return Exit::kDone;
}

}  // namespace stompbox::verbs
