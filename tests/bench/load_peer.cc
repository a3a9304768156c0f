#include "tests/bench/load_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

namespace stompbox::bench {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::chrono::seconds kPatience{120};

int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made < 0 || ::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

std::size_t find_blank_line(std::string_view bytes) {
  const void* const found = ::memmem(bytes.data(), bytes.size(), "\n\n", 2);
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
}

}  // namespace

void give_up(const std::string& why) {
  std::cerr << "stomp_bench: " << why << '\n';
  std::exit(1);
}

std::string_view header_of(const FrameView& frame, std::string_view name) {
  std::string_view rest = frame.headers;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return line.substr(name.size() + 1);
    }
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  return {};
}

LoadPeer::LoadPeer(std::uint16_t port, std::string_view version, OnFrame on_frame)
    : socket_(connect_to(port)), on_frame_(std::move(on_frame)) {
  put("CONNECT\naccept-version:" + std::string(version) +
      "\nhost:/\nlogin:guest\npasscode:guest\n");
  flush();
}

LoadPeer::~LoadPeer() {
  ::close(socket_);
}

void LoadPeer::put(std::string_view head, std::string_view body) {
  output_.append(head);
  if (!body.empty()) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), body.size()).ptr;
    output_.append("content-length:").append(digits.data(), end).append("\n");
  }
  output_.append("\n").append(body).push_back('\0');
}

void LoadPeer::flush() {
  while (sent_ < output_.size()) {
    const ssize_t count = ::send(socket_, output_.data() + sent_, output_.size() - sent_,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) give_up("the broker closed a connection");
    sent_ += static_cast<std::size_t>(count);
  }
  output_.clear();
  sent_ = 0;
}

void LoadPeer::read() {
  // One buffer for all peers of a thread: what is unfinished is kept by its peer.
  static thread_local std::string buffer(kReadBytes, '\0');
  for (;;) {
    const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) give_up("the broker closed a connection");
    const std::string_view fresh(buffer.data(), static_cast<std::size_t>(count));
    if (rest_.empty()) {
      rest_.assign(fresh.substr(take_frames(fresh)));
    } else {
      rest_.append(fresh);
      rest_.erase(0, take_frames(rest_));
    }
    if (fresh.size() < buffer.size()) return;
  }
}

// How many bytes of whole frames there were.
std::size_t LoadPeer::take_frames(std::string_view bytes) {
  std::size_t taken = 0;
  for (;;) {
    while (taken < bytes.size() && (bytes[taken] == '\n' || bytes[taken] == '\r'))
      ++taken;
    const std::size_t size = take_frame(bytes.substr(taken));
    if (size == 0) return taken;
    taken += size;
  }
}

// The size of the first frame; 0 when it is not whole.
std::size_t LoadPeer::take_frame(std::string_view bytes) {
  const std::size_t blank = find_blank_line(bytes);
  if (blank == std::string_view::npos) return 0;
  FrameView frame;
  const std::string_view head = bytes.substr(0, blank);
  const std::size_t line = std::min(head.find('\n'), head.size());
  frame.command = head.substr(0, line);
  frame.headers = head.substr(std::min(line + 1, head.size()));
  std::string_view body = bytes.substr(blank + 2);
  std::size_t size = 0;
  if (const std::string_view length = header_of(frame, "content-length"); !length.empty()) {
    std::from_chars(length.data(), length.data() + length.size(), size);
    if (body.size() <= size) return 0;
  } else {
    size = body.find('\0');
    if (size == std::string_view::npos) return 0;
  }
  frame.body = body.substr(0, size);
  if (frame.command == "ERROR") give_up("ERROR: " + std::string(head) + "\n" + std::string(body));
  if (frame.command == "MESSAGE") ++messages;
  if (frame.command == "RECEIPT") ++receipts;
  if (frame.command == "CONNECTED") connected = true;
  if (on_frame_) on_frame_(*this, frame);
  return blank + 2 + size + 1;
}

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Loop::~Loop() {
  ::close(epoll_);
}

void Loop::add(LoadPeer& peer) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = &peer;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.socket(), &event) != 0) give_up("epoll_ctl failed");
  peers_.push_back(&peer);
}

void Loop::run_until(const std::function<bool()>& done, const std::function<void()>& step,
                     int idle_ms) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::array<epoll_event, 256> events{};
  while (!done()) {
    step();
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), idle_ms);
    for (int i = 0; i < count; ++i) {
      auto& peer = *static_cast<LoadPeer*>(events[static_cast<std::size_t>(i)].data.ptr);
      peer.read();
      peer.flush();
    }
    if (count == 0 && std::chrono::steady_clock::now() > deadline) give_up("it takes too long");
  }
}

}  // namespace stompbox::bench
