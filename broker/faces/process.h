#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/faces/plan.h"
#include "storage/result.h"

// The ways of an old daemon: another user, folders, background, pid file. To be called from a
// process that has one thread only.
namespace stompbox::faces {

struct Split;

// Group, then user; nothing for what is empty or is so already. kDenied.
[[nodiscard]] storage::Status become(const std::string& user, const std::string& group);

// Those that are missing, one level each.
[[nodiscard]] storage::Status make_folders(const std::vector<std::string>& folders);

// The decimal number without a line feed, written whole; an old file is replaced.
[[nodiscard]] storage::Status write_pid_file(const std::string& path);
// If it still has our number.
void remove_pid_file(const std::string& path);

// A process that was split off into the background, with the one that waits for its word.
//
//   parent ── forks ──▶ child, session leader ── forks ──▶ daemon
//     │ waits                  ends at once                  │
//     │◀────────────── ready, or it has ended ───────────────┘
//   ends with 0 or 1
//
// Until the word is given, the daemon's standard error is the parent's: what goes wrong at the
// start is seen by who started it.
class Daemon {
 public:
  // From now on standard error goes where standard output goes. Once.
  void tell_ready();

 private:
  friend storage::Result<Split> split_off(const ProcessPlan& plan);
  explicit Daemon(int ready_pipe) : ready_pipe_(ready_pipe) {}
  int ready_pipe_;  // closed by the end of the process if not by tell_ready()
};

struct Split {
  std::optional<Daemon> daemon;  // nothing in the parent
  int exit_code = 0;             // what the parent has to end with, without doing anything else
};

// In the daemon, standard output goes to the plan's file, standard input is empty, and the current
// folder is the plan's. An error may come in either process: it is to be told, and the end.
[[nodiscard]] storage::Result<Split> split_off(const ProcessPlan& plan);

}  // namespace stompbox::faces
