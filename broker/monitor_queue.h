#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "broker/options/options.h"
#include "broker/routing/router.h"

namespace stompbox {

// What StompServer told of its queues (fact 3.6): a block of `name: value` lines each, then an
// empty line; sorted by name. Empty if there are no queues. `enqueued` is never less than the rest,
// so that it stays a count for those who subtract, though it starts anew with the process.
[[nodiscard]] std::string monitor_report(std::vector<routing::QueueFigures> queues,
                                         options::MonitorFields fields, std::int64_t now_ms);

// Publishes that report to /queue/monitor, every five seconds and as soon as somebody listens. In
// profiles that have it the name stands for a topic: each subscriber gets each report, none is
// kept. Loop thread.
class MonitorQueue final : public routing::Consumer {
 public:
  // `io` and `router` outlive this; `io` is not run afterwards.
  MonitorQueue(asio::io_context& io, routing::Router& router, options::MonitorFields fields);
  ~MonitorQueue() override;
  MonitorQueue(const MonitorQueue&) = delete;
  MonitorQueue& operator=(const MonitorQueue&) = delete;

  // It subscribes to nothing and asks for no receipt.
  void deliver(const routing::Delivery&) override {}
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}

 private:
  void await_look();
  void look();
  void publish();

  routing::Router& router_;
  const options::MonitorFields fields_;
  const routing::PeerId peer_;
  asio::steady_timer timer_;
  bool has_listeners_ = false;
  std::int64_t next_report_ms_ = 0;
};

}  // namespace stompbox
