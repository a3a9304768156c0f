#include "broker/stompserver_import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "broker/faces/old_queue.h"
#include "broker/ready_file.h"
#include "broker/routing/destination.h"
#include "protocol/encoder.h"
#include "storage/queue/leveldb_open.h"
#include "storage/queue/queue_store.h"

namespace stompbox {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

constexpr std::size_t kBatchBytesMax = 1024 * 1024;

// What belonged to the SEND frame itself or was added by the old server; the rest travels on.
constexpr std::array<std::string_view, 11> kLeftBehind = {
    "ack",         "content-length",   "destination",  "message-id", "receipt",    "receipt-id",
    "redelivered", "redelivery-count", "subscription", "session",    "transaction"};

Error system_error(const std::string& what) {
  return {ErrorCode::kIo, what + ": " + std::system_category().message(errno)};
}

queue::Message make_message(const faces::OldQueue& queue, faces::OldMessage old,
                            std::int64_t now_ms) {
  queue::Message message;
  message.destination = queue.destination;
  message.arrived_ms = now_ms;
  for (const auto& [name, value] : old.headers) {
    if (std::find(kLeftBehind.begin(), kLeftBehind.end(), name) != kLeftBehind.end()) continue;
    protocol::append_header(message.header_block, protocol::Version::k12, name, value);
    if (protocol::needs_escape(name) || protocol::needs_escape(value))
      message.block_is_plain = false;
  }
  message.body = std::move(old.body);
  return message;
}

// What the index was when it was taken over: its size and when it was last written.
std::string witness_of(const std::string& old_storage) {
  struct stat about {};
  if (::stat((old_storage + "/qinfo").c_str(), &about) != 0) return {};
  return "qinfo " + std::to_string(about.st_size) + " " + std::to_string(about.st_mtim.tv_sec) +
         "." + std::to_string(about.st_mtim.tv_nsec);
}

Status sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  Status status = synced ? Status(storage::kOk) : Status(system_error("cannot sync " + folder));
  if (descriptor >= 0) ::close(descriptor);
  return status;
}

// One new store that takes messages in.
class Shelf {
 public:
  Shelf(queue::QueueStore& store, const routing::Profile& profile, std::int64_t now_ms)
      : store_(store), profile_(profile), now_ms_(now_ms) {}

  Status take(const faces::OldQueue& queue, std::size_t message_bytes_max, Import& import) {
    const auto destination = routing::view_destination(queue.destination, profile_);
    if (!destination || destination->kind != routing::DestinationKind::kQueue) {
      import.skipped.push_back(queue.destination + " is no queue here, its " +
                               std::to_string(queue.ids.size()) + " messages are left behind");
      return storage::kOk;
    }
    Line& line = line_of(std::string(destination->name));
    for (const std::string& id : queue.ids) {
      auto old = faces::read_old_message(queue, id, message_bytes_max);
      if (!old) {
        import.skipped.push_back(old.error().text);
        continue;
      }
      append(line, make_message(queue, std::move(*old), now_ms_));
      ++import.message_count;
      if (batch_bytes_ < kBatchBytesMax) continue;
      if (auto status = flush(); !status) return status;
    }
    ++import.queue_count;
    return storage::kOk;
  }

  Status flush() {
    if (batch_.empty()) return storage::kOk;
    if (store_.room() == queue::Room::kFull) {
      return Error{ErrorCode::kFull, "there is no room to take the old queues over"};
    }
    auto status = store_.write(batch_, queue::Durability::kSynced);
    batch_.clear();
    batch_bytes_ = 0;
    return status;
  }

 private:
  struct Line {
    queue::QueueId id;
    std::uint64_t last_seq = 0;
  };

  Line& line_of(const std::string& name) {
    const auto [at, is_new] = lines_.try_emplace(name);
    if (is_new) {
      at->second.id = queue::QueueId{static_cast<std::uint32_t>(lines_.size())};
      batch_.ops.emplace_back(queue::CreateQueue{at->second.id, name});
    }
    return at->second;
  }

  void append(Line& line, queue::Message message) {
    message.id = queue::MessageId::make(store_.state().epoch, ++last_message_);
    batch_bytes_ += message.bytes();
    const queue::Place place{queue::PriorityClass{}, queue::Seq{++line.last_seq}};
    batch_.ops.emplace_back(
        queue::Append{line.id, place, std::make_shared<const queue::Message>(std::move(message))});
  }

  queue::QueueStore& store_;
  const routing::Profile& profile_;
  const std::int64_t now_ms_;
  queue::StoreBatch batch_;
  std::size_t batch_bytes_ = 0;
  std::map<std::string, Line> lines_;
  std::uint64_t last_message_ = 0;
};

Status fill_store(const std::string& folder, const faces::OldStore& old,
                  const options::Options& options, std::int64_t now_ms, Import& import) {
  queue::StoreOptions store_options = options.store;
  store_options.path = folder;
  auto store = queue::open_leveldb_store(store_options);
  if (!store) return store.error();
  Shelf shelf(**store, *options.routing.profile, now_ms);
  for (const faces::OldQueue& queue : old.queues) {
    auto status = shelf.take(queue, options.session.limits.body_bytes_max, import);
    if (!status) return status;
  }
  if (auto status = shelf.flush(); !status) return status;
  (*store)->settle();
  return storage::kOk;
}

Status write_note(const std::string& path, const std::string& witness, const Import& import) {
  std::ofstream note(path, std::ios::binary | std::ios::trunc);
  note << witness << "\n"
       << import.message_count << " messages of " << import.queue_count
       << " queues were taken over from StompServer; its files are as they were.\n";
  for (const std::string& skipped : import.skipped)
    note << "left behind: " << skipped << "\n";
  note.close();
  if (note) return storage::kOk;
  return Error{ErrorCode::kIo, path + " cannot be written"};
}

// Nothing if there is no note: the queues that are there are not the old ones.
Import::Result judge_note(const std::string& path, const std::string& witness) {
  std::ifstream note(path, std::ios::binary);
  std::string first;
  if (!std::getline(note, first)) return Import::Result::kRefused;
  return first == witness ? Import::Result::kEarlier : Import::Result::kChanged;
}

}  // namespace

storage::Result<Import> import_old_queues(const std::string& old_storage,
                                          const options::Options& options, std::int64_t now_ms) {
  Import import;
  if (!faces::has_old_index(old_storage)) return import;
  const std::string final_folder = options::queue_folder(options);
  const std::string note = options.data_folder + "/imported";
  const std::string witness = witness_of(old_storage);
  std::error_code fault;
  if (std::filesystem::exists(final_folder, fault)) {
    import.result = judge_note(note, witness);
    return import;
  }
  const auto old = faces::read_old_index(old_storage);
  if (!old) return old.error();
  import.skipped = old->troubles;
  if (old->queues.empty()) return import;
  if (auto status = make_data_folder(options.data_folder, std::nullopt); !status) {
    return status.error();
  }
  const std::string folder = options.data_folder + "/importing";
  std::filesystem::remove_all(folder, fault);  // of a start that did not come to its end
  if (auto status = fill_store(folder, *old, options, now_ms, import); !status) {
    return status.error();
  }
  if (auto status = write_note(note, witness, import); !status) return status.error();
  if (::rename(folder.c_str(), final_folder.c_str()) != 0) {
    return system_error(folder + " cannot be renamed to " + final_folder);
  }
  if (auto status = sync_folder(options.data_folder); !status) return status.error();
  import.result = Import::Result::kDone;
  return import;
}

}  // namespace stompbox
