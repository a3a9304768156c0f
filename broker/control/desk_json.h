#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/control/desk.h"
#include "broker/control/json.h"
#include "broker/control/letter_run.h"

// The desk's answers as JSON text: {"ok": {...}}. Times are milliseconds of UNIX time.
namespace stompbox::control {

struct StatusSources {
  ServerFacts server;
  routing::RouterFigures router;
  std::vector<routing::QueueFigures> queues;
  drain::DrainFigures drain;
  std::int64_t now_ms = 0;
};

[[nodiscard]] std::string status_answer(const StatusSources& sources);
[[nodiscard]] std::string queues_answer(const std::vector<routing::QueueFigures>& queues,
                                        std::int64_t now_ms);
// At most `body_bytes` of each body; the page ends early when the answer grows beyond 16 MiB.
[[nodiscard]] std::string browse_answer(const routing::BrowsePage& page, std::uint64_t body_bytes);
// The same of several queues, page after page: each message says in which queue it is. Keeps only
// what it writes.
class ListAnswer {
 public:
  explicit ListAnswer(std::uint64_t body_bytes);
  // Where it has to go on in that queue; nothing when the page is in and there is no more.
  [[nodiscard]] std::optional<queue::Place> add(const std::string& queue,
                                                const routing::BrowsePage& page);
  [[nodiscard]] std::uint64_t count() const { return count_; }  // messages so far
  // With `next` in the queue `next_queue`; nothing at the end. Nothing may be added after it.
  [[nodiscard]] std::string finish(const std::optional<queue::Place>& next,
                                   const std::string& next_queue);

 private:
  Json json_;
  const std::uint64_t body_bytes_;
  std::uint64_t count_ = 0;
};

[[nodiscard]] std::string letters_answer(const LetterOutcome& outcome);
[[nodiscard]] std::string newest_answer(const std::string& store, queue::MessageId newest);

}  // namespace stompbox::control
