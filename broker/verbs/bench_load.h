#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/client/client.h"
#include "broker/verbs/bench_crew.h"
#include "broker/verbs/login.h"
#include "storage/result.h"

// What one process of a `bench` does.
namespace stompbox::verbs {

enum class BenchPersistence : std::uint8_t { kVolatile, kPersistent };

enum class BenchDestination : std::uint8_t { kNamed, kOwn };  // kOwn: a queue that goes afterwards

struct BenchLoad {
  Login login;
  std::string destination;
  BenchDestination kind = BenchDestination::kNamed;
  std::string run;  // marks the messages of this one
  std::size_t size_bytes = 0;
  BenchPersistence persistence = BenchPersistence::kVolatile;
};

// A producer's part of the messages. `every` 0: as fast as they go.
struct BenchShare {
  std::uint64_t messages = 0;
  std::chrono::nanoseconds first{0};  // after the beginning
  std::chrono::nanoseconds every{0};
};
// The parts of `producers` that send `messages` at `rate` a second together; 0: as fast as they go.
[[nodiscard]] BenchShare bench_share(std::uint64_t messages, std::uint64_t rate,
                                     std::size_t producers, std::size_t index);

// All get each message, or one of all.
[[nodiscard]] inline bool is_shown_to_all(std::string_view destination) {
  return destination.starts_with("/topic/");
}

// What a SEND to a queue of one's own and a SUBSCRIBE there say both, so that the broker deletes it
// with its last consumer. RabbitMQ knows that, and by default keeps a queue for ever; brokers that
// do not, or that forget idle queues by themselves, are told nothing.
[[nodiscard]] client::HeaderList removal_of(const BenchLoad& load, const client::Client& client);

// Sends its part; the broker has processed it all when this returns.
[[nodiscard]] storage::Status bench_produce(const BenchLoad& load, const BenchShare& share,
                                            const BenchDesk& desk);
// Takes messages and acknowledges each until it is over. A message of somebody else stays where it
// is, and is an error.
[[nodiscard]] storage::Status bench_consume(const BenchLoad& load, const BenchDesk& desk);

}  // namespace stompbox::verbs
