#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// A STOMP client for benchmarks: as little work a frame as it can do, so that the broker is what is
// measured. Sockets do not block; one thread drives many. Failures end the program.
namespace stompbox::bench {

[[noreturn]] void give_up(const std::string& why);

struct FrameView {
  std::string_view command;
  std::string_view headers;  // all lines behind the command
  std::string_view body;
};
[[nodiscard]] std::string_view header_of(const FrameView& frame, std::string_view name);

class LoadPeer {
 public:
  using OnFrame = std::function<void(LoadPeer&, const FrameView&)>;

  // Connects and asks to be let in.
  LoadPeer(std::uint16_t port, std::string_view version, OnFrame on_frame);
  ~LoadPeer();
  LoadPeer(const LoadPeer&) = delete;
  LoadPeer& operator=(const LoadPeer&) = delete;

  // `head` is the command and its header lines, "\n" after each.
  void put(std::string_view head, std::string_view body = {});
  void flush();
  void read();

  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] std::size_t unsent_bytes() const { return output_.size() - sent_; }

  std::uint64_t messages = 0;
  std::uint64_t receipts = 0;
  bool connected = false;

 private:
  std::size_t take_frames(std::string_view bytes);
  [[nodiscard]] std::size_t take_frame(std::string_view bytes);

  const int socket_;
  OnFrame on_frame_;
  std::string output_;
  std::size_t sent_ = 0;
  std::string rest_;  // an unfinished frame
};

// Waits for all of them with epoll.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(LoadPeer& peer);
  // Runs `step` and then what the sockets bring, until `done`. `idle_ms`: how long one wait may
  // take; 0 never waits.
  void run_until(const std::function<bool()>& done, const std::function<void()>& step,
                 int idle_ms = 1000);

 private:
  const int epoll_;
  std::vector<LoadPeer*> peers_;
};

}  // namespace stompbox::bench
