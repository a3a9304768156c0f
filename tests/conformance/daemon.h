#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace stompbox::conformance {

// `PATH serve --ephemeral` on a free port of its own, in a folder of its own, for the life of this
// object. Throws std::runtime_error if it does not get ready.
class Daemon {
 public:
  explicit Daemon(const std::string& program);
  ~Daemon();  // SIGTERM, and SIGKILL if that takes too long
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // Asks it to stop. The exit status as waitpid gives it.
  int stop();

 private:
  void start(const std::string& program);
  void wait_until_ready();

  std::filesystem::path folder_;
  pid_t process_ = -1;
  int port_ = 0;
};

}  // namespace stompbox::conformance
