#include "broker/session/beats.h"

#include <algorithm>

namespace stompbox::session {
namespace {

using std::chrono::milliseconds;

// A peer may be late by its interval and this: its clock, the net, our own loop (fact E5).
constexpr milliseconds kMargin{1000};

}  // namespace

void Beats::agree(const protocol::AgreedBeats& agreed, TimePoint now) {
  agreed_ = agreed;
  last_heard_ = now;
  last_wrote_ = now;
}

void Beats::heard(TimePoint now) {
  last_heard_ = now;
}

void Beats::wrote(TimePoint now) {
  last_wrote_ = now;
}

void Beats::stop_listening(TimePoint now) {
  if (!deaf_since_) deaf_since_ = now;
}

void Beats::listen(TimePoint now) {
  if (!deaf_since_) return;
  last_heard_ += now - std::max(*deaf_since_, last_heard_);
  deaf_since_.reset();
}

bool Beats::beat_is_due(TimePoint now) const {
  const auto at = next_beat();
  return at && *at <= now;
}

bool Beats::peer_is_overdue(TimePoint now) const {
  const auto at = peer_deadline();
  return at && *at <= now;
}

std::optional<Beats::TimePoint> Beats::next_event() const {
  const auto beat = next_beat();
  const auto deadline = peer_deadline();
  if (!beat || !deadline) return beat ? beat : deadline;
  return std::min(*beat, *deadline);
}

std::optional<Beats::TimePoint> Beats::next_beat() const {
  if (agreed_.to_client.count() == 0) return std::nullopt;
  return last_wrote_ + std::max(agreed_.to_client / 2, milliseconds(1));
}

std::optional<Beats::TimePoint> Beats::peer_deadline() const {
  if (agreed_.from_client.count() == 0 || deaf_since_) return std::nullopt;
  return last_heard_ + 2 * agreed_.from_client + kMargin;
}

}  // namespace stompbox::session
