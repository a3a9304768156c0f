#include "broker/log/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "broker/log/repeats.h"
#include "tests/support/test_folder.h"

namespace stompbox::log {
namespace {

using support::TestFolder;

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

LogOptions to_file(const std::string& path) {
  LogOptions options;
  options.file = path;
  return options;
}

TEST_CASE("a line is time, level, event and fields") {
  const TestFolder folder;
  REQUIRE_FALSE(start(to_file(folder.file("log"))));
  write(Level::kInfo, "ready", Fields().add("port", std::uint64_t{61613}).add("store", "x"));
  stop();
  const std::string line = read(folder.file("log"));
  CHECK(line.size() > 25);
  CHECK(line.substr(4, 1) == "-");
  CHECK(line.substr(23) == "Z info ready port=61613 store=x\n");
}

TEST_CASE("values that a peer chose stay within their line and quotes") {
  CHECK(Fields().add("a", "two words").text() == " a=\"two words\"");
  CHECK(Fields().add("a", "").text() == " a=\"\"");
  CHECK(Fields().add("a", "x\ninfo fake").text() == " a=\"x\\ninfo fake\"");
  CHECK(Fields().add("a", "\x1b[31m\r").text() == " a=\"\\x1b[31m\\x0d\"");
  CHECK(Fields().add("a", "q\"b\\").text() == " a=\"q\\\"b\\\\\"");
  CHECK(Fields().add("a", "k=v").text() == " a=\"k=v\"");
  CHECK(Fields().add("a", std::string(5000, 'x')).text().size() < 1100);
  CHECK(Fields().add("a", std::int64_t{-5}).text() == " a=-5");
}

TEST_CASE("lines below the level are not written") {
  const TestFolder folder;
  LogOptions options = to_file(folder.file("log"));
  options.level = Level::kWarning;
  REQUIRE_FALSE(start(options));
  CHECK_FALSE(enabled(Level::kInfo));
  CHECK(enabled(Level::kWarning));
  write(Level::kInfo, "quiet");
  write(Level::kError, "loud");
  stop();
  CHECK(read(folder.file("log")).find("quiet") == std::string::npos);
  CHECK(read(folder.file("log")).find(" error loud\n") != std::string::npos);
}

TEST_CASE("after the file was moved and reopened, lines go to the new one") {
  const TestFolder folder;
  REQUIRE_FALSE(start(to_file(folder.file("log"))));
  write(Level::kInfo, "before");
  stop();
  REQUIRE_FALSE(start(to_file(folder.file("log"))));
  std::filesystem::rename(folder.file("log"), folder.file("log.1"));
  reopen();
  write(Level::kInfo, "after");
  stop();
  CHECK(read(folder.file("log.1")).find("before") != std::string::npos);
  CHECK(read(folder.file("log.1")).find("after") == std::string::npos);
  CHECK(read(folder.file("log")).find("after") != std::string::npos);
}

TEST_CASE("the system's log gets the bare line, with the level as its priority") {
  std::vector<std::pair<int, std::string>> entries;
  LogOptions options;
  options.level = Level::kDebug;
  options.syslog = SyslogOptions{"puppetqd", "daemon", [&entries](int priority, const auto& line) {
                                   entries.emplace_back(priority, line);
                                 }};
  CHECK_FALSE(options.on_standard_error());
  REQUIRE_FALSE(start(options));
  write(Level::kDebug, "details");
  write(Level::kInfo, "ready", Fields().add("source", "mq 1"));
  write(Level::kWarning, "100%s sure");
  write(Level::kError, "failed");
  reopen();
  stop();
  using Entries = std::vector<std::pair<int, std::string>>;
  CHECK(entries == Entries{{LOG_DEBUG, "details"},
                           {LOG_INFO, "ready source=\"mq 1\""},
                           {LOG_WARNING, "100%s sure"},
                           {LOG_ERR, "failed"}});
}

TEST_CASE("a facility is one of syslog's names") {
  CHECK(is_syslog_facility("daemon"));
  CHECK(is_syslog_facility("local7"));
  CHECK_FALSE(is_syslog_facility("local8"));
  CHECK_FALSE(is_syslog_facility(""));
}

TEST_CASE("a log file that cannot be opened is an error at the start") {
  CHECK(start(to_file("/nowhere/at/all/log")) == std::errc::no_such_file_or_directory);
}

TEST_CASE("a stuck pipe loses lines, counted, and holds nobody up") {
  std::signal(SIGPIPE, SIG_IGN);  // as the broker does
  const TestFolder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  LogOptions options = to_file(pipe);
  options.queue_lines_max = 16;
  REQUIRE_FALSE(start(options));
  const std::uint64_t lost_before = lost_lines();
  const std::string much(1000, 'x');
  constexpr int kLines = 1000;  // more than pipe and queue hold together
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kLines; ++i)
    write(Level::kInfo, "flood", Fields().add("x", much));
  CHECK(lost_lines() > lost_before);
  stop();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(4));
  CHECK(lost_lines() > lost_before);
  ::close(reader);
}

TEST_CASE("repeats let a few through a period and tell how many they left out") {
  using std::chrono::seconds;
  Repeats repeats(2, seconds(10));
  const Repeats::TimePoint start = Repeats::TimePoint() + seconds(100);
  CHECK(repeats.next(start) == 0U);
  CHECK(repeats.next(start + seconds(1)) == 0U);
  CHECK_FALSE(repeats.next(start + seconds(2)).has_value());
  CHECK_FALSE(repeats.next(start + seconds(9)).has_value());
  CHECK(repeats.next(start + seconds(10)) == 2U);
  CHECK(repeats.next(start + seconds(11)) == 0U);
  CHECK_FALSE(repeats.next(start + seconds(19)).has_value());
}

}  // namespace
}  // namespace stompbox::log
