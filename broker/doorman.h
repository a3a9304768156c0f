#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/access/bearer.h"
#include "broker/access/certificate.h"
#include "broker/access/door_limits.h"
#include "broker/access/failures.h"
#include "broker/access/options.h"
#include "broker/access/passwords.h"
#include "broker/access/remembered.h"
#include "broker/access/slow_work.h"
#include "broker/access/users_file.h"
#include "broker/log/repeats.h"
#include "broker/net/porter.h"
#include "storage/result.h"

namespace stompbox {

// Lets peers in, by certificate, users file or unasked, and gives them their rights. Loop thread;
// hashes and files are left to the slow-work thread, whose answers are posted back.
class Doorman final : public net::Porter {
 public:
  // `io` outlives this and is not run afterwards. `shortest_hold`: what every ERROR is held.
  Doorman(asio::io_context& io, const access::AccessOptions& options,
          std::chrono::milliseconds shortest_hold);

  // Users and rules, at the start; blocks. An error is for the operator, a line for each mistake.
  [[nodiscard]] storage::Status load_files();
  // Later, in the background. A bad file changes nothing and is logged; the other one counts
  // nevertheless. Who is in stays in, with the rights of the new files: a user who is gone has none
  // but anyone's.
  void reload_files();

  [[nodiscard]] std::string arrive(const net::Visitor& visitor) override;
  void leave(const net::Visitor& visitor) override;
  void check(const net::Visitor& visitor, const session::Credentials& credentials,
             Answer answer) override;
  void denied(const net::Visitor& visitor, std::string_view user,
              const session::Denial& denial) override;
  [[nodiscard]] std::chrono::milliseconds error_hold(const std::string& host) override;

 private:
  // One login on its way through the slow-work thread and back.
  struct Check;
  // What a reload read.
  struct Files;
  static void verify(asio::io_context& io, Doorman& self, const std::shared_ptr<Check>& check);
  [[nodiscard]] static Files read_files(const access::AccessOptions& options);

  [[nodiscard]] static access::Verdict judge(const Check& check);

  void submit(const std::shared_ptr<Check>& check);
  void verify_at_once(Check& check);
  void on_verified(const Check& check);
  void give_back_place(const std::string& group);
  void let_in(const Check& check);
  void refuse(const Check& check);
  void tell_late();
  [[nodiscard]] std::chrono::milliseconds hold_of_failures(const std::string& group,
                                                           access::Failures::TimePoint now) const;
  [[nodiscard]] std::shared_ptr<const session::Rights> rights_of(access::Identity identity) const;
  [[nodiscard]] bool asks_who() const;

  void on_reloaded(Files& files);
  void accept_users(access::LoadedUsers loaded);
  void accept_rules(access::Rules rules);

  asio::io_context& io_;
  const access::AccessOptions options_;
  const std::chrono::milliseconds shortest_hold_;
  access::CertificateMap certificates_;

  const std::shared_ptr<access::House> house_;
  access::Remembered remembered_;
  access::DoorLimits limits_;
  access::Failures failures_;                       // logins
  access::Failures denials_;                        // of those who are in
  std::map<std::string, std::uint32_t> under_way_;  // checks by address, late answers included
  log::Repeats failure_lines_;
  log::Repeats busy_lines_;
  log::Repeats crowd_lines_;
  log::Repeats denied_lines_;

  // Wrong logins whose answer waits for the holds of those before, by the time of the answer. As
  // many as there may be addresses that fail.
  struct Late {
    std::string group;
    Answer answer;
  };
  std::multimap<access::Failures::TimePoint, Late> late_;
  asio::steady_timer late_timer_;

  access::SlowWork slow_work_;  // last: its jobs post to what stands above
};

}  // namespace stompbox
