// Load for any STOMP broker over loopback. Prints `name=value unit`.
//
//   stomp_bench PORT queue [producers] [consumers] [messages] [bytes] [window]
//   stomp_bench PORT fanout [subscribers] [messages] [bytes]
//   stomp_bench PORT paced [per_second] [seconds]
//   stomp_bench PORT drain [messages] [bytes] [auto|client-individual] [PID of the broker]
//   stomp_bench PORT connect [connections] [PID of the broker]
//   stomp_bench PORT reply [requests]
//   stomp_bench PORT selector [consumers] [messages]
//   stomp_bench PORT queues [consumers] [messages]     the same with a queue for each consumer
//
// One thread: the client costs about as much as the broker, so on two cores both are busy.

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/bare_echo.h"
#include "tests/bench/load_peer.h"

namespace stompbox::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Peers = std::vector<std::unique_ptr<LoadPeer>>;

constexpr std::size_t kUnsentMax = 256 * 1024;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void print(const std::string& name, double value, std::string_view unit) {
  std::cout << name << '=' << static_cast<std::uint64_t>(value) << ' ' << unit << std::endl;
}

struct Arguments {
  std::vector<std::string> words;
  [[nodiscard]] std::size_t number(std::size_t place, std::size_t standard) const {
    return words.size() > place ? std::stoul(words[place]) : standard;
  }
  [[nodiscard]] std::string word(std::size_t place, std::string standard) const {
    return words.size() > place ? words[place] : standard;
  }
};

struct Bench {
  std::uint16_t port = 0;
  Loop loop;
  Peers peers;
  std::string run = std::to_string(::getpid());  // names of this run's destinations

  LoadPeer& open(LoadPeer::OnFrame on_frame = {}) {
    peers.push_back(std::make_unique<LoadPeer>(port, "1.2", std::move(on_frame)));
    loop.add(*peers.back());
    return *peers.back();
  }
  // All are let in, and what they asked a receipt for is done.
  void settle(std::uint64_t receipts_each) {
    loop.run_until(
        [&] {
          return std::all_of(peers.begin(), peers.end(), [&](const auto& peer) {
            return peer->connected && peer->receipts >= receipts_each;
          });
        },
        [&] {
          for (const auto& peer : peers)
            peer->flush();
        });
  }
};

void acknowledge(LoadPeer& peer, const FrameView& frame) {
  if (frame.command != "MESSAGE") return;
  static thread_local std::string head;
  head.assign("ACK\nid:").append(header_of(frame, "ack")).append("\n");
  peer.put(head);
}

void subscribe(LoadPeer& peer, const std::string& destination, std::string_view ack,
               std::string_view more = {}) {
  peer.put("SUBSCRIBE\nid:0\nreceipt:s\nack:" + std::string(ack) + "\ndestination:" + destination +
           "\n" + std::string(more));
  peer.flush();
}

struct Sender {
  LoadPeer* peer = nullptr;
  std::string head;
  std::uint64_t sent = 0;
  std::uint64_t to_send = 0;
  std::uint64_t receipts_before = 0;
  std::size_t window = 256;  // receipts outstanding

  [[nodiscard]] bool is_done() const { return peer->receipts - receipts_before >= to_send; }
  void step(const std::string& body) {
    while (sent < to_send && sent - (peer->receipts - receipts_before) < window &&
           peer->unsent_bytes() < kUnsentMax) {
      ++sent;
      peer->put(head, body);
    }
    peer->flush();
  }
};

Sender make_sender(LoadPeer& peer, const std::string& destination, std::uint64_t count,
                   std::size_t window) {
  return {&peer,
          "SEND\npersistent:true\nreceipt:r\ndestination:" + destination + "\n",
          0,
          count,
          peer.receipts,
          window};
}

void send_all(Bench& bench, std::vector<Sender>& senders, const std::string& body,
              const std::function<bool()>& received) {
  bench.loop.run_until(
      [&] {
        return received() && std::all_of(senders.begin(), senders.end(),
                                         [](const Sender& sender) { return sender.is_done(); });
      },
      [&] {
        for (Sender& sender : senders)
          sender.step(body);
      });
}

