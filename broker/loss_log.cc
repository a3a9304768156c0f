#include "broker/loss_log.h"

#include <system_error>
#include <utility>

#include "broker/log/log.h"

namespace stompbox {
namespace {

constexpr std::chrono::seconds kLook{1};
constexpr std::chrono::seconds kTell{10};

}  // namespace

LossLog::LossLog(asio::io_context& io, const routing::Router& router)
    : router_(router), timer_(io) {
  arm();
}

void LossLog::arm() {
  timer_.expires_after(kLook);
  timer_.async_wait([this](std::error_code cancelled) {
    if (!cancelled) look();
  });
}

void LossLog::look() {
  tell_all();
  arm();
}

void LossLog::last_look() {
  timer_.cancel();
  for (Told* told : {&topics_, &queues_, &letters_})
    told->silent_until = {};
  tell_all();
}

void LossLog::tell_all() {
  const routing::RouterFigures figures = router_.figures();
  tell(topics_, figures.topic_dropped);
  tell(queues_, figures.queue_dropped);
  tell(letters_, figures.dead_letters_dropped);
}

void LossLog::tell(Told& told, std::uint64_t total) {
  const auto now = Clock::now();
  if (total == told.total || now < told.silent_until) return;
  told.silent_until = now + kTell;
  const std::uint64_t before = std::exchange(told.total, total);
  log::write(log::Level::kWarning, told.event,
             log::Fields().add("count", total - before).add("since_start", total));
}

}  // namespace stompbox
