#include "broker/serve_as.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <variant>

#include "broker/drain_alone.h"
#include "broker/faces/process.h"
#include "broker/log/log.h"
#include "broker/net/connections.h"
#include "broker/ready_file.h"
#include "broker/server.h"
#include "broker/stompserver_import.h"

namespace stompbox {
namespace {

using storage::Status;

constexpr int kFailed = 1;

int fail(faces::Face face, const storage::Error& error) {
  print_error(std::string(faces::to_text(face)) + ": " + error.text);
  return kFailed;
}

int give(const faces::Answer& answer) {
  // Both end the last line themselves.
  const std::string_view text = std::string_view(answer.text).substr(0, answer.text.size() - 1);
  if (answer.exit_code == 0) print_line(text);
  if (answer.exit_code != 0) print_error(text);
  return answer.exit_code;
}

Status prepare(const faces::ProcessPlan& process) {
  if (auto status = faces::become(process.user, process.group); !status) return status;
  if (process.file_mask) ::umask(static_cast<mode_t>(*process.file_mask));
  return faces::make_folders(process.folders);
}

void tell_import(const Import& import, const std::string& old_storage) {
  using enum Import::Result;
  log::Fields fields;
  fields.add("folder", old_storage);
  for (const std::string& skipped : import.skipped)
    log::write(log::Level::kError, "old-message-skipped", log::Fields().add("error", skipped));
  switch (import.result) {
    case kNothing: return;
    case kDone:
      fields.add("queues", import.queue_count).add("messages", import.message_count);
      log::write(log::Level::kWarning, "old-queues-taken-over", fields);
      return;
    case kEarlier: log::write(log::Level::kInfo, "old-queues-taken-over-earlier", fields); return;
    case kChanged:
      fields.add("warning", "StompServer has run here since: what it has is not taken over again");
      break;
    case kRefused:
      fields.add("warning", "these queues are not taken over: ours were there first");
      break;
  }
  log::write(log::Level::kWarning, "old-queues-left", fields);
}

// With a log of its own: the server starts and stops its log itself.
Status take_over(const faces::Plan& plan) {
  if (const auto error = log::start(plan.options.log)) {
    return storage::Error{storage::ErrorCode::kIo, "the log file " + plan.options.log.file +
                                                       " cannot be opened: " + error.message()};
  }
  for (const faces::Notice& notice : plan.notices) {
    const bool warns = notice.weight == faces::Notice::Weight::kWarning;
    log::write(warns ? log::Level::kWarning : log::Level::kInfo, "face",
               log::Fields().add(warns ? "warning" : "note", notice.text));
  }
  Status status = storage::kOk;
  if (!plan.old_storage.empty()) {
    const auto import = import_old_queues(plan.old_storage, plan.options, net::clock_now().wall_ms);
    if (import) tell_import(*import, plan.old_storage);
    if (!import) status = import.error();
  }
  log::stop();
  return status;
}

int serve(faces::Face face, const faces::Plan& plan) {
  const faces::ProcessPlan& process = plan.process;
  if (auto status = prepare(process); !status) return fail(face, status.error());
  std::optional<faces::Daemon> daemon;
  if (process.ground == faces::Ground::kBackground) {
    const auto split = faces::split_off(process);
    if (!split) return fail(face, split.error());
    if (!split->daemon) return split->exit_code;
    daemon = split->daemon;
  }
  if (auto status = take_over(plan); !status) return fail(face, status.error());
  if (!plan.database_password.empty()) {
    ::setenv("STOMPBOX_MYSQL_PASSWORD", plan.database_password.c_str(), 1);
  }
  const OnReady on_ready = [&process, &daemon]() -> Status {
    if (auto status = faces::write_pid_file(process.pid_file); !status) return status;
    if (daemon) daemon->tell_ready();
    return storage::kOk;
  };
  const int code = plan.service == faces::Service::kDrain ? run_drain(plan.options, on_ready)
                                                          : run_server(plan.options, on_ready);
  faces::remove_pid_file(process.pid_file);
  return code;
}

}  // namespace

int serve_as(faces::Face face, std::span<const std::string> words) {
  std::error_code fault;
  const std::string here = std::filesystem::current_path(fault).string();
  const faces::Outcome outcome = faces::plan(face, words, here);
  if (const auto* const answer = std::get_if<faces::Answer>(&outcome)) return give(*answer);
  return serve(face, std::get<faces::Plan>(outcome));
}

}  // namespace stompbox
