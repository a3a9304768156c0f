#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/test_folder.h"

struct st_mysql;

namespace stompbox::support {

// A real mariadbd in a temporary folder, on a UNIX socket of its own; user root has no password.
// It ends with this object, and with this process however that ends.
class MariadbServer {
 public:
  // Further options of mariadbd, as "--name=value". With "--port" among them it listens on
  // 127.0.0.1 too, else on its socket only.
  explicit MariadbServer(std::vector<std::string> options = {});
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  void start();
  void stop();  // as an administrator does
  void kill();  // as a power failure does

  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }

 private:
  void install();
  [[nodiscard]] std::vector<std::string> command() const;
  [[nodiscard]] bool answers() const;
  void end(int signal);

  const TestFolder folder_;
  const std::string socket_;
  const std::vector<std::string> options_;
  pid_t process_ = 0;  // 0: it does not run
};

// Somebody else's connection, as user root. A failing statement ends the process, unless asked for.
class MariadbClient {
 public:
  using Row = std::vector<std::optional<std::string>>;

  // With an empty database: with none.
  MariadbClient(const MariadbServer& server, const std::string& database,
                const std::string& charset = "utf8mb4");
  ~MariadbClient();
  MariadbClient(const MariadbClient&) = delete;
  MariadbClient& operator=(const MariadbClient&) = delete;

  void run(const std::string& statements);
  // The error number; 0: none.
  [[nodiscard]] unsigned try_run(const std::string& statements);
  [[nodiscard]] std::vector<Row> rows(const std::string& query);
  // The one cell of a query that has one; "NULL" for NULL.
  [[nodiscard]] std::string cell(const std::string& query);
  [[nodiscard]] std::uint64_t id() const;

 private:
  [[noreturn]] void fail(const std::string& what);

  st_mysql* const raw_;
};

// A port of 127.0.0.1 that nobody listens on now.
[[nodiscard]] std::uint16_t free_port();

}  // namespace stompbox::support
