#include "broker/server.h"

#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "broker/control_stage.h"
#include "broker/doorman.h"
#include "broker/drain_stage.h"
#include "broker/expiry.h"
#include "broker/lifelines.h"
#include "broker/log/log.h"
#include "broker/long_run.h"
#include "broker/loss_log.h"
#include "broker/monitor_queue.h"
#include "broker/net/asio_support.h"
#include "broker/net/busy_poll.h"
#include "broker/net/connections.h"
#include "broker/net/listener.h"
#include "broker/options/listener_text.h"
#include "broker/ready_file.h"
#include "broker/router_clock.h"
#include "broker/routing/router.h"
#include "stompbox_version.h"
#include "storage/queue/committer.h"
#include "storage/queue/leveldb_open.h"

namespace stompbox {
namespace {

using std::chrono::milliseconds;

// The steps of a stop; together they stay within the five seconds that it may take.
constexpr milliseconds kReadPatience{1000};   // for what the kernel holds of our peers' bytes
constexpr milliseconds kWritePatience{1500};  // for what we owe them
constexpr milliseconds kDrainPatience{1000};  // for a round that is being stored
constexpr milliseconds kWorkerPatience{300};  // for its thread to end
// At the start: for the database; it may be locked, and the broker is ready without it.
constexpr milliseconds kDatabasePatience{1000};

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  log::write(log::Level::kWarning, "descriptor-limit-kept");
}

// Of those that this process was given (taskset, CPUAffinity=), not of all that there are.
bool may_use_two_processors() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  return ::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) > 1;
}

