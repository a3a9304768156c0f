#include "broker/faces/puppetqd.h"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "broker/faces/paths.h"
#include "broker/faces/puppetqd_conf.h"
#include "broker/faces/puppetqd_words.h"
#include "broker/faces/whole_file.h"
#include "broker/options/options_file.h"
#include "stompbox_version.h"

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

constexpr std::size_t kConfBytesMax = 1024 * 1024;
constexpr int kFailed = 1;

constexpr const char* kHelp =
    "Usage: puppetqd [-d|--debug] [-v|--verbose] [-V|--version] [-h|--help]\n"
    "                [-l|--logdest DEST] [--no-daemonize] [--SETTING VALUE]...\n\n"
    "Stores the catalogs that wait at the broker of queue_source in the database of storeconfigs.\n"
    "Reads puppet.conf: sections [puppetqd], [user] and [main].\n"
    "  -d, --debug          Tell more in the log\n"
    "  -v, --verbose        Tell what happens, which is told without it, too\n"
    "  -l, --logdest DEST   syslog, console, or a file [syslog; in the foreground with -d or -v\n"
    "                       console]\n"
    "      --no-daemonize   Stay in the foreground\n"
    "Settings that count: queue_source queue_type dbadapter dblocation dbname dbserver dbport\n"
    "dbsocket dbuser dbpassword thin_storeconfigs pidfile daemonize user group syslogfacility, "
    "and\n"
    "the folders config confdir vardir statedir rundir logdir.\n"
    "stompbox_config = FILE names a file of ours, read last, which wins: for drain.forget_after "
    "and\n"
    "all that puppet.conf has no word for. ('stompbox config sample' prints one.)\n"
    "This is stompbox in the place of puppetqd. 'stompbox drain --help' tells of the rest.\n";

const std::set<std::string>& database_settings() {
  static const std::set<std::string> names = {
      "queue_source", "queue_type", "dbadapter", "dblocation", "dbname",           "dbserver",
      "dbport",       "dbsocket",   "dbuser",    "dbpassword", "thin_storeconfigs"};
  return names;
}

