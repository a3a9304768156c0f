#include "tests/unit/session/pure_broker.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace stompbox::testing {

using session::Session;

namespace {

constexpr std::int64_t kSomeDayMs = 1'700'000'000'000;

}  // namespace

PureBroker::PureBroker(session::SessionOptions session_options, routing::RoutingOptions routing)
    : options(std::move(session_options)), routing_options_(std::move(routing)) {
  router = std::make_unique<routing::Router>(journal, routing_options_, journal.state());
  tell_time();
}

PureBroker::Peer::Peer(PureBroker& broker, std::uint64_t number)
    : session(number, *broker.router, broker, broker, broker.options, broker.now(), &broker.shared),
      broker_(broker) {}

void PureBroker::Peer::feed(std::string_view bytes) {
  // A copy that dies: a session that kept a view of it would be found out.
  const auto copy = std::make_unique<std::string>(bytes);
  session.on_bytes(*copy, broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::end_input() {
  session.on_end_of_input(broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::fail_writes() {
  session.on_write_failed(broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::io_error() {
  session.on_io_error(broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::login(session::LoginResult result) {
  session.on_login({result, broker_.last_login_, broker_.rights}, broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::shut_down() {
  session.on_shutdown(broker_.now());
  broker_.run_woken();
}

void PureBroker::Peer::write_out(std::size_t bytes_max) {
  while (bytes_max > 0 && session.outbox().waiting_bytes() > 0) {
    std::array<session::Outbox::Piece, 4> pieces;
    const std::size_t count = session.outbox().gather(pieces.data(), pieces.size());
    std::size_t written = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = std::min(pieces[i].size, bytes_max - written);
      taken_.append(pieces[i].begin, size);
      written += size;
    }
    bytes_max -= written;
    session.on_written(written, broker_.now());
  }
  broker_.run_woken();
}

std::string PureBroker::Peer::take() {
  write_out();
  return std::exchange(taken_, {});
}

void PureBroker::Peer::connect(std::string_view version, std::string_view more_headers) {
  std::string frame = "CONNECT\n";
  if (version != "1.0") frame.append("accept-version:").append(version).append("\n");
  frame.append(more_headers).append("\n").push_back('\0');
  feed(frame);
  const std::string answer = take();
  if (!answer.starts_with("CONNECTED\n")) throw std::runtime_error("not connected: " + answer);
}

PureBroker::Peer& PureBroker::open() {
  const std::uint64_t number = ++last_number_;
  return *peers_.emplace(number, std::make_unique<Peer>(*this, number)).first->second;
}

PureBroker::Peer& PureBroker::connect(std::string_view version) {
  Peer& peer = open();
  peer.connect(version);
  return peer;
}

void PureBroker::close(Peer& peer) {
  std::erase_if(peers_, [&peer](const auto& entry) { return entry.second.get() == &peer; });
  run_woken();
}

void PureBroker::shut_down() {
  for (const auto& [number, peer] : peers_)
    peer->shut_down();
  settle();
}

session::Now PureBroker::now() const {
  const auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.time_since_epoch());
  return {.steady = clock_, .wall_ms = kSomeDayMs + since.count()};
}

std::optional<session::TimePoint> PureBroker::router_event() const {
  const auto at_ms = router->next_event_ms();
  if (!at_ms) return std::nullopt;
  return session::TimePoint(std::chrono::milliseconds(*at_ms - kSomeDayMs));
}

void PureBroker::tell_time() {
  router->on_time(now().wall_ms);
  run_woken();
}

void PureBroker::pass(std::chrono::milliseconds duration) {
  const session::TimePoint end = clock_ + duration;
  for (;;) {
    Peer* next = nullptr;
    auto first = router_event();
    for (const auto& [number, peer] : peers_) {
      const auto at = peer->session.next_event();
      if (!at || (first && *at >= *first)) continue;
      first = at;
      next = peer.get();
    }
    if (!first || *first > end) break;
    clock_ = std::max(clock_, *first);
    if (next == nullptr) {
      tell_time();
      continue;
    }
    next->session.on_time(now());
    run_woken();
    next->write_out();
  }
  clock_ = end;
  tell_time();
}

void PureBroker::run_woken() {
  while (!woken_.empty()) {
    const auto peer = peers_.find(*woken_.begin());
    woken_.erase(woken_.begin());
    if (peer != peers_.end()) peer->second->session.on_wake(now());
  }
}

void PureBroker::commit() {
  router->on_commit(journal.commit());
  for (queue::LoadedPage& page : journal.take_pages())
    router->on_loaded(std::move(page));
  run_woken();
}

void PureBroker::settle() {
  run_woken();
  for (const auto& [number, peer] : peers_)
    peer->write_out();
  while (journal.has_work()) {
    commit();
    for (const auto& [number, peer] : peers_)
      peer->write_out();
  }
}

void PureBroker::denied(std::uint64_t session, const session::Denial& denial) {
  denials.push_back(std::to_string(session) + " " + std::string(denial.operation) + " " +
                    std::string(denial.destination));
}

void PureBroker::check_login(std::uint64_t session, const session::Credentials& credentials) {
  last_login_ = credentials.login;
  auto answer = login_answer;
  if (!users.empty()) {
    const auto user = users.find(std::string(credentials.login));
    const bool is_right = user != users.end() && user->second == credentials.passcode;
    answer = is_right ? session::LoginResult::kWelcome : session::LoginResult::kWrong;
  }
  if (!answer) return;
  peers_.at(session)->session.on_login({*answer, last_login_, rights}, now());
}

bool PureBroker::is_woken(const Peer& peer) const {
  return std::any_of(peers_.begin(), peers_.end(), [this, &peer](const auto& entry) {
    return entry.second.get() == &peer && woken_.contains(entry.first);
  });
}

void PureBroker::crash() {
  peers_.clear();
  woken_.clear();
  journal.crash();
  router = std::make_unique<routing::Router>(journal, routing_options_, journal.state());
  tell_time();
}

}  // namespace stompbox::testing