// Owns everything, built in the order of the members and destroyed in reverse. The loop's thread.
class Server {
 public:
  Server(const options::Options& options, const OnReady& on_ready)
      : options_(options), on_ready_(on_ready) {}
  ~Server() { take_down(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Builds everything up to the listeners; an error is one sentence for the operator.
  [[nodiscard]] storage::Status start();
  // Until a signal, or a failure that nothing can be done about.
  [[nodiscard]] Exit run();

 private:
  [[nodiscard]] storage::Status open_store();
  [[nodiscard]] std::optional<std::string> masters_group() const;
  [[nodiscard]] storage::Status build_drain();
  [[nodiscard]] storage::Status open_listeners();
  [[nodiscard]] storage::Status open_control();
  void await_signals();
  [[nodiscard]] storage::Status hold_lifelines();
  void begin_stop(const log::Fields& reason);
  void await_reload();
  void reload_certificates();

  static asio::awaitable<void> become_ready(Server& self);
  void tell_ready();
  [[nodiscard]] std::vector<std::string> listener_urls() const;
  [[nodiscard]] std::string store_description() const;
  [[nodiscard]] control::ServerFacts facts() const;

  void on_commit(const queue::CommitReport& report);
  void on_page(queue::LoadedPage page);
  void fail(const std::string& sentence);

  static asio::awaitable<void> stop_in_order(Server& self);
  static asio::awaitable<void> wait_until(Server& self, bool (Server::*reached)() const,
                                          milliseconds patience);
  [[nodiscard]] bool peers_told() const { return connections_->all_told(); }
  [[nodiscard]] bool peers_gone() const { return connections_->empty(); }
  [[nodiscard]] bool drain_idle() const { return !drain_ || drain_->idle(); }
  // With a stop nothing waits for it any more: the stop has the timer for itself.
  [[nodiscard]] bool database_tried() const { return stopping_ || !drain_ || database_tried_; }
  void end_journal();
  void take_down();

  const options::Options& options_;
  const OnReady& on_ready_;
  const std::int64_t started_ms_ = net::clock_now().wall_ms;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{io_.get_executor()};
  asio::signal_set end_signals_{io_};
  asio::signal_set reload_signal_{io_};
  Lifelines lifelines_{
      io_, [this](std::string_view gone) { begin_stop(log::Fields().add("gone", gone)); }};
  asio::steady_timer progress_{io_};  // cancelled when wait_until() should look again

  catalog::CatalogPlace catalog_place_;
  bool database_tried_ = false;
  bool disk_full_ = false;
  std::string last_page_error_;  // told once, not at every try
  bool stopping_ = false;
  Exit exit_ = Exit::kDone;
  ReadyFile ready_file_;

  std::unique_ptr<queue::QueueStore> store_;
  std::unique_ptr<queue::Committer> journal_;
  std::unique_ptr<routing::Router> router_;
  std::unique_ptr<RouterClock> clock_;
  std::unique_ptr<LossLog> losses_;
  std::unique_ptr<DrainStage> drain_;      // null: no catalog store
  std::unique_ptr<Expiry> expiry_;         // null: no node is forgotten by itself
  std::unique_ptr<MonitorQueue> monitor_;  // null: the profile has none
  std::unique_ptr<Doorman> doorman_;
  std::vector<std::unique_ptr<net::Entrance>> entrances_;  // outlive the connections
  std::unique_ptr<net::Connections> connections_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<ControlStage> control_;  // null: no control socket
};

storage::Status Server::start() {
  await_signals();
  if (auto status = open_store(); !status) return status;
  if (auto status = build_drain(); !status) return status;
  if (options_.routing.profile->monitor_queue) {
    monitor_ = std::make_unique<MonitorQueue>(io_, *router_, options_.monitor_fields);
  }
  doorman_ = std::make_unique<Doorman>(io_, options_.access, options_.session.error_hold);
  if (auto status = doorman_->load_files(); !status) return status;
  connections_ = std::make_unique<net::Connections>(io_, *router_, *doorman_, options_.net);
  if (auto status = open_listeners(); !status) return status;
  if (auto status = open_control(); !status) return status;
  if (auto status = hold_lifelines(); !status) return status;
  net::spawn(io_, become_ready(*this));
  return storage::kOk;
}

storage::Status Server::open_store() {
  queue::StoreOptions store_options = options_.store;
  store_options.in_memory = options_.ephemeral;
  store_options.path = options::queue_folder(options_);
  if (!options_.ephemeral) {
    const auto group = masters_group();
    if (auto status = make_data_folder(options_.data_folder, group); !status) return status;
  }
  auto store = queue::open_leveldb_store(store_options);
  if (!store) return store.error();
  store_ = std::move(*store);
  queue::Committer::Callbacks callbacks;
  callbacks.on_commit = [this](queue::CommitReport report) {
    asio::post(io_, [this, report = std::move(report)] { on_commit(report); });
  };
  callbacks.on_page = [this](queue::LoadedPage page) {
    asio::post(io_, [this, page = std::move(page)]() mutable { on_page(std::move(page)); });
  };
  journal_ = std::make_unique<queue::Committer>(*store_, options_.journal, std::move(callbacks));
  routing::RoutingOptions routing_options = options_.routing;
  routing_options.always_allowed_queues = {options_.drain.catalog_queue,
                                           options_.drain.facts_queue};
  router_ = std::make_unique<routing::Router>(*journal_, routing_options, store_->state());
  clock_ = std::make_unique<RouterClock>(io_, *router_);
  losses_ = std::make_unique<LossLog>(io_, *router_);
  return storage::kOk;
}

// Masters that use the database in the data folder have to make its -wal and -shm files there.
std::optional<std::string> Server::masters_group() const {
  const auto place = options::catalog_place(options_);
  const bool is_inside = place && place->kind == catalog::PlaceKind::kSqlite &&
                         place->sqlite.path.starts_with(options_.data_folder + "/");
  return is_inside ? options_.sqlite.group : std::nullopt;
}

storage::Status Server::build_drain() {
  const auto place = options::catalog_place(options_);
  if (!place) return place.error();
  catalog_place_ = *place;
  if (catalog_place_.kind == catalog::PlaceKind::kNone) return storage::kOk;
  DrainStage::Parts parts;
  parts.place = catalog_place_;
  parts.drain = options_.drain;
  parts.store_identity = store_->state().identity;
  if (!options_.ephemeral) parts.ledger_path = options_.data_folder + "/crash-ledger";
  drain_ = std::make_unique<DrainStage>(io_, *router_, parts);
  drain_->start([this](const storage::Status&) {
    database_tried_ = true;
    progress_.cancel();
  });
  if (options_.drain.forget_after.count() > 0) {
    const std::string watch = options_.ephemeral ? "" : options_.data_folder + "/expiry-watch";
    expiry_ = std::make_unique<Expiry>(io_, catalog_place_, options_.drain.forget_after, watch);
    expiry_->start();
  }
  return storage::kOk;
}

storage::Status Server::open_listeners() {
  for (const std::string& text : options_.listen) {
    const auto parsed = options::parse_listener(text, options_);
    if (!parsed) return parsed.error();
    entrances_.push_back(std::make_unique<net::Entrance>(*parsed));
    net::Entrance& entrance = *entrances_.back();
    if (auto status = entrance.load_certificates(); !status) return status;
    auto listener = std::make_unique<net::Listener>(io_, *connections_, entrance);
    if (auto status = listener->open(options_.net.accept_backlog); !status) return status;
    listeners_.push_back(std::move(listener));
    const bool unguarded = !access::asks_who(options_.access) &&
                           net::reach_of(parsed->address) == net::Reach::kOtherMachines;
    if (unguarded) {
      log::write(
          log::Level::kWarning, "listener-open-to-all",
          log::Fields().add("listener", text).add("warning", "nobody is asked who they are"));
    }
  }
  return storage::kOk;
}

storage::Status Server::open_control() {
  const std::string path = options::control_socket_path(options_);
  if (path.empty()) return storage::kOk;
  control_ = std::make_unique<ControlStage>(
      io_, path, *router_, drain_ ? &drain_->drain() : nullptr, [this] { return facts(); });
  return control_->open();
}

void Server::await_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  end_signals_.add(SIGINT);
  end_signals_.add(SIGTERM);
  reload_signal_.add(SIGHUP);
  end_signals_.async_wait([this](std::error_code cancelled, int number) {
    if (!cancelled) begin_stop(log::Fields().add("signal", std::int64_t{number}));
  });
  await_reload();
}

storage::Status Server::hold_lifelines() {
  if (options_.exit_with_parent) {
    if (auto status = lifelines_.hold_parent(first_parent()); !status) return status;
  }
  return options_.exit_when_stdin_closes ? lifelines_.hold_input() : storage::kOk;
}

void Server::begin_stop(const log::Fields& reason) {
  if (stopping_) return;
  log::write(log::Level::kInfo, "stopping", reason);
  stopping_ = true;
  end_signals_.clear();  // another one ends the process at once
  lifelines_.let_go();
  net::spawn(io_, stop_in_order(*this));
}

void Server::await_reload() {
  reload_signal_.async_wait([this](std::error_code cancelled, int) {
    if (cancelled) return;
    log::reopen();
    if (doorman_) doorman_->reload_files();
    reload_certificates();
    log::write(log::Level::kInfo, "reloaded");
    await_reload();
  });
}

// A few small files, read on the loop. Connections that are open keep what they began with.
void Server::reload_certificates() {
  for (const auto& entrance : entrances_) {
    if (const auto status = entrance->load_certificates(); !status) {
      log::write(log::Level::kError, "certificate-not-reloaded",
                 log::Fields().add("error", status.error().text).add("kept", "the old one"));
    }
  }
}

asio::awaitable<void> Server::become_ready(Server& self) {
  co_await wait_until(self, &Server::database_tried, kDatabasePatience);
  if (!self.stopping_) self.tell_ready();
}

void Server::tell_ready() {
  const std::vector<std::string> urls = listener_urls();
  for (const auto& listener : listeners_)
    listener->start();
  if (!options_.ready_file.empty()) {
    if (const auto status = ready_file_.write(options_.ready_file, urls); !status) {
      fail(status.error().text);
      return;
    }
  }
  if (on_ready_) {
    if (const auto status = on_ready_(); !status) {
      fail(status.error().text);
      return;
    }
  }
  const control::ServerFacts known = facts();
  std::string addresses;
  for (const std::string& url : urls)
    addresses += (addresses.empty() ? "" : " ") + url;
  print_line("stompbox ready: listening on " + addresses + ", store " + known.store_description +
             ", database " + known.catalog_description);
  log::write(log::Level::kInfo, "ready",
             log::Fields()
                 .add("listeners", addresses)
                 .add("store", known.store_description)
                 .add("database", known.catalog_description)
                 .add("ms", net::clock_now().wall_ms - started_ms_));
}

std::vector<std::string> Server::listener_urls() const {
  std::vector<std::string> urls;
  for (const auto& listener : listeners_)
    urls.push_back(net::to_text(listener->address()));
  return urls;
}

std::string Server::store_description() const {
  return options_.ephemeral ? "in memory" : "leveldb:" + options::queue_folder(options_);
}

control::ServerFacts Server::facts() const {
  control::ServerFacts facts;
  const net::Connections::Figures figures = connections_->figures();
  facts.connections = figures.open;
  facts.connections_total = figures.total;
  facts.started_ms = started_ms_;
  facts.version = STOMPBOX_VERSION;
  facts.data_folder = options_.ephemeral ? "" : options_.data_folder;
  facts.store_description = store_description();
  facts.catalog_description = "none";
  if (drain_) {
    facts.catalog_description = drain_->description();
    if (facts.catalog_description.empty()) {
      facts.catalog_description = to_text(catalog_place_) + " (not open yet)";
    }
  }
  const bool synced = options_.journal.sync == queue::SyncPolicy::kBatch;
  facts.mode = options_.ephemeral ? "ephemeral" : synced ? "durable" : "durable, never synced";
  facts.listeners = listener_urls();
  facts.dead_letter_queue = options_.routing.dead_letter_queue;
  facts.catalog_queue = options_.drain.catalog_queue;
  facts.store_identity = store_->state().identity;
  return facts;
}

void Server::on_commit(const queue::CommitReport& report) {
  if (report.fatal) {
    fail("the queue store cannot be written any more: " + report.fatal->text);
    return;
  }
  if (report.disk_full != disk_full_) {
    disk_full_ = report.disk_full;
    log::write(disk_full_ ? log::Level::kError : log::Level::kInfo,
               disk_full_ ? "disk-full" : "disk-has-room",
               log::Fields().add("waiting_bytes", report.pending_bytes));
  }
  router_->on_commit(report);
}

void Server::on_page(queue::LoadedPage page) {
  if (page.error && page.error->text != last_page_error_) {
    last_page_error_ = page.error->text;
    log::write(log::Level::kError, "page-unreadable", log::Fields().add("error", last_page_error_));
  }
  router_->on_loaded(std::move(page));
}

// The end without ceremony: what was promised is on the disk, and nothing more can be.
void Server::fail(const std::string& sentence) {
  tell_failure(options_, sentence);
  exit_ = Exit::kFailed;
  io_.stop();
}

Exit Server::run() {
  // Awake on the only processor it would keep away those that it waits for.
  const bool sleeps_at_once = options_.net.sleeps_at_once || !may_use_two_processors();
  net::run(io_, net::BusyPoll(sleeps_at_once ? net::BusyPoll::kNever : net::BusyPoll::kUsual));
  return exit_;
}

asio::awaitable<void> Server::wait_until(Server& self, bool (Server::*reached)() const,
                                         milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!(self.*reached)() && std::chrono::steady_clock::now() < deadline) {
    self.progress_.expires_at(deadline);
    co_await self.progress_.async_wait(net::as_result);
  }
}

