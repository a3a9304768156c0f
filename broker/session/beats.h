#pragma once

#include <chrono>
#include <optional>

#include "protocol/heart_beat.h"

namespace stompbox::session {

// When a beat is owed to the peer and when its own are overdue (facts E1 to E9). Silent until
// agree().
class Beats {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void agree(const protocol::AgreedBeats& agreed, TimePoint now);
  // Bytes came in; any count (fact E4).
  void heard(TimePoint now);
  // Bytes went out, or a beat was put into the outbox.
  void wrote(TimePoint now);
  // While we do not read, the peer's silence is ours: its clock stands still.
  void stop_listening(TimePoint now);
  void listen(TimePoint now);

  [[nodiscard]] bool beat_is_due(TimePoint now) const;
  [[nodiscard]] bool peer_is_overdue(TimePoint now) const;
  [[nodiscard]] std::optional<TimePoint> next_event() const;

 private:
  [[nodiscard]] std::optional<TimePoint> next_beat() const;
  [[nodiscard]] std::optional<TimePoint> peer_deadline() const;

  protocol::AgreedBeats agreed_;
  TimePoint last_heard_;
  TimePoint last_wrote_;
  std::optional<TimePoint> deaf_since_;
};

}  // namespace stompbox::session