void run_queue(Bench& bench, const Arguments& given) {
  const std::size_t producers = given.number(0, 4);
  const std::size_t consumers = given.number(1, 4);
  const std::uint64_t messages = given.number(2, 100'000) / producers * producers;
  const std::string body(given.number(3, 1024), 'x');
  const std::size_t window = given.number(4, 256);
  const std::string queue = "/queue/bench." + bench.run;
  for (std::size_t i = 0; i < consumers; ++i)
    subscribe(bench.open(acknowledge), queue, "client-individual");
  bench.settle(1);
  std::vector<Sender> senders;
  for (std::size_t i = 0; i < producers; ++i)
    senders.push_back(make_sender(bench.open(), queue, messages / producers, window));
  bench.settle(0);
  const auto start = Clock::now();
  send_all(bench, senders, body, [&] {
    std::uint64_t received = 0;
    for (const auto& peer : bench.peers)
      received += peer->messages;
    return consumers == 0 || received >= messages;
  });
  print("queue_" + std::to_string(producers) + "_to_" + std::to_string(consumers) + "_" +
            std::to_string(body.size()) + "_bytes",
        static_cast<double>(messages) / seconds_since(start), "messages/s");
}

void run_fanout(Bench& bench, const Arguments& given) {
  const std::size_t subscribers = given.number(0, 10);
  const std::uint64_t messages = given.number(1, 100'000);
  const std::string body(given.number(2, 128), 'x');
  const std::string topic = "/topic/bench." + bench.run;
  for (std::size_t i = 0; i < subscribers; ++i)
    subscribe(bench.open(), topic, "auto");
  bench.settle(1);
  LoadPeer& producer = bench.open();
  const std::string head = "SEND\ndestination:" + topic + "\n";
  bench.loop.run_until([&] { return producer.connected; }, [] {});
  constexpr std::uint64_t kAhead = 2000;  // what the slowest subscriber may lag behind
  std::uint64_t sent = 0;
  const auto slowest = [&] {
    std::uint64_t least = messages;
    for (std::size_t i = 0; i < subscribers; ++i)
      least = std::min(least, bench.peers[i]->messages);
    return least;
  };
  const auto start = Clock::now();
  bench.loop.run_until([&] { return slowest() >= messages; },
                       [&] {
                         const std::uint64_t end = std::min(messages, slowest() + kAhead);
                         for (; sent < end && producer.unsent_bytes() < kUnsentMax; ++sent)
                           producer.put(head, body);
                         producer.flush();
                       });
  print("fanout_1_to_" + std::to_string(subscribers) + "_" + std::to_string(body.size()) + "_bytes",
        static_cast<double>(messages * subscribers) / seconds_since(start), "deliveries/s");
}

void print_percentiles(const std::string& name, std::vector<double>& times_us) {
  std::sort(times_us.begin(), times_us.end());
  const auto at = [&](double part) {
    return times_us[static_cast<std::size_t>(static_cast<double>(times_us.size() - 1) * part)];
  };
  print(name + "_p50", at(0.5), "us");
  print(name + "_p99", at(0.99), "us");
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

void run_paced(Bench& bench, const Arguments& given) {
  const std::size_t per_second = given.number(0, 500);
  const std::uint64_t messages = per_second * given.number(1, 10);
  const std::string queue = "/queue/paced." + bench.run;
  std::vector<double> times_us;
  LoadPeer& consumer = bench.open([&](LoadPeer& peer, const FrameView& frame) {
    if (frame.command != "MESSAGE") return;
    const std::int64_t sent_ns = std::stoll(std::string(header_of(frame, "sent-ns")));
    times_us.push_back(static_cast<double>(now_ns() - sent_ns) / 1000.0);
    acknowledge(peer, frame);
  });
  subscribe(consumer, queue, "client-individual");
  bench.settle(1);
  LoadPeer& producer = bench.open();
  bench.loop.run_until([&] { return producer.connected; }, [] {});
  const std::string body(1024, 'x');
  const auto start = Clock::now();
  std::uint64_t sent = 0;
  bench.loop.run_until([&] { return times_us.size() >= messages; },
                       [&] {
                         const auto due = static_cast<std::uint64_t>(
                             seconds_since(start) * static_cast<double>(per_second));
                         for (; sent < std::min(due, messages); ++sent) {
                           producer.put("SEND\npersistent:true\ndestination:" + queue +
                                            "\nsent-ns:" + std::to_string(now_ns()) + "\n",
                                        body);
                         }
                         producer.flush();
                       },
                       0);
  print_percentiles("paced_" + std::to_string(per_second), times_us);
}

double own_cpu_seconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What each thread of a process has used so far, by its number; nothing for process 0.
std::map<std::size_t, double> cpu_seconds_by_thread(std::size_t pid) {
  std::map<std::size_t, double> seconds;
  if (pid == 0) return seconds;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream schedstat(task.path() / "schedstat");  // its first number: nanoseconds on a core
    double nanoseconds = 0;
    if (schedstat >> nanoseconds) {
      seconds[std::stoul(task.path().filename())] = nanoseconds * 1e-9;
    }
  }
  return seconds;
}

// Where a drain's time goes: nanoseconds of a core a message, of this client and of each thread of
// the broker in the order in which they were started.
void print_cpu(const std::string& name, double messages, double own,
               const std::map<std::size_t, double>& before, std::size_t pid) {
  print(name + "_client_cpu", own * 1e9 / messages, "ns/message");
  std::size_t number = 0;
  for (const auto& [thread, seconds] : cpu_seconds_by_thread(pid)) {
    const auto found = before.find(thread);
    const double used = seconds - (found == before.end() ? 0 : found->second);
    print(name + "_thread_" + std::to_string(number++) + "_cpu", used * 1e9 / messages,
          "ns/message");
  }
}

void run_drain(Bench& bench, const Arguments& given) {
  const std::uint64_t messages = given.number(0, 200'000);
  const std::string body(given.number(1, 1024), 'x');
  const std::string ack = given.word(2, "auto");
  const std::size_t pid = given.number(3, 0);
  const std::string queue = "/queue/drain." + bench.run;
  std::vector<Sender> senders;
  senders.push_back(make_sender(bench.open(), queue, messages, 2000));
  bench.settle(0);
  send_all(bench, senders, body, [] { return true; });
  LoadPeer& consumer = ack == "auto" ? bench.open() : bench.open(acknowledge);
  bench.loop.run_until([&] { return consumer.connected; }, [] {});
  const auto before = cpu_seconds_by_thread(pid);
  const double own_before = own_cpu_seconds();
  const auto start = Clock::now();
  subscribe(consumer, queue, ack, "prefetch-count:1000\nactivemq.prefetchSize:1000\n");
  bench.loop.run_until([&] { return consumer.messages >= messages; }, [&] { consumer.flush(); });
  const auto count = static_cast<double>(messages);
  const std::string name = "drain_" + ack + "_" + std::to_string(body.size()) + "_bytes";
  print(name, count / seconds_since(start), "messages/s");
  if (pid != 0) print_cpu(name, count, own_cpu_seconds() - own_before, before, pid);
}

std::uint64_t resident_kib(std::size_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:" && status >> word) return std::stoul(word);
  }
  return 0;
}

void run_connect(Bench& bench, const Arguments& given) {
  const std::size_t count = given.number(0, 10'000);
  const std::size_t pid = given.number(1, 0);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < count; ++i)
    bench.open();
  bench.settle(0);
  print("connect_" + std::to_string(count), seconds_since(start) * 1000, "ms");
  if (pid != 0) print("connected_memory", static_cast<double>(resident_kib(pid)), "KiB");
}

// Request and reply through two queues, one at a time, and the same hops without a broker; by
// turns, for what else the machine does is not the same a second later.
void run_reply(Bench& bench, const Arguments& given) {
  constexpr std::uint64_t kTurns = 10;
  const std::uint64_t requests_a_turn =
      std::max<std::uint64_t>(given.number(0, 10'000) / kTurns, 1);
  const std::string queue = "/queue/ask." + bench.run;
  const std::string back = "/queue/answer." + bench.run;
  const std::string body(128, 'x');
  const std::string answer = "SEND\npersistent:false\ndestination:" + back + "\n";
  LoadPeer& server = bench.open([&](LoadPeer& peer, const FrameView& frame) {
    if (frame.command == "MESSAGE") peer.put(answer, frame.body);
  });
  subscribe(server, queue, "auto");
  std::vector<double> times_us;
  auto asked = Clock::now();
  LoadPeer& client = bench.open([&](LoadPeer&, const FrameView& frame) {
    if (frame.command == "MESSAGE") times_us.push_back(seconds_since(asked) * 1e6);
  });
  subscribe(client, back, "auto");
  bench.settle(1);
  const std::string ask = "SEND\npersistent:false\ndestination:" + queue + "\n";
  std::uint64_t sent = 0;
  const auto ask_next = [&] {
    if (sent > times_us.size()) return;
    ++sent;
    asked = Clock::now();
    client.put(ask, body);
    client.flush();
  };
  std::vector<double> bare_us;
  for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
    bench.loop.run_until([&] { return times_us.size() >= turn * requests_a_turn; }, ask_next);
    const auto bare = time_bare_echo(requests_a_turn, 2 * body.size());
    bare_us.insert(bare_us.end(), bare.begin(), bare.end());
  }
  print_percentiles("reply", times_us);
  print_percentiles("bare_echo_with_two_more_hops", bare_us);
}

enum class Address : std::uint8_t { kValue, kQueue };  // of a consumer: what tells it apart

void run_addressed(Bench& bench, const Arguments& given, Address address) {
  const std::size_t consumers = given.number(0, 10'000);
  const std::uint64_t messages = given.number(1, 100'000);
  const auto queue_of = [&bench, address](const std::string& consumer) {
    const std::string queue = "/queue/nodes." + bench.run;
    return address == Address::kQueue ? queue + "." + consumer : queue;
  };
  // All values on a few connections: the look-up is measured, not ten thousand sockets.
  const std::size_t connections = std::min<std::size_t>(10, consumers);
  for (std::size_t i = 0; i < connections; ++i)
    bench.open();
  for (std::size_t i = 0; i < consumers; ++i) {
    const std::string name = std::to_string(i);
    LoadPeer& peer = *bench.peers[i % connections];
    const std::string selector = "selector:mc_identity = 'node" + name + "'\n";
    peer.put("SUBSCRIBE\nid:" + name + "\nreceipt:s\nack:auto\ndestination:" + queue_of(name) +
             "\n" + (address == Address::kValue ? selector : ""));
  }
  bench.loop.run_until(
      [&] {
        std::uint64_t receipts = 0;
        for (const auto& peer : bench.peers)
          receipts += peer->receipts;
        return receipts >= consumers;
      },
      [&] {
        for (const auto& peer : bench.peers)
          peer->flush();
      });
  LoadPeer& producer = bench.open();
  bench.loop.run_until([&] { return producer.connected; }, [] {});
  const std::string body(256, 'x');
  std::uint64_t sent = 0;
  const auto received = [&] {
    std::uint64_t sum = 0;
    for (const auto& peer : bench.peers)
      sum += peer->messages;
    return sum;
  };
  const auto start = Clock::now();
  bench.loop.run_until([&] { return received() >= messages; },
                       [&] {
                         const std::uint64_t end = std::min(messages, received() + 5000);
                         for (; sent < end && producer.unsent_bytes() < kUnsentMax; ++sent) {
                           const std::string name = std::to_string(sent * 7919 % consumers);
                           producer.put("SEND\npersistent:false\ndestination:" + queue_of(name) +
                                            "\nmc_identity:node" + name + "\n",
                                        body);
                         }
                         producer.flush();
                       });
  const std::string_view name = address == Address::kQueue ? "queues_" : "selector_";
  print(std::string(name) + std::to_string(consumers) + "_consumers",
        static_cast<double>(messages) / seconds_since(start), "messages/s");
}

void run_selector(Bench& bench, const Arguments& given) {
  run_addressed(bench, given, Address::kValue);
}

void run_queues(Bench& bench, const Arguments& given) {
  run_addressed(bench, given, Address::kQueue);
}

struct Scenario {
  std::string_view name;
  void (*run)(Bench&, const Arguments&);
};

constexpr Scenario kScenarios[] = {
    {"queue", run_queue},       {"fanout", run_fanout},   {"paced", run_paced},
    {"drain", run_drain},       {"connect", run_connect}, {"reply", run_reply},
    {"selector", run_selector}, {"queues", run_queues},
};

}  // namespace
}  // namespace stompbox::bench

int main(int argc, char** argv) {
  using namespace stompbox::bench;
  if (argc < 3) give_up("usage: stomp_bench PORT SCENARIO [ARGUMENTS], see its first lines");
  Bench bench;
  bench.port = static_cast<std::uint16_t>(std::stoul(argv[1]));
  for (const Scenario& scenario : kScenarios) {
    if (scenario.name != argv[2]) continue;
    scenario.run(bench, Arguments{{argv + 3, argv + argc}});
    return 0;
  }
  give_up(std::string("there is no scenario ") + argv[2]);
}
