#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

// The one global: an asynchronous, bounded log. A stuck pipe loses lines (counted), not the broker.
// One line an event: `event key=value ...`; values with blanks are quoted. Never bodies or
// passcodes. Any thread may write; start, stop and reopen belong to the one that runs the process.
namespace stompbox::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

// The system's log instead of a file.
struct SyslogOptions {
  std::string name;                 // of the program, before each line
  std::string facility = "daemon";  // see is_syslog_facility()
  // In the system's place, on the log's thread: priority of syslog(3), and the line without its
  // end. Empty: the system.
  std::function<void(int, const std::string&)> write;
};

struct LogOptions {
  Level level = Level::kInfo;
  std::string file;  // empty: standard error
  std::size_t queue_lines_max = 2048;
  std::optional<SyslogOptions> syslog;  // then `file` says nothing

  [[nodiscard]] bool on_standard_error() const { return file.empty() && !syslog; }
};

[[nodiscard]] bool is_syslog_facility(std::string_view name);

// Fails when the file cannot be opened; what is written before start() or after stop() is dropped.
[[nodiscard]] std::error_code start(const LogOptions& options);
void stop();    // writes out what waits, at most a second
void reopen();  // after the file was rotated; if that fails, the old file is written on

// key=value pairs of one line.
class Fields {
 public:
  Fields& add(std::string_view key, std::string_view value);
  Fields& add(std::string_view key, std::int64_t value);
  Fields& add(std::string_view key, std::uint64_t value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void write(Level level, std::string_view event, const Fields& fields = {});
[[nodiscard]] bool enabled(Level level);
// Lines that found no room in the queue, or that the file did not take.
[[nodiscard]] std::uint64_t lost_lines();

}  // namespace stompbox::log
