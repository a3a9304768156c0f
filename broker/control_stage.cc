#include "broker/control_stage.h"

#include <chrono>
#include <utility>

#include <asio/post.hpp>

#include "broker/net/connections.h"

namespace stompbox {

ControlStage::ControlStage(asio::io_context& io, const std::string& socket_path,
                           routing::Router& router, drain::Drain* drain,
                           std::function<control::ServerFacts()> facts)
    : io_(io),
      timer_(io),
      desk_(
          router, drain, std::move(facts), [] { return net::clock_now().wall_ms; },
          [this] { asio::post(io_, [this] { desk_.on_wake(); }); }),
      door_(io, socket_path, [this](std::string_view request, control::Answer answer) {
        desk_.handle(request, std::move(answer));
        tick_while_busy();
      }) {}

void ControlStage::close() {
  closed_ = true;
  timer_.cancel();
  door_.close();
}

void ControlStage::tick_while_busy() {
  if (ticking_ || closed_ || !desk_.busy()) return;
  ticking_ = true;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](std::error_code cancelled) {
    ticking_ = false;
    if (cancelled) return;
    desk_.on_tick();
    tick_while_busy();
  });
}

}  // namespace stompbox
