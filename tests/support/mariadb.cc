#include "tests/support/mariadb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mysql.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>

namespace stompbox::support {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{60};

// No test takes the power away, and many make tables.
constexpr const char* kUnsynced[] = {"--debug-no-sync", "--innodb-flush-method=nosync"};

[[noreturn]] void give_up(const std::string& why, const std::string& log) {
  std::ifstream file(log);
  std::stringstream text;
  text << file.rdbuf();
  std::cerr << "mariadbd: " << why << "\n" << text.str() << std::endl;
  std::abort();
}

// Its output goes to the end of the file.
pid_t spawn(const std::vector<std::string>& command, const std::string& output) {
  const pid_t process = ::fork();
  if (process != 0) return process;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(file, 1);
  ::dup2(file, 2);
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

MariadbServer::MariadbServer(std::vector<std::string> options)
    : socket_(folder_.file("socket")), options_(std::move(options)) {
  install();
  start();
}

MariadbServer::~MariadbServer() {
  if (process_ != 0) end(SIGKILL);
}

void MariadbServer::install() {
  std::vector<std::string> words = {"mariadb-install-db",
                                    "--no-defaults",
                                    "--datadir=" + folder_.file("data"),
                                    "--auth-root-authentication-method=normal",
                                    "--skip-test-db",
                                    "--skip-name-resolve",
                                    "--innodb-log-file-size=16M"};
  words.insert(words.end(), std::begin(kUnsynced), std::end(kUnsynced));
  if (::geteuid() == 0) words.push_back("--user=root");
  const std::string log = folder_.file("install.log");
  int state = 0;
  ::waitpid(spawn(words, log), &state, 0);
  if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) give_up("cannot be installed", log);
}

std::vector<std::string> MariadbServer::command() const {
  std::vector<std::string> words = {"mariadbd",
                                    "--no-defaults",
                                    "--datadir=" + folder_.file("data"),
                                    "--socket=" + socket_,
                                    "--pid-file=" + folder_.file("pid"),
                                    "--log-error=" + folder_.file("log"),
                                    "--tmpdir=" + folder_.path(),
                                    "--skip-name-resolve",
                                    "--innodb-buffer-pool-size=128M",
                                    "--innodb-log-file-size=16M"};
  words.insert(words.end(), std::begin(kUnsynced), std::end(kUnsynced));
  if (::geteuid() == 0) words.push_back("--user=root");
  const bool listens = std::ranges::any_of(
      options_, [](const std::string& word) { return word.starts_with("--port="); });
  words.push_back(listens ? "--bind-address=127.0.0.1" : "--skip-networking");
  words.insert(words.end(), options_.begin(), options_.end());
  return words;
}

bool MariadbServer::answers() const {
  MYSQL* const connection = mysql_init(nullptr);
  const bool connected = mysql_real_connect(connection, "localhost", "root", "", nullptr, 0,
                                            socket_.c_str(), 0) != nullptr;
  mysql_close(connection);
  return connected;
}

void MariadbServer::start() {
  process_ = spawn(command(), folder_.file("output"));
  const auto deadline = Clock::now() + kPatience;
  while (!answers()) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) give_up("has ended", folder_.file("log"));
    if (Clock::now() > deadline) give_up("does not answer", folder_.file("log"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void MariadbServer::stop() {
  end(SIGTERM);
}

void MariadbServer::kill() {
  end(SIGKILL);
}

void MariadbServer::end(int signal) {
  ::kill(process_, signal);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

MariadbClient::MariadbClient(const MariadbServer& server, const std::string& database,
                             const std::string& charset)
    : raw_(mysql_init(nullptr)) {
  mysql_optionsv(raw_, MYSQL_SET_CHARSET_NAME, charset.c_str());
  if (mysql_real_connect(raw_, "localhost", "root", "",
                         database.empty() ? nullptr : database.c_str(), 0, server.socket().c_str(),
                         CLIENT_MULTI_STATEMENTS) == nullptr) {
    fail("the connection");
  }
}

MariadbClient::~MariadbClient() {
  mysql_close(raw_);
}

void MariadbClient::fail(const std::string& what) {
  std::cerr << what << ": " << mysql_error(raw_) << std::endl;
  std::abort();
}

unsigned MariadbClient::try_run(const std::string& statements) {
  if (mysql_query(raw_, statements.c_str()) != 0) return mysql_errno(raw_);
  int more = 0;
  do {
    if (MYSQL_RES* const rows = mysql_store_result(raw_); rows != nullptr) mysql_free_result(rows);
    more = mysql_next_result(raw_);
  } while (more == 0);
  return more > 0 ? mysql_errno(raw_) : 0;
}

void MariadbClient::run(const std::string& statements) {
  if (try_run(statements) != 0) fail(statements);
}

std::vector<MariadbClient::Row> MariadbClient::rows(const std::string& query) {
  MYSQL_RES* const result =
      mysql_query(raw_, query.c_str()) == 0 ? mysql_store_result(raw_) : nullptr;
  if (result == nullptr) fail(query);
  std::vector<Row> found;
  while (MYSQL_ROW cells = mysql_fetch_row(result)) {
    const unsigned long* const bytes = mysql_fetch_lengths(result);
    Row& row = found.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
      row.emplace_back(cells[i] == nullptr ? std::nullopt
                                           : std::optional(std::string(cells[i], bytes[i])));
    }
  }
  mysql_free_result(result);
  return found;
}

std::string MariadbClient::cell(const std::string& query) {
  const auto found = rows(query);
  if (found.size() != 1) fail(query + " has " + std::to_string(found.size()) + " rows");
  return found[0].at(0).value_or("NULL");
}

std::uint64_t MariadbClient::id() const {
  return mysql_thread_id(raw_);
}

std::uint16_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, plain, size) != 0 || ::getsockname(listener, plain, &size) != 0) {
    std::abort();
  }
  ::close(listener);
  return ntohs(address.sin_port);
}

}  // namespace stompbox::support
