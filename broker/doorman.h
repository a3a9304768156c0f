#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>

#include "broker/access/failures.h"
#include "broker/access/options.h"
#include "broker/access/remembered.h"
#include "broker/access/slow_work.h"
#include "broker/access/users_file.h"
#include "broker/log/repeats.h"
#include "broker/net/porter.h"
#include "storage/result.h"

namespace stompbox {

// Lets peers in: by the users file, or everybody if there is none. Loop thread; hashes and files
// are left to the slow-work thread, whose answers are posted back.
class Doorman final : public net::Porter {
 public:
  // `io` outlives this and is not run afterwards. `shortest_hold`: what every ERROR is held.
  Doorman(asio::io_context& io, const access::AccessOptions& options,
          std::chrono::milliseconds shortest_hold);

  // At the start; blocks.
  [[nodiscard]] storage::Status load_users();
  // Later, in the background. Users who are in stay in; a bad file changes nothing and is logged.
  void reload_users();

  void check(const std::string& host, std::string_view login, std::string_view passcode,
             Answer answer) override;
  [[nodiscard]] std::chrono::milliseconds error_hold(const std::string& host) override;

 private:
  // One login on its way through the slow-work thread and back.
  struct Check;
  static void verify(asio::io_context& io, Doorman& self, const std::shared_ptr<Check>& check);
  void on_verified(const Check& check);
  void on_reloaded(const storage::Result<access::LoadedUsers>& loaded);
  void accept_users(access::LoadedUsers loaded);
  void count_failure(const Check& check);

  asio::io_context& io_;
  const access::AccessOptions options_;
  const std::chrono::milliseconds shortest_hold_;

  std::shared_ptr<const access::Users> users_;  // null: everybody is welcome
  access::Remembered remembered_;
  access::Failures failures_;
  std::map<std::string, std::uint32_t> under_way_;  // checks by address
  log::Repeats failure_lines_;
  log::Repeats busy_lines_;

  access::SlowWork slow_work_;  // last: its jobs post to what stands above
};

}  // namespace stompbox
