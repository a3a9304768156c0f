#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/verbs/output.h"
#include "broker/verbs/progress.h"
#include "storage/catalog/care/care_steps.h"

namespace stompbox::verbs {

// Tells on standard error how far the care of a database has come: on a terminal only, never beside
// JSON, only when it takes longer than half a second, and at most ten times a second. The line is
// gone afterwards.
class CareProgress final : public catalog::care::CareWatch {
 public:
  // `what` as in "checking".
  CareProgress(std::string what, Output output);
  ~CareProgress() override;
  CareProgress(const CareProgress&) = delete;
  CareProgress& operator=(const CareProgress&) = delete;

  // `all` 0: it is not known how much there is.
  void on_progress(std::string_view work, std::uint64_t done, std::uint64_t all) override;
  void rest(std::chrono::milliseconds time) override;

 private:
  using Clock = std::chrono::steady_clock;

  const Output output_;
  ProgressState state_;
  Clock::time_point begin_;  // of this kind of work
  Clock::time_point next_;   // when something is shown again
  bool shown_ = false;
};

}  // namespace stompbox::verbs
