#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

#include <spdlog/sinks/base_sink.h>

namespace stompbox::log {

// Where lines go: a file that is appended to, or standard error. One write a line, so that lines of
// several processes do not mix; a line that is not taken whole is lost and counted.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // An empty path is standard error. Null with an error.
  [[nodiscard]] static std::shared_ptr<FileSink> open(const std::string& path,
                                                      std::error_code& error);
  ~FileSink() override;

  // Any thread. Asks for the file to be opened anew before the next line.
  void ask_reopen() { reopen_asked_ = true; }
  [[nodiscard]] std::uint64_t lost_lines() const { return lost_lines_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  FileSink(std::string path, int descriptor);
  void open_anew();

  const std::string path_;
  std::atomic<bool> reopen_asked_ = false;
  std::atomic<std::uint64_t> lost_lines_ = 0;
  int descriptor_;  // the log's thread only
};

}  // namespace stompbox::log
