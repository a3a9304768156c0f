#include "tests/conformance/case_run.h"

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/conformance/wire_frame.h"

namespace stompbox::conformance {
namespace {

constexpr std::chrono::milliseconds kFramePatience(5000);
constexpr std::chrono::milliseconds kSilencePatience(200);

// The client's end of a connection and what it has read.
struct Client {
  std::unique_ptr<Connection> connection;
  std::string bytes;
  int beats = 0;
  bool is_closed = false;
  bool is_10 = true;              // until a CONNECTED names another version
  bool line_feed_is_due = false;  // a frame of 1.0 ends with NUL and a line feed
};

// The line feed of the last frame is none between frames.
void drop_line_feed(Client& at) {
  if (!at.line_feed_is_due || at.bytes.empty()) return;
  at.line_feed_is_due = false;
  if (at.bytes.front() == '\n') at.bytes.erase(0, 1);
}

std::optional<WireFrame> try_frame(Client& at) {
  drop_line_feed(at);
  auto frame = take_frame(at.bytes, at.beats);
  if (!frame) return frame;
  for (const auto& [name, value] : frame->headers) {
    if (frame->command == "CONNECTED" && name == "version") at.is_10 = value == "1.0";
  }
  at.line_feed_is_due = at.is_10;
  return frame;
}

std::optional<WireFrame> next_frame(Client& at) {
  for (;;) {
    if (auto frame = try_frame(at)) return frame;
    if (at.connection->receive(at.bytes, kFramePatience)) continue;
    return try_frame(at);
  }
}

// Somebody else on the same broker, who gets back what it sends and notices nothing of a case.
class Neighbour {
 public:
  Neighbour(const Case& played, Broker& broker) {
    client_.connection = broker.connect();
    destination_ = "/queue/neighbour-of-" + played.id;
    std::string login;
    if (!played.users.empty()) {
      login = "login:" + played.users[0].first + "\npasscode:" + played.users[0].second + "\n";
    }
    send("CONNECT\naccept-version:1.2\n" + login + "\n");
    send("SUBSCRIBE\nid:0\ndestination:" + destination_ + "\nreceipt:ready\n\n");
    const auto connected = next_frame(client_);
    const auto receipt = next_frame(client_);
    if (!connected || connected->command != "CONNECTED" || !receipt ||
        receipt->command != "RECEIPT") {
      throw std::runtime_error("the neighbour cannot subscribe");
    }
  }

  // Nothing if all is well with it.
  std::string echo() {
    const std::string body = "echo " + std::to_string(++count_);
    send("SEND\ndestination:" + destination_ + "\n\n" + body);
    const auto frame = next_frame(client_);
    if (!frame) return "the neighbour hears nothing any more";
    if (frame->command == "MESSAGE" && frame->body == body) return "";
    return "the neighbour got " + shown(*frame);
  }

 private:
  void send(const std::string& frame) { client_.connection->send(frame + '\0'); }

  Client client_;
  std::string destination_;
  int count_ = 0;
};

class Player {
 public:
  Player(const Case& played, Broker& broker) : case_(played), broker_(broker) {
    names_["q"] = played.id;
    if (has_error(played)) neighbour_.emplace(played, broker);
  }

  std::string play() {
    for (const Step& step : case_.steps) {
      std::string difference;
      try {
        difference = play(step);
      } catch (const std::exception& error) {
        difference = error.what();
      }
      if (!difference.empty()) {
        const std::string file = case_.place.substr(0, case_.place.find(':'));
        return file + ":" + std::to_string(step.line) + ": " + difference;
      }
    }
    if (std::string difference = leftovers(); !difference.empty()) return difference;
    return neighbour_ ? neighbour_->echo() : "";
  }

 private:
  Client& client(const std::string& name) {
    Client& found = clients_[name];
    if (!found.connection) found.connection = broker_.connect();
    return found;
  }

  std::string play(const Step& step) {
    if (step.verb == Verb::kWait) {
      broker_.wait(step.duration);
      return "";
    }
    if (step.verb == Verb::kStop) {
      broker_.stop();
      return "";
    }
    Client& at = client(step.connection);
    switch (step.verb) {
      case Verb::kSend: send(at, step.text); return "";
      case Verb::kExpect: return expect(at, step.text);
      case Verb::kClose: return expect_close(at);
      case Verb::kEof: at.connection->end_sending(); return "";
      case Verb::kDrop:
        at.connection->drop();
        at.is_closed = true;
        return "";
      case Verb::kBeat: return expect_beat(at);
      case Verb::kSilence: return expect_silence(at);
      case Verb::kWait:
      case Verb::kStop: return "";
    }
    return "";
  }

  void send(Client& at, const std::string& text) {
    const std::string bytes = with_names(text, names_);
    if (case_.is_cut_everywhere) {
      for (const char c : bytes)
        at.connection->send(std::string(1, c));
      return;
    }
    for (const std::string& piece : pieces_of(bytes))
      at.connection->send(piece);
  }

  std::string expect(Client& at, const std::string& expected) {
    const auto frame = next_frame(at);
    if (!frame) return "nothing came, expected " + shown(expected);
    const std::string difference = compare(*frame, expected, names_);
    if (difference.empty()) {
      return neighbour_ && frame->command == "ERROR" ? neighbour_->echo() : "";
    }
    return difference + "\n    expected " + shown(expected) + "\n    came     " + shown(*frame);
  }

  static std::string expect_close(Client& at) {
    at.is_closed = true;
    return at.connection->wait_for_close(at.bytes) ? "" : "the connection was not closed";
  }

  static std::string expect_beat(Client& at) {
    if (at.beats == 0) {
      (void)at.connection->receive(at.bytes, kFramePatience);
      while (at.bytes.starts_with("\n")) {
        at.bytes.erase(0, 1);
        ++at.beats;
      }
    }
    const int beats = at.beats;
    at.beats = 0;
    return beats > 0 ? "" : "no beat came";
  }

  static std::string expect_silence(Client& at) {
    do {
      drop_line_feed(at);
    } while (at.bytes.empty() && at.connection->receive(at.bytes, kSilencePatience));
    return at.bytes.empty() ? "" : "something came: " + shown(at.bytes);
  }

  // What nobody expected must not have come.
  std::string leftovers() {
    for (auto& [name, at] : clients_) {
      if (!at.is_closed) (void)at.connection->receive(at.bytes, std::chrono::milliseconds(0));
      if (const auto frame = try_frame(at)) return unexpected(name, *frame);
    }
    return "";
  }

  [[nodiscard]] std::string unexpected(const std::string& name, const WireFrame& frame) const {
    return case_.place + ": " + name + " got a frame that was not expected: " + shown(frame);
  }

  const Case& case_;
  Broker& broker_;
  std::optional<Neighbour> neighbour_;
  std::map<std::string, Client> clients_;
  Names names_;
};

}  // namespace

std::string run_case(const Case& conformance_case, Broker& broker) {
  try {
    return Player(conformance_case, broker).play();
  } catch (const std::exception& error) {
    return conformance_case.place + ": " + error.what();
  }
}

}  // namespace stompbox::conformance
