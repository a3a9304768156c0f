// How fast a backlog can leave the queue store: the reader's pages alone, the committer's erases
// alone.
//
//   page_bench [FOLDER] [MESSAGES]    FOLDER stands on the disk that is to be measured; default
//   ./tmp
#include <time.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/queue/leveldb_open.h"

namespace {

using namespace stompbox::queue;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr QueueId kQueue{1};
constexpr std::string_view kQueueName = "/queue/benchmark.orders";
constexpr std::size_t kBodyBytes = 1024;
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kPage = 1000;

[[noreturn]] void fail(const std::string& why) {
  std::cerr << why << '\n';
  std::exit(1);
}

Place place_of(std::uint64_t seq) {
  return {PriorityClass{}, Seq{seq}};
}

MessagePtr make_message(std::uint64_t seq) {
  auto message = std::make_shared<Message>();
  message->id = MessageId::make(1, seq);
  message->destination = kQueueName;
  message->header_block = "content-type:text/x-pson\npersistent:true\n";
  message->body.resize(kBodyBytes);
  // Not to be compressed away.
  std::uint64_t noise = seq * 0x9e3779b97f4a7c15ULL;
  for (char& byte : message->body) {
    noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(noise >> 56);
  }
  return message;
}

std::unique_ptr<QueueStore> open(const std::string& folder) {
  StoreOptions options;
  options.path = folder;
  auto store = open_leveldb_store(options);
  if (!store) fail(store.error().text);
  return std::move(store.value());
}

void write(QueueStore& store, std::vector<Op> ops) {
  if (!store.write({std::move(ops), {}}, Durability::kWritten)) fail("a write failed");
}

// A backlog as an earlier life of the broker left it, in tables; the bytes of one message.
std::uint64_t fill(const std::string& folder, std::uint64_t count) {
  std::filesystem::remove_all(folder);
  const auto store = open(folder);
  write(*store, {CreateQueue{kQueue, std::string(kQueueName)}});
  for (std::uint64_t seq = 1; seq <= count;) {
    std::vector<Op> ops;
    for (std::size_t i = 0; i < kBatch && seq <= count; ++i, ++seq)
      ops.emplace_back(Append{kQueue, place_of(seq), make_message(seq), Urgency::kNow});
    write(*store, std::move(ops));
  }
  store->settle();
  return make_message(1)->bytes();
}

std::uint64_t read_all(QueueStore& store) {
  std::uint64_t count = 0;
  Place from = place_of(1);
  while (true) {
    std::vector<Discard> discards;
    const LoadedPage page = store.load({kQueue, from, kPage, 4 * 1024 * 1024}, discards);
    if (page.error) fail(page.error->text);
    count += page.messages.size();
    if (!page.more) return count;
    from = page.messages.back().place;
    ++from.seq.value;
  }
}

void erase_all(QueueStore& store, std::uint64_t count, std::uint64_t bytes) {
  for (std::uint64_t seq = 1; seq <= count;) {
    std::vector<Op> ops;
    ops.reserve(kBatch);
    for (std::size_t i = 0; i < kBatch && seq <= count; ++i, ++seq)
      ops.emplace_back(Erase{kQueue, place_of(seq), MessageId::make(1, seq), bytes});
    write(store, std::move(ops));
  }
}

double cpu_seconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// On a machine that others use too, the time of the processor tells more than the clock.
template <typename Work>
void measure(std::string_view name, std::uint64_t count, const Work& work) {
  const auto start = Clock::now();
  const double cpu_start = cpu_seconds();
  work();
  const double seconds = Seconds(Clock::now() - start).count();
  const auto messages = static_cast<double>(count);
  std::cout << name << '=' << static_cast<std::int64_t>(messages / seconds) << " msg/s\n"
            << name
            << "_cpu=" << static_cast<std::int64_t>((cpu_seconds() - cpu_start) * 1e9 / messages)
            << " ns/msg\n";
}

}  // namespace

int main(int count, char** words) {
  const std::string folder = std::string(count > 1 ? words[1] : "tmp") + "/page_bench";
  const std::uint64_t messages = count > 2 ? std::strtoull(words[2], nullptr, 10) : 200'000;
  const std::uint64_t bytes = fill(folder, messages);
  {
    const auto store = open(folder);
    const auto read = [&store] { static_cast<void>(read_all(*store)); };
    measure("page_read_first", messages, read);
    measure("page_read_again", messages, read);
    measure("page_erase", messages, [&] { erase_all(*store, messages, bytes); });
  }
  std::filesystem::remove_all(folder);
  return 0;
}
