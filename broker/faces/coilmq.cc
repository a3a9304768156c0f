#include "broker/faces/coilmq.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "broker/faces/command_words.h"
#include "broker/faces/ini.h"
#include "broker/faces/paths.h"
#include "broker/faces/whole_file.h"
#include "broker/options/options_table.h"

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr int kMisuse = 2;  // as its command line library has it

// Everything CoilMQ can be told here; texts as they were written.
struct Settings {
  std::string config;
  std::string host = "127.0.0.1";
  std::string port = "61613";
  std::string log_file;
  std::string user;
  std::string group;
  std::string pid_file;
  std::string mask;
  std::string run_folder = "/";
  std::string store = "coilmq.store.memory.MemoryQueue";
  std::string store_folder;
  std::string auth;
  std::string auth_file;
  std::string data_folder;  // ours
  bool debug = false;
  bool daemon = false;
};

using Member = std::string Settings::*;

struct SwitchMember {
  std::string_view name;
  Member member;
};

constexpr std::array<SwitchRow, 12> kSwitches = {{
    {'c', "config", "FILE", "Configuration file"},
    {'b', "host", "ADDR", "Address to listen on [127.0.0.1]"},
    {'p', "port", "PORT", "Port to listen on [61613]"},
    {'l', "logfile", "FILE", "Log file [standard error]"},
    {'\0', "debug", "", "Tell more in the log"},
    {'d', "daemon", "", "Run in the background"},
    {'u', "uid", "USER", "User to become, name or number"},
    {'g', "gid", "GROUP", "Group to become, name or number"},
    {'\0', "pidfile", "FILE", "Pid file of a daemon"},
    {'\0', "umask", "MASK", "File mask of a daemon, octal"},
    {'\0', "rundir", "DIR", "Folder of a daemon [/]"},
    {'\0', "help", "", "Show this"},
}};

constexpr std::array<SwitchMember, 9> kSwitchMembers = {{
    {"config", &Settings::config},
    {"host", &Settings::host},
    {"port", &Settings::port},
    {"logfile", &Settings::log_file},
    {"uid", &Settings::user},
    {"gid", &Settings::group},
    {"pidfile", &Settings::pid_file},
    {"umask", &Settings::mask},
    {"rundir", &Settings::run_folder},
}};

constexpr std::array<SwitchMember, 7> kFileMembers = {{
    {"listen_addr", &Settings::host},
    {"listen_port", &Settings::port},
    {"qstore.factory", &Settings::store},
    {"qstore.dbm.data_dir", &Settings::store_folder},
    {"auth.factory", &Settings::auth},
    {"auth.simple.file", &Settings::auth_file},
    {"stompbox.data_dir", &Settings::data_folder},
}};

// Known, and without effect here.
constexpr std::array<std::string_view, 9> kIgnored = {
    "debug.stats_poll_interval",
    "qstore.dbm.checkpoint_operations",
    "qstore.dbm.checkpoint_timeout",
    "qstore.sqlalchemy.url",
    "qstore.sqlalchemy.echo",
    "qstore.sqlalchemy.pool_recycle",
    "scheduler.subscriber_priority_factory",
    "scheduler.queue_priority_factory",
    "auth.simple.case_sensitive",
};

template <std::size_t Count>
std::optional<Member> member_of(const std::array<SwitchMember, Count>& table,
                                std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const SwitchMember& row) { return row.name == name; });
  if (found == table.end()) return std::nullopt;
  return found->member;
}

std::optional<std::uint32_t> to_number(std::string_view text, int base) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error invalid(std::string sentence) {
  return {ErrorCode::kInvalid, std::move(sentence)};
}

class Planning {
 public:
  explicit Planning(const std::string& current_folder) : current_folder_(current_folder) {}

  Status read_file(const CommandWords& words);
  Status take_switches(const CommandWords& words);
  storage::Result<Plan> make_plan();

 private:
  void warn(std::string text) {
    plan_.notices.push_back({Notice::Weight::kWarning, std::move(text)});
  }
  void take_section(const std::map<std::string, std::string>& section, const std::string& path);
  Status plan_store();
  Status plan_access();
  Status plan_process();
  Status plan_rest();
  Status set_option(std::string_view key, const std::string& text);
  [[nodiscard]] std::string full_path(std::string_view path) const {
    return path_in(current_folder_, path);
  }

  const std::string current_folder_;
  Settings settings_;
  Plan plan_;
};

Status Planning::read_file(const CommandWords& words) {
  const auto named =
      std::find_if(words.switches.rbegin(), words.switches.rend(),
                   [](const GivenSwitch& given) { return kSwitches[given.row].name == "config"; });
  if (named == words.switches.rend()) return storage::kOk;
  const std::string path = full_path(named->value);
  const auto text = read_whole_file(path, kFileBytesMax);
  if (!text) return text.error();
  const auto file = read_ini(*text, path);
  if (!file) return file.error();
  const auto section = file->find("coilmq");
  if (section == file->end()) return invalid(path + " has no section [coilmq]");
  take_section(section->second, path);
  if (file->contains("loggers"))
    warn(path + ": the logging sections have no effect: -l and --debug do");
  return storage::kOk;
}

void Planning::take_section(const std::map<std::string, std::string>& section,
                            const std::string& path) {
  for (const auto& [key, value] : section) {
    if (const auto member = member_of(kFileMembers, key)) {
      settings_.*(*member) = value;
    } else if (std::find(kIgnored.begin(), kIgnored.end(), key) == kIgnored.end()) {
      warn(path + ": there is no key " + key + ", it is ignored");
    }
  }
}

