#include "broker/doorman.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <asio/post.hpp>

#include "broker/access/check_files.h"
#include "broker/access/passwords.h"
#include "broker/access/rules_file.h"
#include "broker/log/log.h"

namespace stompbox {
namespace {

using access::Proof;
using access::SecretKind;
using access::Verdict;
using session::LoginResult;
using TimePoint = access::Failures::TimePoint;

// The two rooms name the same operations; neither may see the other.
static_assert(static_cast<int>(access::Operation::kRead) ==
              static_cast<int>(session::Operation::kRead));
static_assert(static_cast<int>(access::Operation::kWrite) ==
              static_cast<int>(session::Operation::kWrite));
static_assert(static_cast<int>(access::Operation::kCreate) ==
              static_cast<int>(session::Operation::kCreate));
static_assert(static_cast<int>(access::Operation::kBrowse) ==
              static_cast<int>(session::Operation::kBrowse));
static_assert(static_cast<int>(access::Operation::kManage) ==
              static_cast<int>(session::Operation::kManage));

class BearerRights final : public session::Rights {
 public:
  BearerRights(std::shared_ptr<const access::House> house, access::Identity identity)
      : bearer_(std::move(house), std::move(identity)) {}

  [[nodiscard]] bool allows(const session::Wish& wish) const override {
    return bearer_.may(static_cast<access::Operation>(wish.operation), wish.destination,
                       wish.headers);
  }

 private:
  const access::Bearer bearer_;
};

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

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

// Writes a line if its kind is not too frequent, with the number of those that were left out.
void write_repeated(log::Repeats& lines, std::string_view event, log::Fields fields) {
  const auto left_out = lines.next(steady_now());
  if (!left_out) return;
  if (*left_out > 0) fields.add("more_before", *left_out);
  log::write(log::Level::kWarning, event, fields);
}

access::CertificateMap make_map(const access::AccessOptions& options) {
  auto map = access::CertificateMap::make(options.certificate_login, options.certificate_users);
  return map ? std::move(*map) : access::CertificateMap();
}

std::vector<std::string> all_names_of(const net::CertificateNames& certificate) {
  std::vector<std::string> names = certificate.alternative_names;
  if (!certificate.common_name.empty()) names.insert(names.begin(), certificate.common_name);
  return names;
}

// 64 random bits as hexadecimal digits.
std::string random_text() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const access::DigestKey random = access::random_key();
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += kDigits[random[i] >> 4];
    text += kDigits[random[i] & 15];
  }
  return text;
}

}  // namespace

struct Doorman::Check {
  std::uint64_t connection = 0;
  std::string host;
  std::string group;
  std::string passcode;
  SecretKind kind = SecretKind::kNone;  // of the user; also if there is no such user
  std::string secret = "-";
  bool slow = false;  // takes the time of a hash, whatever the secret is
  access::Identity identity;
  Answer answer;
  Verdict verdict = Verdict::kWrong;
};

struct Doorman::Files {
  std::optional<storage::Result<access::LoadedUsers>> users;  // nothing: no file is named
  std::optional<storage::Result<access::Rules>> rules;
};

Doorman::Doorman(asio::io_context& io, const access::AccessOptions& options,
                 std::chrono::milliseconds shortest_hold)
    : io_(io),
      options_(options),
      shortest_hold_(shortest_hold),
      certificates_(make_map(options)),
      house_(std::make_shared<access::House>()),
      remembered_(options.remembered_count_max, access::random_key()),
      limits_(options_),
      failures_(options.failure_addresses_max, options.failure_memory),
      denials_(options.failure_addresses_max, options.failure_memory),
      failure_lines_(20, std::chrono::seconds(10)),
      busy_lines_(1, std::chrono::seconds(10)),
      crowd_lines_(1, std::chrono::seconds(10)),
      denied_lines_(20, std::chrono::seconds(10)),
      late_timer_(io),
      slow_work_(options.waiting_checks_max) {}

// Files. On any thread.
Doorman::Files Doorman::read_files(const access::AccessOptions& options) {
  Files files;
  if (!options.users_file.empty() || !options.plain_users_file.empty()) {
    files.users = access::load_users(options);
    if (*files.users) {
      const std::string fault = access::fault_of_nobody(options, (*files.users)->users.count());
      if (!fault.empty()) files.users = storage::Error{storage::ErrorCode::kInvalid, fault};
    }
  }
  if (!options.rules_file.empty()) files.rules = access::load_rules(options.rules_file);
  return files;
}

storage::Status Doorman::load_files() {
  if (const auto map =
          access::CertificateMap::make(options_.certificate_login, options_.certificate_users);
      !map) {
    return storage::Error{map.error().code, "access.certificate_users: " + map.error().text};
  }
  Files files = read_files(options_);
  std::string mistakes;
  const auto collect = [&mistakes](const storage::Error& error) {
    mistakes += (mistakes.empty() ? "" : "\n") + error.text;
  };
  if (files.users && !*files.users) collect(files.users->error());
  if (files.rules && !*files.rules) collect(files.rules->error());
  if (!mistakes.empty()) return storage::Error{storage::ErrorCode::kInvalid, mistakes};
  on_reloaded(files);
  return storage::kOk;
}

