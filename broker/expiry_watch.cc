#include "broker/expiry_watch.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace stompbox {

using std::chrono::seconds;
using std::chrono::sys_seconds;

ExpiryWatch carried_on(const std::optional<ExpiryWatch>& kept, sys_seconds newest,
                       seconds break_max) {
  const bool goes_on = kept && kept->last <= newest && newest - kept->last <= break_max;
  return {goes_on ? kept->since : newest, newest};
}

std::optional<ExpiryWatch> read_watch(const std::string& path) {
  std::ifstream file(path);
  std::int64_t since = 0, last = 0;
  if (!(file >> since >> last) || since < 0 || since > last) return std::nullopt;
  return ExpiryWatch{sys_seconds(seconds(since)), sys_seconds(seconds(last))};
}

storage::Status write_watch(const std::string& path, const ExpiryWatch& watch) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << watch.since.time_since_epoch().count() << ' ' << watch.last.time_since_epoch().count()
       << '\n';
  file.close();
  std::error_code fault;
  if (file) std::filesystem::rename(fresh, path, fault);
  if (file && !fault) return storage::kOk;
  return storage::Error{storage::ErrorCode::kIo, "the file " + path + " cannot be written"};
}

}  // namespace stompbox
