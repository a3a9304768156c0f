#include "broker/drain_stage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <asio/post.hpp>

#include "broker/log/log.h"
#include "broker/net/connections.h"

namespace stompbox {
namespace {

// What the last process left; a file that cannot be read is told, and counts as none.
drain::CrashLedger load_ledger(const DrainStage::Parts& parts) {
  const std::string& path = parts.ledger_path;
  drain::CrashLedger ledger =
      path.empty() ? drain::CrashLedger()
                   : drain::CrashLedger(path, parts.store_identity, parts.drain.ledger_keys);
  if (const auto status = ledger.load(); !status) {
    log::write(log::Level::kWarning, "crash-ledger-unreadable",
               log::Fields().add("error", status.error().text));
  }
  return ledger;
}

drain::Suspects suspects_of(const drain::CrashLedger& ledger) {
  drain::Suspects suspects;
  std::uint64_t most_exits = 0;
  for (const auto& [message, exits] : ledger.suspects()) {
    suspects.emplace(message, exits);
    most_exits = std::max(most_exits, std::uint64_t{exits});
  }
  if (!suspects.empty()) {
    log::write(log::Level::kWarning, "drain-suspects",
               log::Fields()
                   .add("messages", std::uint64_t{suspects.size()})
                   .add("most_unclean_exits", most_exits));
  }
  return suspects;
}

}  // namespace

template <typename SourceOrRouter>
DrainStage::DrainStage(asio::io_context& io, SourceOrRouter& source, const Parts& parts,
                       drain::CrashLedger ledger)
    : io_(io),
      alarm_(io, [this] { after_event(); }),
      warning_lines_(100, std::chrono::seconds(10)),
      pool_(make_pool(*this, parts, ledger)),
      drain_(
          source, *pool_, *this, parts.drain,
          [this] { asio::post(io_, [this] { after_event(); }); }, suspects_of(ledger)) {}

DrainStage::DrainStage(asio::io_context& io, routing::Router& router, const Parts& parts)
    : DrainStage(io, router, parts, load_ledger(parts)) {}

DrainStage::DrainStage(asio::io_context& io, drain::Source& source, const Parts& parts)
    : DrainStage(io, source, parts, load_ledger(parts)) {}

DrainStage::~DrainStage() = default;

std::unique_ptr<drain::WorkerPool> DrainStage::make_pool(DrainStage& self, const Parts& parts,
                                                         drain::CrashLedger ledger) {
  asio::io_context& io = self.io_;
  drain::WorkerReports reports;
  reports.opened = [&self, &io](storage::Status status) {
    asio::post(io, [&self, status = std::move(status)] { self.on_opened(status); });
  };
  reports.round_done = [&self, &io](drain::RoundResult result) {
    asio::post(io, [&self, result = std::move(result)]() mutable {
      self.on_round_done(std::move(result));
    });
  };
  reports.ledger_failed = [](const storage::Error& error) {
    log::write(log::Level::kWarning, "crash-ledger-failed", log::Fields().add("error", error.text));
  };
  const auto counts = drain::worker_counts(parts.drain.workers, catalog::writers_max(parts.place));
  drain::WorkerOptions options;
  options.read = parts.drain.read;
  options.chunk = drain::chunk_of(parts.drain.window_bytes);
  options.store_identity = parts.store_identity;
  options.workers = counts.workers;
  options.writers = counts.writers;
  if (counts.workers > 1) {
    log::write(log::Level::kInfo, "drain-workers",
               log::Fields()
                   .add("workers", std::uint64_t{counts.workers})
                   .add("of_them_save", std::uint64_t{counts.writers}));
  }
  return std::make_unique<drain::WorkerPool>(
      [place = parts.place] { return catalog::make_catalog_store(place); }, std::move(ledger),
      std::move(options), std::move(reports));
}

void DrainStage::start(std::function<void(const storage::Status&)> opened) {
  opened_ = std::move(opened);
  pool_->start();
  const session::Now now = net::clock_now();
  drain_.start(now.steady, now.wall_ms);
  alarm_.set(drain_.next_event());
}

void DrainStage::on_opened(const storage::Status& status) {
  if (status) {
    log::write(log::Level::kInfo, "database-open",
               log::Fields().add("database", pool_->description()));
  } else {
    log::write(log::Level::kError, "database-unavailable",
               log::Fields().add("error", status.error().text));
  }
  if (const auto opened = std::exchange(opened_, nullptr)) opened(status);
}

void DrainStage::stop(std::function<void()> on_idle, Ending ending) {
  on_idle_ = std::move(on_idle);
  stopping_ = true;
  alarm_.set(std::nullopt);
  drain_.stop();
  pool_->expect_end();
  if (ending == Ending::kSoon) pool_->wind_up();
  if (drain_.idle()) on_idle_();
}

drain::WorkerEnd DrainStage::end_worker(std::chrono::milliseconds patience) {
  return pool_->stop(patience);
}

void DrainStage::on_round_done(drain::RoundResult result) {
  const session::Now now = net::clock_now();
  drain_.on_round_done(std::move(result), now.steady, now.wall_ms);
  if (stopping_) {
    if (drain_.idle()) on_idle_();
    return;
  }
  alarm_.set(drain_.next_event());
}

// A delivery came, or time has passed.
void DrainStage::after_event() {
  if (stopping_) return;
  const session::Now now = net::clock_now();
  drain_.on_wake(now.steady, now.wall_ms);
  const auto next = drain_.next_event();
  if (next && *next <= now.steady) drain_.on_time(now.steady);
  alarm_.set(drain_.next_event());
}

void DrainStage::on_warning(const std::string& node, const std::string& warning) {
  const auto left_out = warning_lines_.next(std::chrono::steady_clock::now());
  if (!left_out) return;
  log::Fields fields;
  fields.add("node", node).add("warning", warning);
  if (*left_out > 0) fields.add("more_before", *left_out);
  log::write(log::Level::kWarning, "catalog-warning", fields);
}

void DrainStage::on_dead_letter(const std::string& node, queue::MessageId message,
                                const std::string& reason) {
  log::write(log::Level::kError, "dead-letter",
             log::Fields().add("node", node).add("message", message.value).add("reason", reason));
}

void DrainStage::on_trouble(const std::string& reason, std::chrono::milliseconds retry_in) {
  log::write(log::Level::kError, "database-trouble",
             log::Fields().add("error", reason).add("retry_ms", std::int64_t{retry_in.count()}));
}

void DrainStage::on_recovery() {
  log::write(log::Level::kInfo, "database-recovered");
}

void DrainStage::on_competition(const std::string& queue) {
  log::write(log::Level::kWarning, "drain-competition",
             log::Fields()
                 .add("queue", queue)
                 .add("warning",
                      "somebody else takes from this queue too: an earlier catalog of a node may "
                      "overwrite a later one"));
}

}  // namespace stompbox
