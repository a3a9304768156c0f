#include "broker/doorman.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <utility>

#include <asio/post.hpp>

#include "broker/access/passwords.h"
#include "broker/log/log.h"

namespace stompbox {
namespace {

using session::LoginResult;
using TimePoint = access::Failures::TimePoint;

TimePoint steady_now() {
  return std::chrono::steady_clock::now();
}

// Whom failures are counted for: a host, or with IPv6 its network of 64 bits, which one peer has
// for itself.
std::string address_group(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return host;
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (std::size_t i = 8; i < sizeof address.s6_addr; ++i)
    address.s6_addr[i] = 0;
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace

struct Doorman::Check {
  std::string host;
  std::string group;
  std::string login;
  std::string passcode;
  std::optional<std::string> hash;  // nothing: there is no such user
  Answer answer;
  access::Verdict verdict = access::Verdict::kWrong;
};

Doorman::Doorman(asio::io_context& io, const access::AccessOptions& options,
                 std::chrono::milliseconds shortest_hold)
    : io_(io),
      options_(options),
      shortest_hold_(shortest_hold),
      remembered_(options.remembered_count_max, access::random_key()),
      failures_(options.failure_addresses_max, options.failure_memory),
      failure_lines_(20, std::chrono::seconds(10)),
      busy_lines_(1, std::chrono::seconds(10)),
      slow_work_(options.waiting_checks_max) {}

storage::Status Doorman::load_users() {
  if (options_.users_file.empty()) return storage::kOk;
  auto loaded = access::load_users(options_.users_file);
  if (!loaded) return loaded.error();
  accept_users(std::move(*loaded));
  return storage::kOk;
}

void Doorman::reload_users() {
  if (options_.users_file.empty()) return;
  const auto job = [this, &io = io_, path = options_.users_file] {
    auto loaded = std::make_shared<storage::Result<access::LoadedUsers>>(access::load_users(path));
    asio::post(io, [this, loaded] { on_reloaded(*loaded); });
  };
  if (slow_work_.submit(job) == access::SlowWork::Taken::kYes) return;
  log::write(log::Level::kError, "users-not-reloaded",
             log::Fields().add("error", "too many logins are being checked"));
}

void Doorman::on_reloaded(const storage::Result<access::LoadedUsers>& loaded) {
  if (loaded) {
    accept_users(*loaded);
    return;
  }
  log::write(log::Level::kError, "users-not-reloaded",
             log::Fields().add("error", loaded.error().text));
}

void Doorman::accept_users(access::LoadedUsers loaded) {
  log::Fields fields;
  fields.add("file", options_.users_file);
  fields.add("users", std::uint64_t{loaded.users.count()});
  log::write(log::Level::kInfo, "users-loaded", fields);
  if (!loaded.warning.empty()) {
    log::write(log::Level::kWarning, "users-readable",
               log::Fields().add("warning", loaded.warning));
  }
  users_ = std::make_shared<const access::Users>(std::move(loaded.users));
}

void Doorman::check(const std::string& host, std::string_view login, std::string_view passcode,
                    Answer answer) {
  if (!users_) return answer(LoginResult::kWelcome);
  const std::string* hash = users_->find_hash(login);
  if (hash != nullptr && remembered_.knows(login, passcode, *hash)) {
    return answer(LoginResult::kWelcome);
  }
  auto check = std::make_shared<Check>();
  check->host = host;
  check->group = address_group(host);
  check->login = login;
  check->passcode = passcode;
  if (hash != nullptr) check->hash = *hash;
  check->answer = std::move(answer);
  std::uint32_t& under_way = under_way_[check->group];
  const bool taken = under_way < options_.checks_per_address_max &&
                     slow_work_.submit([this, &io = io_, check] { verify(io, *this, check); }) ==
                         access::SlowWork::Taken::kYes;
  if (taken) {
    ++under_way;
    return;
  }
  if (under_way == 0) under_way_.erase(check->group);
  if (const auto left_out = busy_lines_.next(steady_now())) {
    log::write(log::Level::kWarning, "login-put-off",
               log::Fields().add("peer", host).add("more_before", *left_out));
  }
  check->answer(LoginResult::kTryLater);
}

// On the slow-work thread: touches nothing of the doorman but its address.
void Doorman::verify(asio::io_context& io, Doorman& self, const std::shared_ptr<Check>& check) {
  check->verdict = check->hash ? access::verify_password(check->passcode, *check->hash)
                               : access::verify_nobody(check->passcode);
  asio::post(io, [&self, check] { self.on_verified(*check); });
}

void Doorman::on_verified(const Check& check) {
  const auto under_way = under_way_.find(check.group);
  if (--under_way->second == 0) under_way_.erase(under_way);
  if (check.verdict == access::Verdict::kWrong) {
    count_failure(check);
    check.answer(LoginResult::kWrong);
    return;
  }
  remembered_.remember(check.login, check.passcode, *check.hash);
  failures_.clear(check.group);
  check.answer(LoginResult::kWelcome);
}

void Doorman::count_failure(const Check& check) {
  const TimePoint now = steady_now();
  failures_.add(check.group, now);
  const auto left_out = failure_lines_.next(now);
  if (!left_out) return;
  log::Fields fields;
  fields.add("peer", check.host).add("user", check.login);
  fields.add("failures", std::uint64_t{failures_.count(check.group, now)});
  if (*left_out > 0) fields.add("more_before", *left_out);
  log::write(log::Level::kWarning, "login-failed", fields);
}

std::chrono::milliseconds Doorman::error_hold(const std::string& host) {
  const std::uint32_t failures = failures_.count(address_group(host), steady_now());
  // The first may be a slip: it is held as every ERROR is.
  const std::uint32_t repeated = failures > 0 ? failures - 1 : 0;
  return access::hold_after(repeated, shortest_hold_, options_.failure_hold_max);
}

}  // namespace stompbox
