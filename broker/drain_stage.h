#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <asio/io_context.hpp>

#include "broker/alarm.h"
#include "broker/drain/drain.h"
#include "broker/drain/worker_pool.h"
#include "broker/log/repeats.h"
#include "broker/routing/router.h"
#include "storage/catalog/catalog_place.h"
#include "storage/result.h"

namespace stompbox {

// The drain with its worker, its timer, and its lines in the log. Loop thread only.
class DrainStage final : private drain::DrainObserver {
 public:
  struct Parts {
    catalog::CatalogPlace place;
    drain::DrainOptions drain;
    std::string ledger_path;     // empty: none is kept
    std::string store_identity;  // of the queue store
  };

  // References outlive this; `io` is not run afterwards.
  DrainStage(asio::io_context& io, routing::Router& router, const Parts& parts);
  DrainStage(asio::io_context& io, drain::Source& source, const Parts& parts);
  ~DrainStage() override;
  DrainStage(const DrainStage&) = delete;
  DrainStage& operator=(const DrainStage&) = delete;

  // Opens the database on the worker's thread and takes what waits. `opened` is told once, on the
  // loop, how the first attempt went; storing begins by itself when a later one succeeds.
  void start(std::function<void(const storage::Status&)> opened);
  enum class Ending : std::uint8_t {
    kSoon,        // what is being saved is finished, the rest of the round goes back
    kAfterRound,  // the whole round is stored
  };
  // Takes nothing more. `on_idle` is called on the loop when no round is under way any more, now
  // or later.
  void stop(std::function<void()> on_idle, Ending ending = Ending::kSoon);
  [[nodiscard]] bool idle() const { return drain_.idle(); }
  // Ends the worker's thread; kAbandoned: it could not be waited for, and the process has to end
  // without destroying what the thread uses.
  [[nodiscard]] drain::WorkerEnd end_worker(std::chrono::milliseconds patience);

  [[nodiscard]] drain::Drain& drain() { return drain_; }
  [[nodiscard]] std::string description() const { return pool_->description(); }

 private:
  // `source`: a router or a drain::Source.
  template <typename SourceOrRouter>
  DrainStage(asio::io_context& io, SourceOrRouter& source, const Parts& parts,
             drain::CrashLedger ledger);
  static std::unique_ptr<drain::WorkerPool> make_pool(DrainStage& self, const Parts& parts,
                                                      drain::CrashLedger ledger);
  void on_opened(const storage::Status& status);
  void on_round_done(drain::RoundResult result);
  void after_event();

  // drain::DrainObserver: lines in the log
  void on_warning(const std::string& node, const std::string& warning) override;
  void on_dead_letter(const std::string& node, queue::MessageId message,
                      const std::string& reason) override;
  void on_trouble(const std::string& reason, std::chrono::milliseconds retry_in) override;
  void on_recovery() override;
  void on_competition(const std::string& queue) override;

  asio::io_context& io_;
  Alarm alarm_;
  std::function<void(const storage::Status&)> opened_;
  std::function<void()> on_idle_;
  bool stopping_ = false;
  log::Repeats warning_lines_;
  std::unique_ptr<drain::WorkerPool> pool_;
  drain::Drain drain_;
};

}  // namespace stompbox
