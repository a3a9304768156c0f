#include "storage/queue/leveldb_read_env.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace stompbox::queue {
namespace {

leveldb::Status failure(const std::string& name) {
  const char* const reason = std::strerror(errno);
  return errno == ENOENT ? leveldb::Status::NotFound(name, reason)
                         : leveldb::Status::IOError(name, reason);
}

class ReadFile final : public leveldb::RandomAccessFile {
 public:
  ReadFile(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}
  ~ReadFile() override { ::close(descriptor_); }

  // Fewer bytes only at the end of the file.
  leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* result,
                       char* scratch) const override {
    std::size_t done = 0;
    *result = leveldb::Slice(scratch, 0);
    while (done < size) {
      const ssize_t got =
          ::pread(descriptor_, scratch + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure(name_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    *result = leveldb::Slice(scratch, done);
    return leveldb::Status::OK();
  }

 private:
  const std::string name_;  // for sentences
  const int descriptor_;
};

}  // namespace

leveldb::Status ReadEnv::NewRandomAccessFile(const std::string& name,
                                             leveldb::RandomAccessFile** file) {
  *file = nullptr;
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure(name);
  *file = new ReadFile(name, descriptor);
  return leveldb::Status::OK();
}

}  // namespace stompbox::queue
