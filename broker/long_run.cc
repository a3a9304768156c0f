#include "broker/long_run.h"

#include <malloc.h>

#include <exception>

#include "broker/log/log.h"
#include "broker/ready_file.h"

namespace stompbox {
namespace {

// Each heap keeps what a burst has taken. One for each of half a dozen threads is a fifth more
// memory at the peak of a load of catalogs, and no speed.
constexpr int kHeapsMax = 2;

Exit run_caught(const options::Options& options, const std::function<Exit()>& work) {
  try {
    return work();
  } catch (const std::exception& bug) {
    tell_failure(options, std::string("internal failure: ") + bug.what());
    return Exit::kFailed;
  }
}

}  // namespace

void tell_failure(const options::Options& options, const std::string& sentence) {
  print_error("stompbox: " + sentence);
  if (options.log.on_standard_error()) return;
  log::write(log::Level::kError, "failed", log::Fields().add("error", sentence));
}

int run_logged(const options::Options& options, const std::function<Exit()>& work) {
  static_cast<void>(::mallopt(M_ARENA_MAX, kHeapsMax));
  if (const auto error = log::start(options.log)) {
    print_error("stompbox: the log file " + options.log.file +
                " cannot be opened: " + error.message());
    return static_cast<int>(Exit::kFailed);
  }
  const Exit end = run_caught(options, work);
  if (end == Exit::kDone) {
    log::write(log::Level::kInfo, "stopped", log::Fields().add("lost_lines", log::lost_lines()));
  }
  log::stop();
  return static_cast<int>(end);
}

}  // namespace stompbox
