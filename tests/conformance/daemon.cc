#include "tests/conformance/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace stompbox::conformance {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStartTime(20);
constexpr std::chrono::seconds kStopTime(10);

void wait_a_moment() {
  (void)::poll(nullptr, 0, 10);
}

}  // namespace

Daemon::Daemon(const std::string& program) {
  std::string name = (std::filesystem::temp_directory_path() / "stompbox-conformance-XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  start(program);
  wait_until_ready();
}

void Daemon::start(const std::string& program) {
  const std::string log = folder_ / "log";
  std::vector<std::string> words{
      program,           "serve", "--ephemeral",  "--listen",       "tcp://127.0.0.1:0",
      "--catalog-store", "none",  "--ready-file", folder_ / "ready"};
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed =
      ::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot run " + program);
}

void Daemon::wait_until_ready() {
  const auto deadline = Clock::now() + kStartTime;
  while (Clock::now() < deadline) {
    std::string url;
    if (std::ifstream file(folder_ / "ready"); std::getline(file, url)) {
      port_ = std::stoi(url.substr(url.rfind(':') + 1));
      return;
    }
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
      process_ = -1;
      break;
    }
    wait_a_moment();
  }
  std::ifstream log(folder_ / "log");
  std::string text((std::istreambuf_iterator<char>(log)), std::istreambuf_iterator<char>());
  throw std::runtime_error("the broker did not get ready:\n" + text);
}

int Daemon::stop() {
  if (process_ < 0) return 0;
  int status = 0;
  ::kill(process_, SIGTERM);
  const auto deadline = Clock::now() + kStopTime;
  while (::waitpid(process_, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, &status, 0);
      break;
    }
    wait_a_moment();
  }
  process_ = -1;
  return status;
}

Daemon::~Daemon() {
  (void)stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace stompbox::conformance
