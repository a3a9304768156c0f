#include "broker/verbs/care_watch.h"

#include <poll.h>

#include <utility>

#include "broker/verbs/terminal.h"

namespace stompbox::verbs {
namespace {

constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kEach{100};

}  // namespace

CareProgress::CareProgress(std::string what, Output output)
    : output_(output), begin_(Clock::now()), next_(begin_ + kFirst) {
  state_.what = std::move(what);
}

CareProgress::~CareProgress() {
  if (shown_) tell_progress("");
}

void CareProgress::on_progress(std::string_view work, std::uint64_t done, std::uint64_t all) {
  if (output_ == Output::kJson) return;
  const auto now = Clock::now();
  if (work != state_.unit) {
    state_.unit = work;
    begin_ = now;
  }
  if (now < next_) return;
  next_ = now + kEach;
  shown_ = true;
  state_.done = done;
  state_.total = all;
  state_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begin_);
  tell_progress(progress_line(state_));
}

void CareProgress::rest(std::chrono::milliseconds time) {
  static_cast<void>(::poll(nullptr, 0, static_cast<int>(time.count())));
}

}  // namespace stompbox::verbs
