#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace stompbox::catalog {

// When the write lock may be taken again. Masters have no busy timeout: what meets our lock fails
// at once (rule 15). So as long as others write,
//
//   - the lock stays free three times as long as it was held: a write meets it one time in four,
//   - a burst of theirs (a fact save is a hundred small transactions) is let through: we wait for a
//     moment of silence, though not for ever.
//
// Without WAL a master's reads fail too while we commit: there its reading counts as writing does,
// our patience is three times as long, and half the silence is enough, for each lock is seen.
// Nobody is waited for when nobody else was there for a while. Pure: the time is handed in.
class SqliteCourtesy {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Stops { kWriters, kReadersToo };  // whom our lock stops

  SqliteCourtesy(std::chrono::milliseconds lock_max, Stops stops)
      : silence_(stops == Stops::kReadersToo ? 25 : 50),
        patience_(std::min<Clock::duration>((stops == Stops::kReadersToo ? 60 : 20) * lock_max,
                                            std::chrono::seconds(3))) {}

  // Commits of others were found, or that they are about where that matters.
  void note_others(Clock::time_point now) { others_at_ = now; }
  void note_held(Clock::time_point from, Clock::time_point until);
  // We want the lock, from now on.
  void ask(Clock::time_point now) { asked_at_ = now; }
  // How long yet to keep away from it; zero or less: not at all.
  [[nodiscard]] Clock::duration wait_left(Clock::time_point now) const;

 private:
  const std::chrono::milliseconds silence_;  // after which a burst of others is over
  const Clock::duration patience_;           // with bursts
  std::optional<Clock::time_point> others_at_;
  Clock::time_point asked_at_;
  Clock::time_point free_until_;
};

}  // namespace stompbox::catalog
