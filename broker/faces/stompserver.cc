#include "broker/faces/stompserver.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "broker/faces/old_queue.h"
#include "broker/faces/paths.h"
#include "broker/faces/stompserver_yaml.h"
#include "broker/faces/whole_file.h"
#include "broker/options/options_file.h"
#include "broker/options/options_table.h"

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::string_view kUsualFile = "stompserver.conf";

std::string_view name_of(Dialect dialect) {
  return dialect == Dialect::kStompserver ? "stompserver" : "stompserver_ng";
}

Answer failure(Dialect dialect, const Error& error) {
  return {std::string(name_of(dialect)) + ": " + error.text + "\n", 1};
}

std::string usage(Dialect dialect) {
  return "Usage: " + std::string(name_of(dialect)) + " [options]\n" +
         describe_switches(switch_rows(dialect)) +
         "This is stompbox in the place of StompServer. 'stompbox --help' tells of the rest.\n";
}

// From the words to a Plan: each step needs the one before it.
class Planning {
 public:
  Planning(Dialect dialect, const std::string& current_folder)
      : dialect_(dialect), current_folder_(current_folder) {}

  Status read_files(const CommandWords& words);
  Status take_switches(const CommandWords& words);
  storage::Result<Plan> make_plan();

 private:
  enum class Absent : std::uint8_t { kIsFine, kIsTold };

  Status read_file(const std::string& path, Absent absent);
  void warn(std::string text) { tell(Notice::Weight::kWarning, std::move(text)); }
  void tell(Notice::Weight weight, std::string text) {
    plan_.notices.push_back({weight, std::move(text)});
  }
  [[nodiscard]] bool is_kept() const;
  void plan_places();
  void plan_process();
  void plan_access();
  void tell_of_ignored();
  Status plan_log();
  Status set_option(std::string_view key, const std::string& text);
  [[nodiscard]] std::string in_working_folder(std::string_view path) const {
    return path_in(working_folder_, path);
  }
  [[nodiscard]] std::string storage_folder() const { return in_working_folder(settings_.storage); }
  [[nodiscard]] std::string log_folder() const { return in_working_folder(settings_.logdir); }
  [[nodiscard]] std::string etc_folder() const { return in_working_folder(settings_.etcdir); }

  const Dialect dialect_;
  const std::string current_folder_;
  StompserverSettings settings_;
  std::string working_folder_;
  Plan plan_;
};

Status Planning::read_files(const CommandWords& words) {
  const auto rows = switch_rows(dialect_);
  const auto named =
      std::find_if(words.switches.rbegin(), words.switches.rend(),
                   [rows](const GivenSwitch& given) { return rows[given.row].name == "config"; });
  const std::string usual = path_in(current_folder_, kUsualFile);
  if (auto status = read_file(usual, Absent::kIsFine); !status) return status;
  if (named == words.switches.rend()) return storage::kOk;
  const std::string path = path_in(current_folder_, named->value);
  return path == usual ? Status(storage::kOk) : read_file(path, Absent::kIsTold);
}

Status Planning::read_file(const std::string& path, Absent absent) {
  const auto text = read_whole_file(path, kFileBytesMax);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    if (absent == Absent::kIsTold) warn("there is no configuration file " + path);
    return storage::kOk;
  }
  if (!text) return text.error();
  std::vector<std::string> warnings;
  if (auto status = apply_yaml(settings_, *text, path, warnings); !status) return status;
  for (std::string& warning : warnings)
    warn(std::move(warning));
  return storage::kOk;
}

Status Planning::take_switches(const CommandWords& words) {
  const auto rows = switch_rows(dialect_);
  for (const GivenSwitch& given : words.switches) {
    const SwitchRow& row = rows[given.row];
    const std::string text = row.placeholder.empty() ? "true" : given.value;
    if (auto status = set_setting(settings_, *find_setting(key_of(row)), text); !status) {
      return Error{ErrorCode::kInvalid,
                   "invalid argument: " + given.written + " " + status.error().text};
    }
  }
  for (const std::string& other : words.others)
    warn("the word '" + other + "' on the command line is no option, it is ignored");
  return storage::kOk;
}

bool Planning::is_kept() const {
  constexpr std::array<std::string_view, 3> kKept = {"file", "dbm", "activerecord"};
  return std::find(kKept.begin(), kKept.end(), settings_.queue) != kKept.end();
}

void Planning::plan_places() {
  options::Options& options = plan_.options;
  options.ephemeral = !is_kept();
  options.catalog_store = settings_.catalog_store;
  options.control_socket = settings_.control_socket;
  if (options.ephemeral) return;
  // A folder of our own in the old one: what stands there stays as it is.
  options.data_folder = path_in(storage_folder(), "stompbox");
  plan_.old_storage = storage_folder();
}

