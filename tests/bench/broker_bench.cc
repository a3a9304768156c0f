// A running broker under load, over loopback: producers send durable messages with a receipt each,
// a window of receipts outstanding, to as many queues as there are consumers. Prints `name=value
// unit`.
//
//   broker_bench PORT [producers] [consumers] [messages] [body_bytes] [window]
//
// With 0 consumers the messages stay in the store. One thread and blocking-free sockets: the client
// costs about as much as the broker, so on two cores both are busy.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Plan {
  std::uint16_t port = 0;
  std::size_t producers = 1;
  std::size_t consumers = 1;
  std::size_t messages = 100'000;  // of all producers
  std::size_t body_bytes = 1024;
  std::size_t window = 256;  // receipts outstanding, per producer
};

// A client's end: what it still has to write, and where in a frame its reading stands.
struct Peer {
  int socket = -1;
  std::string output;
  std::string line;           // of the frame being read
  std::size_t body_left = 0;  // bytes of a sized body that are to be skipped
  bool sized = false;
  bool first_line = true;
  char command = 0;  // first letter of the frame being read
  bool is_producer = false;
  std::string destination;
  std::string message_id;  // of the MESSAGE being read
  std::size_t sent = 0, to_send = 0, receipts = 0, received = 0;
};

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "broker_bench: " << why << '\n';
  std::exit(1);
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect to port " + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void end_line(Peer& peer) {
  std::string& line = peer.line;
  if (peer.first_line) {
    if (line.empty()) return;
    peer.command = line.front();
    peer.first_line = false;
  } else if (line.empty()) {
    peer.sized = true;  // what follows is the body
  } else if (line.starts_with("content-length:")) {
    peer.body_left = std::stoul(line.substr(15));
  } else if (line.starts_with("ack:")) {
    peer.message_id = line.substr(4);
  }
  line.clear();
}

void end_frame(Peer& peer) {
  if (peer.command == 'R') ++peer.receipts;
  if (peer.command == 'E') give_up("the broker sent an ERROR");
  if (peer.command == 'M') {
    ++peer.received;
    peer.output += "ACK\nid:" + peer.message_id + "\n\n";
    peer.output += '\0';
  }
  peer.first_line = true;
  peer.sized = false;
}

void take_in(Peer& peer, std::string_view bytes) {
  while (!bytes.empty()) {
    if (peer.sized) {
      const std::size_t skip = std::min(peer.body_left, bytes.size());
      peer.body_left -= skip;
      bytes.remove_prefix(skip);
      if (bytes.empty()) return;
      end_frame(peer);  // its NUL
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find('\n');
    peer.line += bytes.substr(0, end);
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    end_line(peer);
  }
}

void read_from(Peer& peer, std::string& scratch) {
  for (;;) {
    const ssize_t count = ::recv(peer.socket, scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) give_up("the broker closed a connection");
    take_in(peer, {scratch.data(), static_cast<std::size_t>(count)});
    if (static_cast<std::size_t>(count) < scratch.size()) return;
  }
}

void write_to(Peer& peer) {
  if (peer.output.empty()) return;
  const ssize_t count =
      ::send(peer.socket, peer.output.data(), peer.output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) give_up("the broker closed a connection");
  if (count > 0) peer.output.erase(0, static_cast<std::size_t>(count));
}

void fill_window(Peer& peer, const std::string& body, std::size_t window) {
  constexpr std::size_t kOutputMax = 256 * 1024;
  while (peer.sent < peer.to_send && peer.sent - peer.receipts < window &&
         peer.output.size() < kOutputMax) {
    ++peer.sent;
    peer.output += "SEND\ndestination:" + peer.destination +
                   "\nreceipt:" + std::to_string(peer.sent) +
                   "\ncontent-length:" + std::to_string(body.size()) + "\n\n" + body;
    peer.output += '\0';
  }
}

Peer open_peer(const Plan& plan, std::string destination) {
  Peer peer;
  peer.socket = connect_to(plan.port);
  peer.destination = std::move(destination);
  peer.output = "CONNECT\naccept-version:1.2\nhost:bench\n\n";
  peer.output += '\0';
  return peer;
}

std::vector<Peer> open_peers(const Plan& plan) {
  std::vector<Peer> peers;
  const std::size_t queues = std::max<std::size_t>(1, plan.consumers);
  const std::string prefix = "/queue/bench." + std::to_string(::getpid()) + ".";
  for (std::size_t i = 0; i < plan.consumers; ++i) {
    Peer peer = open_peer(plan, prefix + std::to_string(i));
    peer.output +=
        "SUBSCRIBE\nid:0\nack:client-individual\ndestination:" + peer.destination + "\n\n";
    peer.output += '\0';
    peers.push_back(std::move(peer));
  }
  for (std::size_t i = 0; i < plan.producers; ++i) {
    Peer peer = open_peer(plan, prefix + std::to_string(i % queues));
    peer.is_producer = true;
    peer.to_send = plan.messages / plan.producers;
    peers.push_back(std::move(peer));
  }
  return peers;
}

bool is_done(const std::vector<Peer>& peers, const Plan& plan) {
  std::size_t receipts = 0;
  std::size_t received = 0;
  std::size_t wanted = 0;
  for (const Peer& peer : peers) {
    receipts += peer.receipts;
    received += peer.received;
    wanted += peer.to_send;
  }
  return receipts >= wanted && (plan.consumers == 0 || received >= wanted);
}

void run(std::vector<Peer>& peers, const Plan& plan) {
  const std::string body(plan.body_bytes, 'x');
  std::string scratch(256 * 1024, '\0');
  std::vector<pollfd> polled(peers.size());
  while (!is_done(peers, plan)) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (peers[i].is_producer) fill_window(peers[i], body, plan.window);
      write_to(peers[i]);
      const bool wants_write = !peers[i].output.empty();
      polled[i] = {peers[i].socket, static_cast<short>(POLLIN | (wants_write ? POLLOUT : 0)), 0};
    }
    ::poll(polled.data(), polled.size(), 10'000);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if ((polled[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(peers[i], scratch);
    }
  }
}

std::size_t number_at(int argc, char** argv, int place, std::size_t standard) {
  return argc > place ? std::stoul(argv[place]) : standard;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    give_up("usage: broker_bench PORT [producers] [consumers] [messages] [bytes] [window]");
  Plan plan;
  plan.port = static_cast<std::uint16_t>(number_at(argc, argv, 1, 0));
  plan.producers = number_at(argc, argv, 2, plan.producers);
  plan.consumers = number_at(argc, argv, 3, plan.consumers);
  plan.messages = number_at(argc, argv, 4, plan.messages);
  plan.body_bytes = number_at(argc, argv, 5, plan.body_bytes);
  plan.window = number_at(argc, argv, 6, plan.window);
  std::vector<Peer> peers = open_peers(plan);
  const auto start = Clock::now();
  run(peers, plan);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(plan.messages) / seconds);
  std::cout << "broker_receipted_" << plan.body_bytes << "_byte_" << plan.producers << "_to_"
            << plan.consumers << '=' << rate << " messages/s\n";
  return 0;
}
