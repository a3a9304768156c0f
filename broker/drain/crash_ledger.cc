#include "broker/drain/crash_ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/catalog/reading/read_digest.h"

namespace stompbox::drain {
namespace {

constexpr std::string_view kTitle = "stompbox-crash-ledger 1 ";
constexpr std::string_view kUnderWay = "under-way ";
constexpr std::string_view kSuspect = "suspect ";
// What never comes again stays until newer ones push it out.
constexpr std::size_t kSuspectsMax = 1000;

storage::Error io_error(const std::string& what, const std::string& path, int error) {
  return {storage::ErrorCode::kIo,
          what + " " + path + ": " + std::generic_category().message(error)};
}

// Takes a number from the front of `text`, and the blank behind it; 0 if there is none.
std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

storage::Status write_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return io_error("cannot make", path, errno);
  const ssize_t written = ::write(file, text.data(), text.size());
  const int error = written < 0 ? errno : ENOSPC;
  ::close(file);
  if (written != static_cast<ssize_t>(text.size())) return io_error("cannot write", path, error);
  return storage::kOk;
}

}  // namespace

std::uint64_t ledger_key(const queue::Message& message, LedgerKeys keys) {
  if (keys == LedgerKeys::kMessageIds) return message.id.value;
  catalog::reading::ReadDigest digest;
  digest.add(message.body);
  const std::string bytes = digest.bytes();
  std::uint64_t key = 0;
  std::memcpy(&key, bytes.data(), sizeof key);
  return key == 0 ? 1 : key;
}

CrashLedger::CrashLedger(std::string path, std::string store_identity, LedgerKeys keys)
    : path_(std::move(path)), store_identity_(std::move(store_identity)), keys_(keys) {}

storage::Status CrashLedger::load() {
  if (path_.empty()) return storage::kOk;
  {
    std::ifstream file(path_);
    std::string line;
    if (!std::getline(file, line) || line != std::string(kTitle) + store_identity_) {
      return storage::kOk;
    }
    std::set<std::uint64_t> under_way;
    while (std::getline(file, line))
      read_line(line, under_way);
    if (keys_ == LedgerKeys::kBodies) {
      std::erase_if(suspects_, [&under_way](const auto& suspect) {
        return !under_way.contains(suspect.first);
      });
    }
  }
  forget_oldest();
  // As suspects on file, so that an exit before the next round is not held against them.
  return write({});
}

void CrashLedger::read_line(const std::string& line, std::set<std::uint64_t>& under_way) {
  std::string_view rest = line;
  if (rest.starts_with(kUnderWay)) {
    rest.remove_prefix(kUnderWay.size());
    if (const auto id = take_number(rest); id != 0 && under_way.insert(id).second) ++suspects_[id];
  } else if (rest.starts_with(kSuspect)) {
    rest.remove_prefix(kSuspect.size());
    const auto id = take_number(rest);
    if (id != 0) suspects_[id] += static_cast<unsigned>(take_number(rest));
  }
}

void CrashLedger::forget_oldest() {
  while (suspects_.size() > kSuspectsMax)
    suspects_.erase(suspects_.begin());
}

storage::Status CrashLedger::begin(const Round& round) {
  if (path_.empty() || ends_in_order_) return storage::kOk;
  for (const std::uint64_t key : round.cleared)
    suspects_.erase(key);
  std::vector<std::uint64_t> under_way;
  under_way.reserve(round.items.size());
  for (const RoundItem& item : round.items)
    under_way.push_back(ledger_key(*item.message, keys_));
  return write(under_way);
}

storage::Status CrashLedger::finish(const Round& round, const RoundResult& result) {
  if (path_.empty()) return storage::kOk;
  assert(round.items.size() == result.items.size());
  for (std::size_t i = 0; i < round.items.size() && !suspects_.empty(); ++i) {
    if (result.items[i].fate == ItemFate::kRetry) continue;
    suspects_.erase(ledger_key(*round.items[i].message, keys_));
  }
  return write({});
}

storage::Status CrashLedger::end_in_order() {
  ends_in_order_ = true;
  return path_.empty() ? storage::kOk : write({});
}

storage::Status CrashLedger::write(const std::vector<std::uint64_t>& under_way) const {
  if (under_way.empty() && suspects_.empty()) {
    if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return storage::kOk;
    return io_error("cannot remove", path_, errno);
  }
  std::string text = std::string(kTitle) + store_identity_ + "\n";
  for (const std::uint64_t id : under_way) {
    text.append(kUnderWay).append(std::to_string(id)).append("\n");
  }
  for (const auto& [id, count] : suspects_) {
    text.append(kSuspect).append(std::to_string(id)).append(" ");
    text.append(std::to_string(count)).append("\n");
  }
  const std::string next = path_ + ".new";
  if (auto written = write_file(next, text); !written) return written;
  if (::rename(next.c_str(), path_.c_str()) != 0) return io_error("cannot replace", path_, errno);
  return storage::kOk;
}

}  // namespace stompbox::drain