// No new peers and no new work; then what peers have sent already is read, what they are owed is
// written, what is being stored gets time to finish.
asio::awaitable<void> Server::stop_in_order(Server& self) {
  if (self.control_) self.control_->close();
  self.connections_->on_progress([&self] { self.progress_.cancel(); });
  self.connections_->begin_stop();
  for (const auto& listener : self.listeners_)
    listener->finish();
  if (self.expiry_) self.expiry_->stop();
  if (self.drain_) self.drain_->stop([&self] { self.progress_.cancel(); });
  co_await wait_until(self, &Server::peers_told, kReadPatience);
  self.connections_->tell_all();
  co_await wait_until(self, &Server::peers_gone, kWritePatience);
  self.connections_->close_all();
  co_await wait_until(self, &Server::drain_idle, kDrainPatience);
  if (self.losses_) self.losses_->last_look();
  self.io_.stop();
}

// What had no receipt yet is lost if the disk takes nothing at all any more.
void Server::end_journal() {
  journal_->stop();
  const std::uint64_t lost = journal_->pending_bytes();
  if (lost == 0 || exit_ != Exit::kDone) return;
  log::write(log::Level::kError, "unwritten-at-stop", log::Fields().add("bytes", lost));
  tell_failure(options_, "the disk is full: " + std::to_string(lost) +
                             " bytes of messages without receipt could not be stored; make room "
                             "before the next start.");
  exit_ = Exit::kFailed;
}