Status Planning::take_switches(const CommandWords& words) {
  for (const GivenSwitch& given : words.switches) {
    const std::string_view name = kSwitches[given.row].name;
    if (const auto member = member_of(kSwitchMembers, name)) settings_.*(*member) = given.value;
    if (name == "debug") settings_.debug = true;
    if (name == "daemon") settings_.daemon = true;
  }
  if (words.others.empty()) return storage::kOk;
  return invalid("unexpected argument: " + words.others.front());
}

// Only the store in memory forgets; what the others stand for is ours on the disk.
Status Planning::plan_store() {
  options::Options& options = plan_.options;
  options.catalog_store = "none";
  options.ephemeral = settings_.store.find("memory") != std::string::npos;
  if (options.ephemeral) return storage::kOk;
  std::string folder = settings_.data_folder;
  if (folder.empty() && !settings_.store_folder.empty()) {
    folder = path_in(settings_.store_folder, "stompbox");
  }
  if (folder.empty()) {
    return invalid("the queues of " + settings_.store +
                   " need a folder here: name it with stompbox.data_dir in [coilmq]");
  }
  options.data_folder = full_path(folder);
  warn("messages of CoilMQ's own stores are not taken over: let it empty them");
  return storage::kOk;
}

Status Planning::plan_access() {
  access::AccessOptions& access = plan_.options.access;
  if (settings_.auth.empty()) {
    if (is_loopback(settings_.host)) return storage::kOk;
    access.anonymous_from_anywhere = true;
    warn(
        "other machines can reach " + settings_.host +
        " and nobody is asked for a passcode: auth.factory and auth.simple.file name a users file");
    return storage::kOk;
  }
  if (settings_.auth.find("simple") == std::string::npos) {
    return invalid("there is no auth.factory " + settings_.auth +
                   " here: coilmq.auth.simple:make_simple, or a users file of stompbox's own");
  }
  if (settings_.auth_file.empty()) {
    return invalid("auth.factory " + settings_.auth +
                   " asks for passcodes, and auth.simple.file names no users file");
  }
  access.plain_users_file = full_path(settings_.auth_file);
  access.plain_users_format = access::PlainUsersFormat::kCoilmq;
  return storage::kOk;
}

// User, group, mask, pid file and folder are a daemon's only.
Status Planning::plan_process() {
  if (!settings_.daemon) return storage::kOk;
  ProcessPlan& process = plan_.process;
  process.ground = Ground::kBackground;
  process.working_folder = full_path(settings_.run_folder);
  process.user = settings_.user;
  process.group = settings_.group;
  if (!settings_.pid_file.empty()) process.pid_file = full_path(settings_.pid_file);
  if (!settings_.log_file.empty()) process.output_file = full_path(settings_.log_file);
  if (settings_.mask.empty()) return storage::kOk;
  constexpr std::uint32_t kMaskMax = 0777;
  process.file_mask = to_number(settings_.mask, 8);
  if (!process.file_mask || *process.file_mask > kMaskMax) {
    return invalid("the umask is not an octal number: " + settings_.mask);
  }
  return storage::kOk;
}

Status Planning::plan_rest() {
  constexpr std::uint32_t kPortMax = 65535;
  const auto port = to_number(settings_.port, 10);
  if (!port || *port > kPortMax) return invalid("the port is not a number: " + settings_.port);
  const auto listener = listener_url(settings_.host, *port);
  if (!listener) return listener.error();
  plan_.options.listen = {*listener};
  if (!settings_.log_file.empty()) plan_.options.log.file = full_path(settings_.log_file);
  if (auto status = set_option("log.level", settings_.debug ? "debug" : "info"); !status) {
    return status;
  }
  // Its names and its window are StompServer's: /queue/ is a queue, all else topics, one at a time.
  return set_option("routing.profile", "stompserver");
}

Status Planning::set_option(std::string_view key, const std::string& text) {
  return options::set_field(options::find_row(key)->field, plan_.options, {{text}});
}

storage::Result<Plan> Planning::make_plan() {
  if (auto status = plan_store(); !status) return status.error();
  if (auto status = plan_access(); !status) return status.error();
  if (auto status = plan_process(); !status) return status.error();
  if (auto status = plan_rest(); !status) return status.error();
  if (auto status = options::check(plan_.options); !status) return status.error();
  return std::move(plan_);
}

Answer failure(const Error& error) {
  return {"coilmq: " + error.text + "\n", kMisuse};
}

}  // namespace

Outcome plan_coilmq(std::span<const std::string> words, const std::string& current_folder) {
  const auto read = read_command_words(kSwitches, words);
  if (!read) return failure(read.error());
  const bool help =
      std::any_of(read->switches.begin(), read->switches.end(),
                  [](const GivenSwitch& given) { return kSwitches[given.row].name == "help"; });
  if (help) {
    return Answer{"Usage: coilmq [OPTIONS]\n" + describe_switches(kSwitches) +
                      "This is stompbox in the place of CoilMQ. 'stompbox --help' tells of the "
                      "rest.\n",
                  0};
  }
  Planning planning(current_folder);
  if (auto status = planning.read_file(*read); !status) return failure(status.error());
  if (auto status = planning.take_switches(*read); !status) return failure(status.error());
  auto plan = planning.make_plan();
  if (!plan) return failure(plan.error());
  return std::move(*plan);
}

}  // namespace stompbox::faces
