#include "tests/sim/life.h"

#include <algorithm>
#include <utility>

namespace stompbox::sim {
namespace {

constexpr std::string_view kIdentity = "simulated";

// Small bounds, so that paging, waiting and credit happen all the time.
routing::RoutingOptions small_bounds() {
  routing::RoutingOptions options;
  options.resident_count_max = 6;
  options.resident_bytes_max = 2000;
  options.resident_total_bytes_max = 3000;
  options.journal_bytes_max = 6000;
  return options;
}

}  // namespace

Life::Life(Platter& platter, Shelf& shelf, Clock& clock, Chance& chance, Checker& checker,
           Fault fault)
    : clock_(clock),
      chance_(chance),
      checker_(checker),
      fault_(fault),
      journal_(platter, chance, fault),
      router_(journal_, small_bounds(), platter.start(fault)),
      store_(shelf, chance, checker, fault) {
  drain_options_.window_count = 1 + chance_.below(8);
  drain_ = std::make_unique<drain::Drain>(router_, static_cast<drain::Workshop&>(*this),
                                          static_cast<drain::DrainObserver&>(*this), drain_options_,
                                          [this] { drain_wakes_ = true; });
  drain_->start(clock_.steady, clock_.wall_ms);
}

Life::~Life() {
  links_.clear();
  drain_.reset();
}

void Life::connect(std::unique_ptr<Client> client) {
  auto link = std::make_unique<Link>();
  link->client = std::move(client);
  link->session = std::make_unique<session::Session>(
      ++last_session_, router_, static_cast<session::Gate&>(*this),
      static_cast<session::Waker&>(*this), session_options_, clock_.now());
  links_.push_back(std::move(link));
}

void Life::check_login(std::uint64_t session, const session::Credentials&) {
  logins_.push_back(session);
}

void Life::wake(std::uint64_t session) {
  woken_.insert(session);
}

void Life::hand_over(drain::Round round) {
  rounds_.push_back(std::move(round));
}

void Life::step() {
  const std::size_t what = chance_.below(14);
  if (!links_.empty()) {
    Link& link = *links_[chance_.below(links_.size())];
    if (what < 4 && !link.client_gone) link.client->act();
    if (what == 4 || what == 5) feed(link);
    if (what == 6 || what == 7) write_out(link, 1 + chance_.below(2000));
  }
  if (what == 8) journal_.step();
  if (what == 9) post_journal();
  if (what == 10) wake_sessions();
  if (what == 11) run_drain();
  if (what == 12) pass_time();
  if (what == 13) store_.flush();
  reap();
}

void Life::feed(Link& link) {
  std::string& bytes = link.client->to_broker();
  if (!bytes.empty() && link.session->wants_read()) {
    const std::size_t count = std::min(bytes.size(), 1 + chance_.below(400));
    const std::string piece = bytes.substr(0, count);
    bytes.erase(0, count);
    link.session->on_bytes(piece, clock_.now());
  } else if (bytes.empty() && link.client_gone && !std::exchange(link.end_was_fed, true)) {
    link.session->on_end_of_input(clock_.now());
  }
}

void Life::write_out(Link& link, std::size_t bytes_max) {
  session::Outbox& outbox = link.session->outbox();
  std::string taken;
  session::Outbox::Piece pieces[8];
  const std::size_t count = outbox.gather(pieces, 8);
  for (std::size_t i = 0; i < count && taken.size() < bytes_max; ++i) {
    taken.append(pieces[i].begin, std::min(pieces[i].size, bytes_max - taken.size()));
  }
  if (taken.empty()) return;
  link.client->taken(taken);  // the kernel has it, whether anybody looks or not
  link.session->on_written(taken.size(), clock_.now());
}

void Life::post_journal() {
  if (auto report = journal_.next_report()) router_.on_commit(*report);
  if (auto page = journal_.next_page()) router_.on_loaded(std::move(*page));
}

void Life::wake_sessions() {
  for (const std::uint64_t number : std::exchange(logins_, {})) {
    if (number <= last_session_) woken_.insert(number);
    for (const auto& link : links_) {
      if (link->session->phase() == session::Session::Phase::kChecking) {
        link->session->on_login({session::LoginResult::kWelcome, {}, nullptr}, clock_.now());
      }
    }
  }
  woken_.clear();
  for (const auto& link : links_)
    link->session->on_wake(clock_.now());
}

void Life::run_drain() {
  if (!rounds_.empty()) {
    const drain::Round round = std::move(rounds_.front());
    rounds_.pop_front();
    drain::RoundResult result;
    if (fault_ == Fault::kRoundAnswersEarly) {
      result.number = round.number;
      for (const drain::RoundItem& item : round.items) {
        result.items.push_back({item.item, drain::ItemFate::kStored, {}, {}, {}, {}});
      }
      late_rounds_.push_back(round);
    } else {
      result = drain::run_round(round, store_, drain_options_.read, std::string(kIdentity));
    }
    drain_->on_round_done(std::move(result), clock_.steady, clock_.wall_ms);
  } else if (!late_rounds_.empty()) {
    (void)drain::run_round(late_rounds_.front(), store_, drain_options_.read,
                           std::string(kIdentity));
    late_rounds_.pop_front();
  }
  if (std::exchange(drain_wakes_, false)) drain_->on_wake(clock_.steady, clock_.wall_ms);
}

void Life::pass_time() {
  clock_.advance(std::chrono::milliseconds(1 + chance_.below(300)));
  for (const auto& link : links_) {
    const auto due = link->session->next_event();
    if (due && *due <= clock_.steady) link->session->on_time(clock_.now());
  }
  router_.on_time(clock_.wall_ms);
  const auto due = drain_->next_event();
  if (due && *due <= clock_.steady) drain_->on_time(clock_.steady);
}

void Life::vanish(std::size_t index) {
  Link& link = *links_[index];
  link.client_gone = true;
  if (chance_.once_in(2)) {  // torn off: what the broker has not read is lost
    link.client->to_broker().clear();
    link.end_was_fed = true;
    link.session->on_io_error(clock_.now());
  }
}

void Life::reap() {
  std::erase_if(links_, [](const std::unique_ptr<Link>& link) { return link->session->done(); });
}

void Life::become_healthy() {
  store_.set_healthy();
}

bool Life::drain_has_trouble() const {
  return drain_->figures().database_in_trouble;
}

// Until nothing moves any more: bytes, journal, drain, and time enough for every retry.
void Life::settle() {
  for (int round = 0; round < 400; ++round) {
    for (const auto& link : links_) {
      for (int i = 0; i < 6; ++i)
        feed(*link);
      write_out(*link, 1'000'000);
      link->client->settle();
    }
    for (int i = 0; i < 6; ++i) {
      journal_.step();
      post_journal();
    }
    wake_sessions();
    run_drain();
    store_.flush();
    if (round % 8 == 7) clock_.advance(std::chrono::seconds(1));
    if (round % 8 == 7) pass_time();
    reap();
  }
}

void Life::check_rest() {
  for (const routing::QueueFigures& queue : router_.queue_figures()) {
    if (queue.waiting > 0 && (queue.name == "work" || queue.name == "other")) {
      checker_.wrong("stuck: " + std::to_string(queue.waiting) + " messages wait in " + queue.name);
    }
  }
  for (const auto& link : links_) {
    if (!link->client_gone && link->client->waits_for_receipt()) {
      checker_.wrong("a receipt never came");
    }
  }
}

void Life::crash() {
  journal_.crash();
}

}  // namespace stompbox::sim
