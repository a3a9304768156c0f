#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

#include "broker/control/ask.h"
#include "broker/control/control.h"
#include "broker/control/socket_path.h"

using namespace stompbox;
using namespace stompbox::control;
using namespace std::chrono_literals;

namespace {

struct TempFolder {
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "door-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

// A door whose loop runs in a thread of its own; it answers with the request in brackets.
class OpenDoor {
 public:
  explicit OpenDoor(const std::string& path)
      : door_(io_, path, [](std::string_view request, const Answer& answer) {
          answer("[" + std::string(request) + "]");
        }) {
    REQUIRE(door_.open());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~OpenDoor() {
    io_.stop();
    thread_.join();
    door_.close();
  }

 private:
  asio::io_context io_{1};
  ControlDoor door_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a question comes through the door and its answer back") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  const OpenDoor door(path);
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(path, "hello", 20s);
    REQUIRE(answer);
    CHECK(*answer == "[hello]");
  }
}

TEST_CASE("only the owner may use the door") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  const OpenDoor door(path);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a request of more than 64 KiB is refused with a sentence") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  const OpenDoor door(path);
  const auto answer = ask(path, std::string(64 * 1024, 'x'), 20s);
  REQUIRE(answer);
  CHECK(answer->find("error") != std::string::npos);
}

TEST_CASE("the door works in a folder whose path is too long for a socket's address") {
  const TempFolder folder;
  const std::string deep = folder.path + "/" + std::string(100, 'a') + "/" + std::string(100, 'b');
  std::filesystem::create_directories(deep);
  const std::string path = deep + "/control.sock";
  {
    const OpenDoor door(path);
    CHECK(std::filesystem::is_socket(path));
    const auto answer = ask(path, "hello", 20s);
    REQUIRE(answer);
    CHECK(*answer == "[hello]");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket name that fits no address at all is refused with the way out") {
  const TempFolder folder;
  const auto path = SocketPath::make(folder.path + "/" + std::string(150, 'n'));
  REQUIRE_FALSE(path);
  CHECK(path.error().text.find("shorter data folder") != std::string::npos);
}

TEST_CASE("the socket of a dead broker is taken over, and asking it says that nobody is there") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  CHECK(ask(path, "hello", 1s).error().code == storage::ErrorCode::kUnavailable);
  {
    asio::io_context io{1};
    asio::local::stream_protocol::acceptor dead(io, asio::local::stream_protocol::endpoint(path));
  }
  CHECK(ask(path, "hello", 1s).error().code == storage::ErrorCode::kUnavailable);
  const OpenDoor door(path);
  CHECK(ask(path, "hello", 20s));
}

TEST_CASE("what is no socket is not taken away for the door") {
  const TempFolder folder;
  const std::string path = folder.path + "/precious";
  std::ofstream(path) << "letters";
  asio::io_context io{1};
  {
    ControlDoor door(io, path, [](std::string_view, const Answer&) {});
    const auto status = door.open();
    REQUIRE_FALSE(status);
    CHECK(status.error().text ==
          "cannot make the control socket " + path + ": there is something else of that name");
  }
  CHECK(std::filesystem::file_size(path) == 7);
}

TEST_CASE("the door of a running broker is left to it") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  const OpenDoor door(path);
  asio::io_context io{1};
  {
    ControlDoor second(io, path, [](std::string_view, const Answer&) {});
    const auto status = second.open();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == storage::ErrorCode::kBusy);
    CHECK(status.error().text.find("a running broker answers there") != std::string::npos);
  }
  CHECK(ask(path, "hello", 20s));
}

TEST_CASE("a door that closes leaves alone what has taken its place") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  {
    const OpenDoor door(path);
    std::filesystem::remove(path);
    std::ofstream(path) << "another's";
  }
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("an answer that does not come in time is told") {
  const TempFolder folder;
  const std::string path = folder.path + "/control.sock";
  asio::io_context io{1};
  // Listens, but its loop never runs.
  ControlDoor door(io, path, [](std::string_view, const Answer&) {});
  REQUIRE(door.open());
  CHECK(ask(path, "hello", 50ms).error().code == storage::ErrorCode::kBusy);
}

TEST_CASE("a folder that is not there is told when the door opens") {
  asio::io_context io{1};
  ControlDoor door(io, "/nonexistent-folder/control.sock", [](std::string_view, const Answer&) {});
  const auto status = door.open();
  REQUIRE_FALSE(status);
  CHECK(status.error().text.find("/nonexistent-folder/control.sock") != std::string::npos);
}
