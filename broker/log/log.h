#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The one global: an asynchronous, bounded log. A stuck pipe loses lines (counted), not the broker.
// One line an event: `event key=value ...`; values with blanks are quoted. Never bodies or passcodes.
namespace stompbox::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogOptions {
  Level level = Level::kInfo;
  std::string file;  // empty: standard error
  std::size_t queue_lines_max = 8192;
};

void start(const LogOptions& options);
void stop();    // writes out what waits, at most a second
void reopen();  // after the file was rotated

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

void write(Level level, std::string_view event, const Fields& fields);
[[nodiscard]] bool enabled(Level level);
[[nodiscard]] std::uint64_t lost_lines();

}  // namespace stompbox::log
