#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/queue/journal.h"
#include "storage/queue/options.h"
#include "storage/queue/queue_store.h"

// Words in which the tests of the queue store tell their stories.
namespace stompbox::queue::test {

// A folder of its own under the system's place for such, gone at the end.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline constexpr QueueId kOrders{7};
inline constexpr std::string_view kOrdersName = "/queue/orders";

[[nodiscard]] Place at(std::uint64_t seq, std::uint8_t priority = 5);
[[nodiscard]] MessagePtr message(std::uint64_t counter, std::string body,
                                 Persistence persistence = Persistence::kDurable,
                                 std::uint32_t epoch = 1);
[[nodiscard]] Append append(std::uint64_t seq, std::string body = "body",
                            Urgency urgency = Urgency::kNow);
[[nodiscard]] Append append_volatile(std::uint64_t seq, std::uint32_t epoch = 1);
// Of what append(seq, body) wrote.
[[nodiscard]] Erase erase(std::uint64_t seq, std::string body = "body",
                          Urgency urgency = Urgency::kRide);
[[nodiscard]] CreateQueue create_orders();

[[nodiscard]] StoreBatch batch_of(std::vector<Op> ops);
// Writes or fails the test.
void write(QueueStore& store, std::vector<Op> ops, Durability durability = Durability::kSynced);
[[nodiscard]] LoadedPage load(QueueStore& store, Place from, std::size_t count_max = 256,
                              std::size_t bytes_max = 1024 * 1024);
// Page after page, as a router does it.
[[nodiscard]] std::vector<std::uint64_t> all_seqs(QueueStore& store, std::size_t page_count = 256);
[[nodiscard]] std::vector<std::uint64_t> seqs(const LoadedPage& page);

// A store that is small enough to reach its tables in a test.
[[nodiscard]] StoreOptions small_store(const std::string& path);

// Looks again and again until it holds or twenty seconds are over.
[[nodiscard]] bool wait_until(const std::function<bool()>& holds);

}  // namespace stompbox::queue::test