PuppetSettings::Values defaults_of(const PuppetUser& user) {
  const std::string conf = user.root ? "/etc/puppet" : user.home + "/.puppet";
  const std::string var = user.root ? "/var/lib/puppet" : user.home + "/.puppet/var";
  return {{"name", "puppetqd"},
          {"confdir", conf},
          {"vardir", var},
          {"config", "$confdir/puppet.conf"},
          {"statedir", "$vardir/state"},
          {"rundir", "$vardir/run"},
          {"logdir", "$vardir/log"},
          {"pidfile", "$rundir/$name.pid"},
          {"daemonize", "true"},
          {"syslogfacility", "daemon"},
          {"queue_type", "stomp"},
          {"queue_source", "stomp://localhost:61613/"},
          {"dbadapter", "sqlite3"},
          {"dblocation", "$statedir/clientconfigs.sqlite3"},
          {"dbname", "puppet"},
          {"dbserver", "localhost"},
          {"dbport", ""},
          {"dbsocket", ""},
          {"dbuser", "puppet"},
          {"dbpassword", "puppet"},
          {"thin_storeconfigs", "false"},
          {"user", "puppet"},
          {"group", "puppet"}};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

Error invalid(std::string sentence) {
  return {ErrorCode::kInvalid, std::move(sentence)};
}

class Planning {
 public:
  Planning(PuppetqdWords words, const std::string& current_folder, const PuppetUser& user)
      : words_(std::move(words)),
        current_folder_(current_folder),
        user_(user),
        settings_(defaults_of(user), words_.settings) {}

  storage::Result<Plan> make() {
    plan_.service = Service::kDrain;
    if (auto status = read_conf(); !status) return status.error();
    warn_of_hidden();
    for (const auto step :
         {&Planning::plan_source, &Planning::plan_database, &Planning::plan_process,
          &Planning::plan_log, &Planning::take_our_file}) {
      if (auto status = (this->*step)(); !status) return status.error();
    }
    if (auto status = options::check(plan_.options); !status) return status.error();
    return std::move(plan_);
  }

 private:
  Status read_conf();
  void warn_of_hidden();
  Status plan_source();
  Status plan_database();
  Status plan_sqlite();
  Status plan_mysql();
  Status plan_process();
  Status plan_log();
  Status plan_syslog();
  Status take_our_file();

  // The first failure is kept, so that many values can be asked for in a row.
  std::string value(std::string_view name) {
    auto found = settings_.value(name);
    if (!found && fault_) return {};
    if (!found) fault_ = Error{found.error().code, std::string(name) + ": " + found.error().text};
    return found ? *found : std::string();
  }
  bool is_true(std::string_view name) { return value(name) == "true"; }
  std::string path(std::string_view name) { return path_in(current_folder_, value(name)); }
  [[nodiscard]] Status so_far() const { return fault_ ? Status(*fault_) : Status(storage::kOk); }
  void warn(std::string text) {
    plan_.notices.push_back({Notice::Weight::kWarning, std::move(text)});
  }

  const PuppetqdWords words_;
  const std::string current_folder_;
  const PuppetUser user_;
  PuppetSettings settings_;
  std::optional<Error> fault_;
  Plan plan_;
};

// Without a file all is as Puppet has it by default, unless the file was named.
Status Planning::read_conf() {
  const std::string file = path("config");
  if (fault_) return *fault_;
  const auto text = read_whole_file(file, kConfBytesMax);
  if (!text && text.error().code == ErrorCode::kNotFound && !settings_.is_set("config")) {
    warn("there is no " + file + ": Puppet's defaults hold");
    return storage::kOk;
  }
  if (!text) return text.error();
  auto conf = read_puppet_conf(*text, file);
  if (!conf) return conf.error();
  settings_.take_conf(std::move(*conf));
  return storage::kOk;
}

void Planning::warn_of_hidden() {
  for (const std::string_view section : {"master", "puppetmasterd", "server"}) {
    std::string names;
    for (const std::string& name : settings_.hidden_in(section, database_settings()))
      names += (names.empty() ? "" : ", ") + name;
    if (names.empty()) continue;
    warn("puppetqd does not read [" + std::string(section) + "] of puppet.conf, where " + names +
         " is set: put database and queue settings into [main]");
  }
}

Status Planning::plan_source() {
  const std::string type = value("queue_type");
  if (type != "stomp") return invalid("queue_type " + type + " is not known here: stomp is");
  std::string source = value("queue_source");
  constexpr std::string_view kScheme = "stomp://";
  if (!source.starts_with(kScheme)) {
    return invalid("queue_source is no STOMP URL: it looks like stomp://localhost:61613/");
  }
  std::string_view rest = std::string_view(source).substr(kScheme.size());
  drain::SourceOptions& options = plan_.options.source;
  // Puppet decodes nothing here (facts 1.2).
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = rest.substr(0, at);
    const std::size_t colon = login.find(':');
    options.user = login.substr(0, colon);
    if (colon != std::string_view::npos) options.passcode = login.substr(colon + 1);
    rest.remove_prefix(at + 1);
  }
  options.url =
      std::string(kScheme) + std::string(rest.substr(0, rest.find('/'))) + "/queue/catalog";
  return so_far();
}

Status Planning::plan_database() {
  plan_.options.sqlite.thin = is_true("thin_storeconfigs");
  const std::string adapter = value("dbadapter");
  if (adapter == "sqlite3") return plan_sqlite();
  if (adapter == "mysql" || adapter == "mysql2") return plan_mysql();
  return invalid("dbadapter " + adapter +
                 " is not supported here: the databases are sqlite3, mysql and mysql2");
}

// The file is the masters' too: theirs when root makes it, as Puppet does.
Status Planning::plan_sqlite() {
  const std::string file = path("dblocation");
  plan_.options.catalog_store = "sqlite:" + file;
  plan_.options.sqlite.mode = 0660;
  plan_.options.sqlite.lock_max = std::chrono::milliseconds{50};
  const std::string owner = value("user"), group = value("group");
  if (user_.root && ::getpwnam(owner.c_str()) != nullptr) {
    plan_.options.sqlite.owner = owner;
    plan_.options.sqlite.group = group;
  }
  return so_far();
}

