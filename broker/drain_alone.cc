#include "broker/drain_alone.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "broker/control/control.h"
#include "broker/control/desk_json.h"
#include "broker/control/json.h"
#include "broker/control/request.h"
#include "broker/expiry.h"
#include "broker/folder_lock.h"
#include "broker/log/log.h"
#include "broker/long_run.h"
#include "broker/net/asio_support.h"
#include "broker/net/connections.h"
#include "broker/ready_file.h"
#include "broker/source_plan.h"
#include "broker/stomp_link.h"
#include "stompbox_version.h"

namespace stompbox {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectPatience{10'000};
// At the stop: for the round under way, for the broker's word that it knows our last ACK, for the
// workers' threads.
constexpr milliseconds kRoundPatience{20'000};
constexpr milliseconds kFarewellPatience{5'000};
constexpr milliseconds kWorkerPatience{1'000};
// At the start: for the database; it may be locked, and the drain waits for it as long as it takes.
constexpr milliseconds kDatabasePatience{1'000};
constexpr std::chrono::minutes kFiguresEvery{1};

// Owns everything, built in the order of the members and destroyed in reverse. The loop's thread.
class Alone final : private SourceObserver {
 public:
  Alone(const options::Options& options, const OnReady& on_ready, SourcePlan plan);
  ~Alone() override;
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

  [[nodiscard]] storage::Status start();
  [[nodiscard]] Exit run();

 private:
  void await_signals();
  void await_reload();
  [[nodiscard]] storage::Status open_control();
  void begin_expiry();
  static asio::awaitable<void> become_ready(Alone& self);
  void tell_ready();
  static asio::awaitable<void> tell_figures(Alone& self);
  static asio::awaitable<void> stop_in_order(Alone& self);
  static asio::awaitable<void> wait_until(Alone& self, bool (Alone::*reached)() const,
                                          milliseconds patience);
  [[nodiscard]] bool database_tried() const { return database_tried_; }
  [[nodiscard]] bool round_done() const { return stage_.idle(); }
  [[nodiscard]] bool has_left() const { return source_.has_left(); }
  void fail(const std::string& sentence);

  [[nodiscard]] std::string database() const;
  [[nodiscard]] std::string source_state() const;
  [[nodiscard]] std::string answer(std::string_view request);

  // SourceObserver: lines in the log
  void on_source_open(const client::BrokerUrl& broker,
                      const client::Dialogue::Opened& opened) override;
  void on_source_lost(const client::BrokerUrl& broker, const storage::Error& why,
                      milliseconds retry_in) override;
  void on_handed_back(std::size_t messages) override;

  const options::Options& options_;
  const OnReady& on_ready_;
  const SourcePlan plan_;
  const std::int64_t started_ms_ = net::clock_now().wall_ms;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{io_.get_executor()};
  asio::signal_set end_signals_{io_};
  asio::signal_set reload_signal_{io_};
  asio::steady_timer progress_{io_};  // cancelled when wait_until() should look again
  asio::steady_timer figures_timer_{io_};

  bool database_tried_ = false;
  bool stopping_ = false;
  Exit exit_ = Exit::kDone;
  ReadyFile ready_file_;

  FolderLock folder_;
  StompSource source_;
  DrainStage stage_;
  StompLink link_;
  std::unique_ptr<Expiry> expiry_;              // null: no node is forgotten by itself
  std::unique_ptr<control::ControlDoor> door_;  // null: no control socket
};

Alone::Alone(const options::Options& options, const OnReady& on_ready, SourcePlan plan)
    : options_(options),
      on_ready_(on_ready),
      plan_(std::move(plan)),
      source_(plan_.source, *this,
              [this] {
                asio::post(io_, [this] {
                  link_.settle();
                  if (stopping_) progress_.cancel();
                });
              }),
      stage_(io_, source_, plan_.stage),
      link_(io_, source_, plan_.trust, kConnectPatience) {}

Alone::~Alone() {
  door_.reset();
  expiry_.reset();
  if (stage_.end_worker(kWorkerPatience) != drain::WorkerEnd::kAbandoned) return;
  // A transaction that hangs in the database: not acknowledged, so somebody stores it later.
  log::write(log::Level::kWarning, "worker-left-behind");
  log::stop();
  std::_Exit(static_cast<int>(exit_));
}

storage::Status Alone::start() {
  await_signals();
  const std::string socket = options::control_socket_path(options_);
  if (!options_.ephemeral) {
    if (auto status = make_data_folder(options_.data_folder, std::nullopt); !status) return status;
    if (auto status = folder_.take(options_.data_folder, socket); !status) return status;
  }
  if (auto status = open_control(); !status) return status;
  stage_.start([this](const storage::Status&) {
    database_tried_ = true;
    progress_.cancel();
  });
  link_.settle();
  begin_expiry();
  net::spawn(io_, become_ready(*this));
  net::spawn(io_, tell_figures(*this));
  return storage::kOk;
}

storage::Status Alone::open_control() {
  const std::string path = options::control_socket_path(options_);
  if (path.empty()) return storage::kOk;
  door_ = std::make_unique<control::ControlDoor>(
      io_, path,
      [this](std::string_view request, const control::Answer& give) { give(answer(request)); });
  return door_->open();
}

// Several drains at one database may all do it: each looks again before it forgets.
void Alone::begin_expiry() {
  if (options_.drain.forget_after.count() == 0) return;
  const std::string watch = options_.ephemeral ? "" : options_.data_folder + "/expiry-watch";
  expiry_ = std::make_unique<Expiry>(io_, plan_.stage.place, options_.drain.forget_after, watch);
  expiry_->start();
}

void Alone::await_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  end_signals_.add(SIGINT);
  end_signals_.add(SIGTERM);
  reload_signal_.add(SIGHUP);
  end_signals_.async_wait([this](std::error_code cancelled, int number) {
    if (cancelled) return;
    log::write(log::Level::kInfo, "stopping", log::Fields().add("signal", std::int64_t{number}));
    end_signals_.clear();  // another one ends the process at once
    net::spawn(io_, stop_in_order(*this));
  });
  await_reload();
}

void Alone::await_reload() {
  reload_signal_.async_wait([this](std::error_code cancelled, int) {
    if (cancelled) return;
    log::reopen();
    log::write(log::Level::kInfo, "reloaded");
    await_reload();
  });
}

asio::awaitable<void> Alone::become_ready(Alone& self) {
  co_await wait_until(self, &Alone::database_tried, kDatabasePatience);
  if (!self.stopping_) self.tell_ready();
}

void Alone::tell_ready() {
  const std::string source = to_text(plan_.url);
  if (!options_.ready_file.empty()) {
    if (const auto status = ready_file_.write(options_.ready_file, {source}); !status) {
      return fail(status.error().text);
    }
  }
  if (on_ready_) {
    if (const auto status = on_ready_(); !status) return fail(status.error().text);
  }
  print_line("stompbox drain ready: source " + source + ", database " + database());
  log::write(log::Level::kInfo, "ready",
             log::Fields()
                 .add("source", source)
                 .add("facts", plan_.stage.drain.facts_queue)
                 .add("database", database())
                 .add("ms", net::clock_now().wall_ms - started_ms_));
}

void Alone::fail(const std::string& sentence) {
  tell_failure(options_, sentence);
  exit_ = Exit::kFailed;
  io_.stop();
}

Exit Alone::run() {
  io_.run();
  ready_file_.remove();
  return exit_;
}

// A line a minute while anything happens.
asio::awaitable<void> Alone::tell_figures(Alone& self) {
  SourceFigures told;
  for (;;) {
    self.figures_timer_.expires_after(kFiguresEvery);
    const auto [cancelled] = co_await self.figures_timer_.async_wait(net::as_result);
    if (cancelled) co_return;
    const SourceFigures source = self.source_.figures();
    const bool news = source.received != told.received || source.acknowledged != told.acknowledged;
    told = source;
    if (!news && source.held == 0) continue;
    const drain::DrainFigures drained = self.stage_.drain().figures();
    log::write(log::Level::kInfo, "drain-figures",
               log::Fields()
                   .add("received", source.received)
                   .add("acknowledged", source.acknowledged)
                   .add("held", std::uint64_t{source.held})
                   .add("stored", drained.stored)
                   .add("unchanged", drained.unchanged)
                   .add("superseded", drained.superseded)
                   .add("facts_stored", drained.facts_stored)
                   .add("dead_lettered", drained.dead_lettered)
                   .add("retries", drained.retries));
  }
}

asio::awaitable<void> Alone::wait_until(Alone& self, bool (Alone::*reached)() const,
                                        milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!(self.*reached)() && std::chrono::steady_clock::now() < deadline) {
    self.progress_.expires_at(deadline);
    co_await self.progress_.async_wait(net::as_result);
  }
}

// Nothing more is taken; what is being stored is finished and acknowledged; then we say goodbye and
// wait for the answer, so that the last ACK is not lost.
asio::awaitable<void> Alone::stop_in_order(Alone& self) {
  self.stopping_ = true;
  self.figures_timer_.cancel();
  if (self.expiry_) self.expiry_->stop();
  if (self.door_) self.door_->close();
  const auto on_idle = [&self] { self.progress_.cancel(); };
  self.stage_.stop(on_idle, DrainStage::Ending::kAfterRound);
  co_await wait_until(self, &Alone::round_done, kRoundPatience);
  self.source_.leave();
  self.link_.settle();
  co_await wait_until(self, &Alone::has_left, kFarewellPatience);
  if (!self.has_left()) log::write(log::Level::kWarning, "source-gives-no-farewell");
  self.io_.stop();
}

std::string Alone::database() const {
  const std::string text = stage_.description();
  return text.empty() ? to_text(plan_.stage.place) + " (not open yet)" : text;
}

std::string Alone::source_state() const {
  const SourceFigures figures = source_.figures();
  const std::string server = figures.server.empty() ? "" : " (" + figures.server + ")";
  return to_text(plan_.url) + (figures.connected ? ", connected" + server : ", not connected");
}

std::string Alone::answer(std::string_view request) {
  const auto asked = control::Request::parse(request);
  if (!asked) return control::error_answer(asked.error().text);
  if (asked->verb() != "status") {
    return control::error_answer(
        "this is a drain by itself, which has no queues: it knows the "
        "verb status only");
  }
  control::StatusSources sources;
  sources.now_ms = net::clock_now().wall_ms;
  sources.drain = stage_.drain().figures();
  sources.server.started_ms = started_ms_;
  sources.server.version = STOMPBOX_VERSION;
  sources.server.data_folder = options_.ephemeral ? "" : options_.data_folder;
  sources.server.store_description = source_state();
  sources.server.catalog_description = database();
  sources.server.mode = "drain";
  sources.server.catalog_queue = plan_.url.destination;
  routing::QueueFigures queue;
  queue.name = plan_.url.destination;
  queue.in_flight = source_.figures().held;
  sources.queues.push_back(std::move(queue));
  return control::status_answer(sources);
}

void Alone::on_source_open(const client::BrokerUrl& broker,
                           const client::Dialogue::Opened& opened) {
  log::write(log::Level::kInfo, "source-connected",
             log::Fields()
                 .add("broker", to_text(broker))
                 .add("version", protocol::to_text(opened.version))
                 .add("server", opened.server));
}

void Alone::on_source_lost(const client::BrokerUrl& broker, const storage::Error& why,
                           milliseconds retry_in) {
  log::write(log::Level::kWarning, "source-lost",
             log::Fields()
                 .add("broker", to_text(broker))
                 .add("error", why.text)
                 .add("retry_ms", std::int64_t{retry_in.count()}));
}

void Alone::on_handed_back(std::size_t messages) {
  log::write(log::Level::kWarning, "source-handed-back",
             log::Fields()
                 .add("messages", std::uint64_t{messages})
                 .add("why", "the database is in trouble: others may take them"));
}

Exit build_and_run(const options::Options& options, const OnReady& on_ready) {
  auto plan = plan_source(options);
  if (!plan) {
    tell_failure(options, plan.error().text);
    return plan.error().code == storage::ErrorCode::kInvalid ? Exit::kMisuse : Exit::kFailed;
  }
  Alone alone(options, on_ready, std::move(*plan));
  if (const auto status = alone.start(); !status) {
    tell_failure(options, status.error().text);
    return Exit::kFailed;
  }
  return alone.run();
}

}  // namespace

int run_drain(const options::Options& options, const OnReady& on_ready) {
  return run_logged(options, [&] { return build_and_run(options, on_ready); });
}

}  // namespace stompbox