void Doorman::reload_files() {
  const auto job = [this, &io = io_, options = options_] {
    auto files = std::make_shared<Files>(read_files(options));
    asio::post(io, [this, files] { on_reloaded(*files); });
  };
  if (slow_work_.submit(job) == access::SlowWork::Taken::kYes) return;
  log::write(log::Level::kError, "files-not-reloaded",
             log::Fields().add("error", "too many logins are being checked"));
}

void Doorman::on_reloaded(Files& files) {
  if (files.users && *files.users) accept_users(std::move(**files.users));
  if (files.users && !*files.users) {
    log::write(log::Level::kError, "users-not-reloaded",
               log::Fields().add("error", files.users->error().text));
  }
  if (files.rules && *files.rules) accept_rules(std::move(**files.rules));
  if (files.rules && !*files.rules) {
    log::write(log::Level::kError, "rules-not-reloaded",
               log::Fields().add("error", files.rules->error().text));
  }
}

void Doorman::accept_users(access::LoadedUsers loaded) {
  log::Fields fields;
  const bool own = !options_.users_file.empty();
  fields.add("file", own ? options_.users_file : options_.plain_users_file);
  fields.add("users", std::uint64_t{loaded.users.count()});
  log::write(log::Level::kInfo, "users-loaded", fields);
  for (const std::string& warning : loaded.warnings)
    log::write(log::Level::kWarning, "users-warning", log::Fields().add("warning", warning));
  house_->users = std::make_shared<const access::Users>(std::move(loaded.users));
  ++house_->edition;
}

void Doorman::accept_rules(access::Rules rules) {
  log::write(
      log::Level::kInfo, "rules-loaded",
      log::Fields().add("file", options_.rules_file).add("rules", std::uint64_t{rules.count()}));
  house_->rules = std::make_shared<const access::Rules>(std::move(rules));
  ++house_->edition;
}

// The door.
std::string Doorman::arrive(const net::Visitor& visitor) {
  using access::DoorLimits;
  const bool bounded = options_.loopback_is_bounded || !is_loopback(visitor.host);
  const auto arrival =
      limits_.arrive(visitor.connection, address_group(visitor.host),
                     bounded ? DoorLimits::Bounds::kHold : DoorLimits::Bounds::kNone, steady_now());
  if (arrival == DoorLimits::Arrival::kIn) return {};
  const bool too_fast = arrival == DoorLimits::Arrival::kTooFast;
  const std::string reason =
      too_fast ? "too many new connections in a short time" : "too many connections at once";
  write_repeated(crowd_lines_, "address-turned-away",
                 log::Fields().add("peer", visitor.host).add("reason", reason));
  return "Your address has " + reason + ".";
}

void Doorman::leave(const net::Visitor& visitor) {
  limits_.leave(visitor.connection);
}

bool Doorman::asks_who() const {
  return access::asks_who(options_);
}

void Doorman::check(const net::Visitor& visitor, const session::Credentials& credentials,
                    Answer answer) {
  auto check = std::make_shared<Check>();
  check->connection = visitor.connection;
  check->host = visitor.host;
  check->group = address_group(visitor.host);
  check->identity.user = credentials.login;
  check->identity.certificate = visitor.certificate.common_name;
  check->identity.certificate_names = all_names_of(visitor.certificate);
  check->answer = std::move(answer);
  if (!asks_who()) return let_in(*check);
  // Who shows a certificate that names a user is that user, whatever login says (as ActiveMQ has
  // it, fact mcollective 2.1).
  if (auto user =
          certificates_.user_of({visitor.certificate.subject, visitor.certificate.common_name,
                                 visitor.certificate.alternative_names})) {
    check->identity.user = std::move(*user);
    check->identity.proof = Proof::kCertificate;
    return let_in(*check);
  }
  check->identity.proof = Proof::kPasscode;
  // Where some users have a hash, every login costs one: else the clock would tell the names.
  check->slow = !options_.users_file.empty();
  const access::User* user = house_->users ? house_->users->find(credentials.login) : nullptr;
  if (user != nullptr && user->kind != SecretKind::kNone) {
    check->kind = user->kind;
    check->secret = user->secret;
    if (check->slow && remembered_.knows(credentials.login, credentials.passcode, user->secret)) {
      return let_in(*check);
    }
  }
  check->passcode = credentials.passcode;
  submit(check);
}