Status Planning::plan_mysql() {
  const std::string port = value("dbport");
  std::string store = "mysql://" + percent_encoded(value("dbuser")) + "@";
  const std::string host = value("dbserver");
  store += host.find(':') == std::string::npos ? percent_encoded(host) : "[" + host + "]";
  if (!port.empty()) store += ":" + port;
  store += "/" + percent_encoded(value("dbname"));
  if (const std::string socket = value("dbsocket"); !socket.empty()) {
    store += "?socket=" + percent_encoded(socket);
  }
  plan_.options.catalog_store = store;
  plan_.database_password = value("dbpassword");
  return so_far();
}

Status Planning::plan_process() {
  options::Options& options = plan_.options;
  options.data_folder = path("statedir") + "/stompbox";
  ProcessPlan& process = plan_.process;
  process.folders = {path("vardir"), path("statedir")};
  if (!is_true("daemonize")) return so_far();
  process.ground = Ground::kBackground;
  process.working_folder = "/";
  process.pid_file = path("pidfile");
  process.folders.push_back(std::filesystem::path(process.pid_file).parent_path().string());
  return so_far();
}

// As puppetqd does (facts 6.2): where it is told to, else to the console when somebody wants to
// read along there, else to the system's log.
Status Planning::plan_log() {
  log::LogOptions& log = plan_.options.log;
  log.level = words_.debug ? log::Level::kDebug : log::Level::kInfo;
  const std::string& wanted = words_.log_destination;
  const bool in_background = plan_.process.ground == Ground::kBackground;
  if (!wanted.empty() && wanted != "console" && wanted != "syslog") {
    log.file = path_in(current_folder_, wanted);
    return so_far();
  }
  const bool reads_along = wanted.empty() && (words_.debug || words_.verbose);
  if ((wanted == "console" || reads_along) && !in_background) return so_far();
  if (wanted == "console") warn("a daemon has no console: the log goes to the system's");
  return plan_syslog();
}

// Puppet takes a file where there is none, too.
Status Planning::plan_syslog() {
  if (user_.syslog) {
    const std::string facility = value("syslogfacility");
    if (!log::is_syslog_facility(facility)) {
      return invalid("syslogfacility " + facility + " is none: daemon or local0 are, for instance");
    }
    plan_.options.log.syslog = log::SyslogOptions{value("name"), facility, nullptr};
    return so_far();
  }
  warn("this machine has no system log: the log goes to a file");
  plan_.options.log.file = path("logdir") + "/puppetqd.log";
  plan_.process.folders.push_back(path("logdir"));
  return so_far();
}

// For what Puppet has no setting for.
Status Planning::take_our_file() {
  if (!settings_.is_set("stompbox_config")) return so_far();
  const std::string file = path("stompbox_config");
  if (auto status = options::apply_file(plan_.options, file); !status) return status;
  if (!plan_.options.log.file.empty()) plan_.options.log.syslog.reset();
  return so_far();
}

Answer failure(const Error& error) {
  return {"puppetqd: " + error.text + "\n", kFailed};
}

}  // namespace

PuppetUser this_user() {
  PuppetUser user;
  user.root = ::geteuid() == 0;
  std::error_code ignored;
  user.syslog = std::filesystem::is_socket("/dev/log", ignored);
  const char* const home = std::getenv("HOME");
  const passwd* const entry = ::getpwuid(::geteuid());
  user.home = home != nullptr ? home : entry != nullptr ? entry->pw_dir : "/";
  return user;
}

Outcome plan_puppetqd(std::span<const std::string> words, const std::string& current_folder,
                      const PuppetUser& user) {
  auto read = read_puppetqd_words(words);
  if (!read) return failure(read.error());
  if (read->asked == PuppetqdWords::Asked::kHelp) return Answer{kHelp, 0};
  if (read->asked == PuppetqdWords::Asked::kVersion) {
    return Answer{"stompbox " STOMPBOX_VERSION "\n", 0};
  }
  auto plan = Planning(std::move(*read), current_folder, user).make();
  if (!plan) return failure(plan.error());
  return std::move(*plan);
}

}  // namespace stompbox::faces
