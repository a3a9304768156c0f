#include "storage/queue/leveldb_log_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

namespace stompbox::queue {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Status;

namespace fs = std::filesystem;

// LevelDB's log format: blocks of 32 KiB; a record is checksum 4, length 2 (both little-endian),
// type 1, payload; a long one is cut into first, middle and last; less than a header at the end of
// a block is padding.
constexpr std::size_t kBlockBytes = 32768;
constexpr std::size_t kHeaderBytes = 7;
enum RecordType : std::uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);  // Castagnoli, reflected
    }
    table[i] = value;
  }
  return table;
}

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~crc;
}

// As it is stored: turned and shifted, because checksums of checksums are weak.
std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

struct Fragment {
  std::uint8_t type = 0;
  std::size_t end = 0;
};

// Walks over a log in memory.
class LogScan {
 public:
  explicit LogScan(std::string_view log) : log_(log) {}

  enum class Finding { kWhole, kTornEnd, kDamagedInside };
  Finding run() {
    std::size_t at = 0;
    bool in_record = false;
    while (const std::optional<Fragment> fragment = next_fragment(at)) {
      const bool starts = fragment->type == kFull || fragment->type == kFirst;
      if (starts == in_record) break;  // a piece is missing
      in_record = fragment->type == kFirst || fragment->type == kMiddle;
      at = fragment->end;
      if (!in_record) good_end_ = at;
    }
    if (ends_early(at)) return Finding::kWhole;
    return whole_record_behind(at) ? Finding::kDamagedInside : Finding::kTornEnd;
  }

  // Behind the last whole record before the damage.
  [[nodiscard]] std::size_t good_end() const { return good_end_; }

 private:
  static std::size_t block_end(std::size_t at) { return (at / kBlockBytes + 1) * kBlockBytes; }

  // Moves `at` over the padding of a block.
  void skip_padding(std::size_t& at) const {
    if (block_end(at) - at < kHeaderBytes) at = block_end(at);
  }

  // The fragment at `at`, when its checksum is right.
  [[nodiscard]] std::optional<Fragment> next_fragment(std::size_t& at) const {
    skip_padding(at);
    if (at + kHeaderBytes > log_.size()) return std::nullopt;
    const std::string_view header = log_.substr(at, kHeaderBytes);
    const auto type = static_cast<std::uint8_t>(header[6]);
    const std::size_t end = at + kHeaderBytes + little_endian(header.substr(4, 2));
    if (type < kFull || type > kLast || end > log_.size() || end > block_end(at)) {
      return std::nullopt;
    }
    const std::uint32_t crc = crc32c(log_.substr(at + 6, end - at - 6));
    if (masked(crc) != little_endian(header.substr(0, 4))) return std::nullopt;
    return Fragment{type, end};
  }

  // Whether the log just stops at `at`, as LevelDB itself tolerates it.
  [[nodiscard]] bool ends_early(std::size_t at) const {
    if (at + kHeaderBytes > log_.size()) return true;
    const std::size_t end = at + kHeaderBytes + little_endian(log_.substr(at + 4, 2));
    return end > log_.size() && log_.size() < block_end(at);
  }

  // Every position in the damaged block is tried, since its lengths cannot be trusted; then block
  // after block.
  [[nodiscard]] bool whole_record_behind(std::size_t damage) const {
    const std::size_t next_block = std::min(block_end(damage), log_.size());
    for (std::size_t at = damage + 1; at < next_block; ++at) {
      if (whole_record_from(at)) return true;
    }
    for (std::size_t at = next_block; at < log_.size(); at += kBlockBytes) {
      if (whole_record_from(at)) return true;
    }
    return false;
  }

  [[nodiscard]] bool whole_record_from(std::size_t at) const {
    bool in_record = false;
    while (const std::optional<Fragment> fragment = next_fragment(at)) {
      if (fragment->type == kFull || (in_record && fragment->type == kLast)) return true;
      in_record = fragment->type == kFirst || (in_record && fragment->type == kMiddle);
      at = fragment->end;
    }
    return false;
  }

  const std::string_view log_;
  std::size_t good_end_ = 0;
};

std::optional<fs::path> newest_log(const std::string& folder) {
  std::optional<fs::path> newest;
  std::uint64_t newest_number = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".log") continue;
    const std::string stem = entry.path().stem().string();
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (parsed.ec != std::errc{} || number < newest_number) continue;
    newest_number = number;
    newest = entry.path();
  }
  return newest;
}

Status io_error(const fs::path& file, const char* doing) {
  return Error{ErrorCode::kIo,
               file.string() + " could not be " + doing + " (" + std::strerror(errno) + ")"};
}

Status cut_file(const fs::path& file, std::size_t size) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return io_error(file, "opened");
  const bool done =
      ::ftruncate(descriptor, static_cast<off_t>(size)) == 0 && ::fsync(descriptor) == 0;
  Status status = done ? Status(kOk) : io_error(file, "cut");
  ::close(descriptor);
  return status;
}

}  // namespace

Status cut_torn_log_tail(const std::string& folder) {
  const std::optional<fs::path> file = newest_log(folder);
  if (!file) return Error{ErrorCode::kNotFound, "There is no log in " + folder};
  std::ifstream in(*file, std::ios::binary);
  const std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return io_error(*file, "read");

  LogScan scan(log);
  switch (scan.run()) {
    case LogScan::Finding::kWhole:
      return Error{ErrorCode::kNotFound, file->string() + " is not damaged"};
    case LogScan::Finding::kDamagedInside:
      return Error{ErrorCode::kCorrupt, file->string() + " is damaged before its end"};
    case LogScan::Finding::kTornEnd: break;
  }
  const fs::path torn = file->string() + ".torn";
  std::ofstream out(torn, std::ios::binary | std::ios::trunc);
  out.write(log.data() + scan.good_end(),
            static_cast<std::streamsize>(log.size() - scan.good_end()));
  out.close();
  if (!out) return io_error(torn, "written");
  return cut_file(*file, scan.good_end());
}

}  // namespace stompbox::queue