void Doorman::submit(const std::shared_ptr<Check>& check) {
  std::uint32_t& under_way = under_way_[check->group];
  if (under_way < options_.checks_per_address_max) {
    ++under_way;
    if (!check->slow) return verify_at_once(*check);
    const auto job = [this, &io = io_, check] { verify(io, *this, check); };
    if (slow_work_.submit(job) == access::SlowWork::Taken::kYes) return;
    --under_way;
  }
  if (under_way == 0) under_way_.erase(check->group);
  write_repeated(busy_lines_, "login-put-off", log::Fields().add("peer", check->host));
  check->answer({LoginResult::kTryLater, {}, nullptr});
}

Verdict Doorman::judge(const Check& check) {
  if (check.kind == SecretKind::kHash) return access::verify_password(check.passcode, check.secret);
  if (check.slow) static_cast<void>(access::verify_nobody(check.passcode));
  const Verdict verdict = access::verify_plain(check.passcode, check.secret);
  return check.kind == SecretKind::kPlain ? verdict : Verdict::kWrong;
}

void Doorman::verify_at_once(Check& check) {
  check.verdict = judge(check);
  on_verified(check);
}

// On the slow-work thread: touches nothing of the doorman but its address.
void Doorman::verify(asio::io_context& io, Doorman& self, const std::shared_ptr<Check>& check) {
  check->verdict = judge(*check);
  asio::post(io, [&self, check] { self.on_verified(*check); });
}

void Doorman::on_verified(const Check& check) {
  if (check.verdict == Verdict::kWrong) return refuse(check);
  give_back_place(check.group);
  if (check.slow) remembered_.remember(check.identity.user, check.passcode, check.secret);
  failures_.clear(check.group);
  let_in(check);
}

void Doorman::give_back_place(const std::string& group) {
  const auto under_way = under_way_.find(group);
  if (--under_way->second == 0) under_way_.erase(under_way);
}

void Doorman::let_in(const Check& check) {
  const bool proven = check.identity.proof != Proof::kNone;
  if (proven && limits_.log_in(check.connection, check.identity.user) ==
                    access::DoorLimits::Login::kTooMany) {
    write_repeated(crowd_lines_, "user-turned-away",
                   log::Fields()
                       .add("peer", check.host)
                       .add("user", check.identity.user)
                       .add("reason", "too many connections at once"));
    return check.answer({LoginResult::kTooMany, {}, nullptr});
  }
  check.answer(
      {LoginResult::kWelcome, check.identity.user, rights_of(check.identity), random_text()});
}

void Doorman::refuse(const Check& check) {
  const TimePoint now = steady_now();
  failures_.add(check.group, now);
  write_repeated(failure_lines_, "login-failed",
                 log::Fields()
                     .add("peer", check.host)
                     .add("user", check.identity.user)
                     .add("failures", std::uint64_t{failures_.count(check.group, now)}));
  const TimePoint when = failures_.tell_at(check.group, now, hold_of_failures(check.group, now));
  late_.emplace(when, Late{check.group, check.answer});
  tell_late();
}

// Who does not wait for the end of his hold but comes back at once is told no sooner, and until
// then it is one of the few checks that his address may have.
void Doorman::tell_late() {
  while (!late_.empty()) {
    const bool is_due = late_.begin()->first <= steady_now();
    if (!is_due && late_.size() <= options_.failure_addresses_max) break;
    const Late late = std::move(late_.extract(late_.begin()).mapped());
    give_back_place(late.group);
    late.answer({LoginResult::kWrong, {}, nullptr});
  }
  if (late_.empty()) return;
  late_timer_.expires_at(late_.begin()->first);
  late_timer_.async_wait([this](std::error_code cancelled) {
    if (!cancelled) tell_late();
  });
}

std::shared_ptr<const session::Rights> Doorman::rights_of(access::Identity identity) const {
  if (!house_->users && !house_->rules) return nullptr;
  return std::make_shared<const BearerRights>(house_, std::move(identity));
}

void Doorman::denied(const net::Visitor& visitor, std::string_view user,
                     const session::Denial& denial) {
  denials_.add(address_group(visitor.host), steady_now());
  write_repeated(denied_lines_, "denied",
                 log::Fields()
                     .add("peer", visitor.host)
                     .add("user", user)
                     .add("operation", denial.operation)
                     .add("destination", denial.destination));
}

// Nothing for the first: it may be a slip.
std::chrono::milliseconds Doorman::hold_of_failures(const std::string& group, TimePoint now) const {
  const std::uint32_t failures = failures_.count(group, now);
  if (failures < 2) return std::chrono::milliseconds(0);
  return access::hold_after(failures - 1, shortest_hold_, options_.failure_hold_max);
}

std::chrono::milliseconds Doorman::error_hold(const std::string& host) {
  const std::string group = address_group(host);
  const TimePoint now = steady_now();
  const std::uint32_t failures = std::max(failures_.count(group, now), denials_.count(group, now));
  // The first may be a slip: it is held as every ERROR is.
  const std::uint32_t repeated = failures > 0 ? failures - 1 : 0;
  return access::hold_after(repeated, shortest_hold_, options_.failure_hold_max);
}

}  // namespace stompbox