// In reverse. What peers and drain had in flight goes back to the router here, and from there into
// the last batch.
void Server::take_down() {
  control_.reset();
  listeners_.clear();
  connections_.reset();
  doorman_.reset();
  expiry_.reset();
  const bool abandoned =
      drain_ && drain_->end_worker(kWorkerPatience) == drain::WorkerEnd::kAbandoned;
  drain_.reset();
  monitor_.reset();
  if (journal_) end_journal();
  if (store_ && exit_ == Exit::kDone) store_->settle();
  ready_file_.remove();
  losses_.reset();
  clock_.reset();
  router_.reset();
  journal_.reset();
  store_.reset();
  if (!abandoned) return;
  // A transaction that hangs in the database: not acknowledged, so it is stored after the next
  // start.
  log::write(log::Level::kWarning, "worker-left-behind");
  log::stop();
  std::_Exit(static_cast<int>(exit_));
}

Exit build_and_run(const options::Options& options, const OnReady& on_ready) {
  raise_descriptor_limit();
  Server server(options, on_ready);
  if (const auto status = server.start(); !status) {
    tell_failure(options, status.error().text);
    return Exit::kFailed;
  }
  return server.run();
}

}  // namespace

int run_server(const options::Options& options, const OnReady& on_ready) {
  return run_logged(options, [&] { return build_and_run(options, on_ready); });
}

}  // namespace stompbox