void Planning::plan_process() {
  ProcessPlan& process = plan_.process;
  process.ground = settings_.daemon ? Ground::kBackground : Ground::kForeground;
  process.folders = {working_folder_, log_folder(), etc_folder()};
  if (is_kept()) process.folders.push_back(storage_folder());
  process.working_folder = working_folder_;
  process.pid_file = path_in(log_folder(), settings_.pidfile);
  process.output_file = path_in(log_folder(), settings_.logfile);
  process.user = settings_.user;
  process.group = settings_.group;
}

// A host in the file or on the command line counts as asked for, whoever can reach it.
void Planning::plan_access() {
  access::AccessOptions& access = plan_.options.access;
  if (settings_.auth) {
    access.plain_users_file = path_in(etc_folder(), ".passwd");
    access.plain_users_format = access::PlainUsersFormat::kStompServer;
  } else if (!is_loopback(settings_.host)) {
    access.anonymous_from_anywhere = true;
    warn("other machines can reach " + settings_.host +
         " and nobody is asked for a passcode: -a asks for it");
  }
}

void Planning::tell_of_ignored() {
  constexpr auto kInfo = Notice::Weight::kInfo;
  if (settings_.checkpoint > 0) {
    tell(kInfo, "checkpoint has no effect: a receipt always means that the message is kept");
  }
  if (settings_.session_cache > 0) tell(kInfo, "session_cache has no effect");
  if (!settings_.dbyml.empty()) tell(kInfo, "dbyml has no effect");
  std::error_code ignored;
  const std::string database = path_in(etc_folder(), "stompserver_development");
  if (settings_.queue == "activerecord" && std::filesystem::exists(database, ignored)) {
    warn("the messages in " + database + " are not taken over: let the old server empty them");
  }
}

// The dialect's own words; `error` of stompserver_ng is its default and would hide our warnings.
Status Planning::plan_log() {
  std::string level = settings_.log_level;
  if (level == "warn" || level == "error" || (level.empty() && dialect_ == Dialect::kStompserverNg))
    level = "warning";
  if (level != "debug" && level != "info" && level != "warning") level = "info";
  if (settings_.debug) level = "debug";
  if (settings_.daemon) plan_.options.log.file = plan_.process.output_file;
  return set_option("log.level", level);
}

Status Planning::set_option(std::string_view key, const std::string& text) {
  const options::Row* const row = options::find_row(key);
  if (auto status = options::set_field(row->field, plan_.options, {{text}}); !status) {
    return Error{ErrorCode::kInvalid,
                 std::string(options::name_of(*row)) + " " + status.error().text};
  }
  return storage::kOk;
}

storage::Result<Plan> Planning::make_plan() {
  working_folder_ = path_in(current_folder_, settings_.working_dir);
  plan_places();
  plan_process();
  plan_access();
  tell_of_ignored();
  if (auto status = plan_log(); !status) return status.error();
  if (auto status = set_option("routing.profile", "stompserver"); !status) return status.error();
  const bool counts_exceptions = dialect_ == Dialect::kStompserverNg && is_kept();
  std::string fields = settings_.monitor_fields;
  if (fields.empty()) fields = counts_exceptions ? "exceptions" : "standard";
  if (auto status = set_option("routing.monitor_fields", fields); !status) return status.error();
  const auto listener = listener_url(settings_.host, settings_.port);
  if (!listener) return listener.error();
  plan_.options.listen = {*listener};
  if (!settings_.stompbox_config.empty()) {
    const std::string path = path_in(current_folder_, settings_.stompbox_config);
    if (auto status = options::apply_file(plan_.options, path); !status) return status.error();
  }
  if (auto status = options::check(plan_.options); !status) return status.error();
  return std::move(plan_);
}

}  // namespace

Outcome plan_stompserver(Dialect dialect, std::span<const std::string> words,
                         const std::string& current_folder) {
  const auto rows = switch_rows(dialect);
  const auto read = read_command_words(rows, words);
  if (!read) return failure(dialect, read.error());
  const bool help =
      std::any_of(read->switches.begin(), read->switches.end(),
                  [rows](const GivenSwitch& given) { return rows[given.row].name == "help"; });
  if (help) return Answer{usage(dialect), 0};
  Planning planning(dialect, current_folder);
  if (auto status = planning.read_files(*read); !status) return failure(dialect, status.error());
  if (auto status = planning.take_switches(*read); !status) {
    return failure(dialect, status.error());
  }
  auto plan = planning.make_plan();
  if (!plan) return failure(dialect, plan.error());
  return std::move(*plan);
}

}  // namespace stompbox::faces
