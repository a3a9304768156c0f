// How much of raw LevelDB's speed the committer keeps: durable appends with a bounded number
// outstanding, and beside them, batch by batch, the same records written and synced by LevelDB
// alone.
//
//   committer_bench [FOLDER]    FOLDER stands on the disk that is to be measured; default ./tmp
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/committer.h"
#include "storage/queue/key_format.h"
#include "storage/queue/leveldb_open.h"
#include "storage/queue/leveldb_slice.h"
#include "storage/queue/record_format.h"

namespace {

using namespace stompbox::queue;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr QueueId kQueue{1};
constexpr std::string_view kQueueName = "/queue/bench";
constexpr std::size_t kPairs = 5;

struct Load {
  std::string name;
  std::size_t body_bytes = 0;
  std::uint64_t outstanding = 0;
  std::uint64_t messages = 0;  // of one run
};

[[noreturn]] void fail(const std::string& why) {
  std::cerr << why << '\n';
  std::exit(1);
}

Place place_of(std::uint64_t seq) {
  return {PriorityClass{}, Seq{seq}};
}

MessagePtr make_message(std::uint64_t seq, std::size_t body_bytes) {
  auto message = std::make_shared<Message>();
  message->id = MessageId::make(1, seq);
  message->destination = kQueueName;
  message->header_block = "content-type:text/x-pson\npersistent:true\n";
  message->body.resize(body_bytes);
  // Not to be compressed away.
  std::uint64_t noise = seq * 0x9e3779b97f4a7c15ULL;
  for (char& byte : message->body) {
    noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(noise >> 56);
  }
  return message;
}

std::vector<MessagePtr> make_messages(const Load& load) {
  std::vector<MessagePtr> messages;
  for (std::uint64_t seq = 1; seq <= load.messages; ++seq) {
    messages.push_back(make_message(seq, load.body_bytes));
  }
  return messages;
}

// Counts what was reported, for a producer that waits for its credit.
class Receipts {
 public:
  void on_commit(const CommitReport& report) {
    {
      const std::lock_guard lock(mutex_);
      if (report.fatal) fail(report.fatal->text);
      through_ = report.through.value;
      batch_ends_.push_back(through_);
    }
    changed_.notify_one();
  }
  void wait_for(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, ticket] { return through_ >= ticket; });
  }
  [[nodiscard]] std::uint64_t through() {
    const std::lock_guard lock(mutex_);
    return through_;
  }
  [[nodiscard]] std::vector<std::uint64_t> batch_ends() {
    const std::lock_guard lock(mutex_);
    return batch_ends_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t through_ = 0;
  std::vector<std::uint64_t> batch_ends_;
};

struct Run {
  double seconds = 0;
  std::vector<std::size_t> batch_sizes;
};

Run run_committer(const std::string& folder, const Load& load,
                  const std::vector<MessagePtr>& messages) {
  std::filesystem::remove_all(folder);
  StoreOptions options;
  options.path = folder;
  auto store = open_leveldb_store(options);
  if (!store) fail(store.error().text);
  Receipts receipts;
  Run run;
  {
    Committer journal(
        **store, JournalOptions{},
        {[&receipts](CommitReport report) { receipts.on_commit(report); }, [](LoadedPage) {}});
    const auto start = Clock::now();
    Ticket last = journal.submit_together({CreateQueue{kQueue, std::string(kQueueName)}});
    const std::uint64_t first = last.value;
    std::uint64_t through = 0;
    for (std::uint64_t seq = 1; seq <= load.messages; ++seq) {
      last = journal.submit(Append{kQueue, place_of(seq), messages[seq - 1], Urgency::kNow});
      if (last.value - through < load.outstanding) continue;
      through = receipts.through();
      if (last.value - through < load.outstanding) continue;
      receipts.wait_for(last.value - load.outstanding + 1);
      through = receipts.through();
    }
    receipts.wait_for(last.value);
    run.seconds = Seconds(Clock::now() - start).count();
    std::uint64_t before = first;
    for (const std::uint64_t end : receipts.batch_ends()) {
      if (end > before) run.batch_sizes.push_back(end - before);
      before = std::max(before, end);
    }
  }
  return run;
}

// The same records in the same batches; only the meta records are left out.
double run_raw(const std::string& folder, const std::vector<MessagePtr>& messages,
               const std::vector<std::size_t>& batch_sizes) {
  std::filesystem::remove_all(folder);
  leveldb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = StoreOptions{}.write_buffer_bytes;
  options.max_file_size = StoreOptions{}.table_bytes;
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, folder, &opened);
  if (!status.ok()) fail(status.ToString());
  const std::unique_ptr<leveldb::DB> db(opened);
  leveldb::WriteOptions synced;
  synced.sync = true;
  leveldb::WriteBatch batch;
  std::string value;
  std::uint64_t seq = 0;
  const auto start = Clock::now();
  for (const std::size_t size : batch_sizes) {
    batch.Clear();
    for (std::size_t i = 0; i < size; ++i) {
      const Message& message = *messages[seq++];
      const bool apart = message.body.size() > StoreOptions{}.inline_body_bytes_max;
      value.clear();
      encode_index(message, kQueueName, apart ? BodyPlace::kApart : BodyPlace::kInline, value);
      batch.Put(slice(place_key(KeyRange::kIndex, kQueue, place_of(seq))), value);
      if (apart) batch.Put(slice(place_key(KeyRange::kBody, kQueue, place_of(seq))), message.body);
    }
    if (!db->Write(synced, &batch).ok()) fail("a raw write failed");
  }
  return Seconds(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void measure(const std::string& folder, const Load& load) {
  const std::vector<MessagePtr> messages = make_messages(load);
  std::vector<double> ours;
  std::vector<double> raw;
  std::vector<double> ratios;
  std::vector<double> batch_sizes;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const Run run = run_committer(folder + "/ours", load, messages);
    const double raw_seconds = run_raw(folder + "/raw", messages, run.batch_sizes);
    const auto count = static_cast<double>(load.messages);
    ours.push_back(count / run.seconds);
    raw.push_back(count / raw_seconds);
    ratios.push_back(raw_seconds / run.seconds);
    batch_sizes.push_back(count / static_cast<double>(run.batch_sizes.size()));
  }
  std::cout << "committer_" << load.name << '=' << static_cast<long>(median(ours)) << " msg/s\n"
            << "raw_" << load.name << '=' << static_cast<long>(median(raw)) << " msg/s\n"
            << "ratio_" << load.name << '=' << median(ratios) << " of raw\n"
            << "batch_" << load.name << '=' << median(batch_sizes) << " messages\n";
}

}  // namespace

int main(int count, char** arguments) {
  const std::string parent = count > 1 ? arguments[1] : "tmp";
  const std::string folder = parent + "/committer_bench";
  std::filesystem::create_directories(folder);
  measure(folder, {"1KiB_256", 1024, 256, 20'000});
  measure(folder, {"64KiB_16", 64 * 1024, 16, 400});
  std::filesystem::remove_all(folder);
  return 0;
}
