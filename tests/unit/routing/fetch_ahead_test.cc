#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/routing/queue_table.h"
#include "tests/unit/routing/recorder.h"

using namespace stompbox;
using routing::AckMode;
using routing::Reach;
using testing::QueueTable;
using testing::Recorder;
using testing::RouterTable;
using testing::Sent;
using testing::Taker;

// With hundreds of values of one header the queue is told of a message before it comes, and the
// router of an ACK, so that memory is fetched ahead. Hints: nothing may depend on them, right,
// wrong or stale.
namespace {

constexpr std::size_t kValues = 180;     // more than the 128 from which on hints are heeded
constexpr std::size_t kConsumers = 150;  // with a value each
constexpr std::size_t kSharing = 20;     // more of them, for values that have one

std::string value_of(std::size_t number) {
  return "n" + std::to_string(number);
}

std::string header_of(std::size_t value) {
  return "node:" + value_of(value) + "\n";
}

std::string selector_for(std::size_t value) {
  return "node = '" + value_of(value) + "'";
}

// The same history on two queues, of which one is told ahead.
class Twins {
 public:
  Twins(std::uint32_t seed, std::size_t resident_max)
      : chance_(seed), told_(resident_max), untold_(resident_max) {
    for (std::size_t i = 0; i < kConsumers; ++i)
      join(i);
    for (std::size_t i = 0; i < kSharing; ++i)
      join(i);
    for (std::size_t i = kConsumers; i < kValues; ++i)
      free_.push_back(i);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      REQUIRE(told_.queue->waiting_count() == untold_.queue->waiting_count());
    }
    told_.settle();
    untold_.settle();
    check();
  }

  [[nodiscard]] std::size_t delivered() const { return delivered_; }

 private:
  struct Pair {
    Taker* told = nullptr;
    Taker* untold = nullptr;
    std::size_t value = 0;
  };

  std::size_t below(std::size_t bound) { return chance_() % bound; }

  void step() {
    const std::size_t kind = below(20);
    if (kind < 12) {
      send();
    } else if (kind < 16) {
      answer();
    } else if (kind == 16) {
      replace();
    } else if (kind == 17) {
      told_.commit();
      untold_.commit();
    } else {
      told_.load();
      untold_.load();
    }
  }

  void join(std::size_t value) {
    const testing::TakerOptions options{selector_for(value), 1 + below(3)};
    pairs_.push_back({&told_.join(options), &untold_.join(options), value});
  }

  // Somebody goes and somebody comes for a value that was free, so that hints may speak of who is
  // not there any more.
  void replace() {
    const std::size_t index = below(pairs_.size());
    std::size_t value = pairs_[index].value;
    if (below(2) == 0) hint(value);
    std::swap(value, free_[below(free_.size())]);
    check(pairs_[index]);
    told_.leave(*pairs_[index].told);
    untold_.leave(*pairs_[index].untold);
    pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(index));
    if (below(2) == 0) told_.queue->prepare_expected();
    join(value);
  }

  void hint(std::size_t value) {
    const std::string headers = header_of(value);
    told_.queue->expect_like({headers, true});
  }

  void send() {
    const std::size_t value = below(kValues);
    const Sent sent{std::to_string(++last_sent_), header_of(value)};
    if (below(8) != 0) hint(below(8) == 0 ? below(2 * kValues) : value);
    if (below(8) != 0) told_.queue->prepare_expected();
    told_.send(sent);
    untold_.send(sent);
  }

  void answer() {
    const Pair& pair = pairs_[below(pairs_.size())];
    const auto told = pair.told->subscription->in_flight.first();
    const auto untold = pair.untold->subscription->in_flight.first();
    REQUIRE(told.has_value() == untold.has_value());
    if (!told) return;
    if (below(4) == 0) {
      told_.give_back(*pair.told, *told);
      untold_.give_back(*pair.untold, *untold);
    } else {
      told_.acknowledge(*pair.told, *told);
      untold_.acknowledge(*pair.untold, *untold);
    }
  }

  void check(const Pair& pair) {
    REQUIRE(pair.told->got.size() == pair.untold->got.size());
    for (std::size_t i = 0; i < pair.told->got.size(); ++i)
      REQUIRE(pair.told->got[i].body == pair.untold->got[i].body);
    delivered_ += pair.told->got.size();
  }
  void check() {
    for (const Pair& pair : pairs_)
      check(pair);
  }

  std::mt19937 chance_;
  QueueTable told_;
  QueueTable untold_;
  std::vector<Pair> pairs_;
  std::vector<std::size_t> free_;  // values that fewer ask for than could
  std::size_t last_sent_ = 0;
  std::size_t delivered_ = 0;
};

}  // namespace

TEST_CASE("who gets what, and in which order, is the same whether the queue is told ahead or not") {
  std::size_t delivered = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Twins twins(seed, seed % 3 == 0 ? 40 : seed % 3 == 1 ? 300 : 10'000);
    twins.run(3000);
    delivered += twins.delivered();
  }
  CHECK(delivered > 5'000);
}

namespace {

// A router with some consumers for each of many values, and what a naive model expects each to get:
// of one value its consumers take turns, each up to its credit.
class Crowd {
 public:
  Crowd(std::size_t per_value, std::size_t credit) : credit_(credit) {
    from_ = table_.join(producer_);
    members_.resize(kValues * per_value);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      Member& member = members_[i];
      routing::SubscribeRequest request;
      request.peer = table_.join(member.recorder);
      request.ack_mode = AckMode::kIndividual;
      request.credit = {credit, 1U << 30};
      request.selector = *routing::Selector::parse(selector_for(i % kValues));
      request.memory = &member;
      member.subscription = *table_.subscribe_as(request, "/queue/q");
      turns_[i % kValues].push_back(i);
    }
  }

  void send(std::size_t value) {
    routing::Draft draft;
    draft.destination = "/queue/q";
    draft.header_block = header_of(value);
    draft.body = std::to_string(++last_sent_);
    REQUIRE(table_.publish(from_, draft));
    waiting_[value].push_back(draft.body);
    give(value);
  }

  enum class Ahead : std::uint8_t { kNo, kYes };
  // The oldest of each of its deliveries, one after the other.
  void acknowledge(std::size_t index, Ahead ahead) {
    Member& member = members_[index];
    if (member.acknowledged == member.recorder.deliveries.size()) return;
    if (ahead == Ahead::kYes) {
      table_.router.expect_acknowledge(member.subscription);
      table_.router.prepare_acknowledge(member.subscription);
    }
    const auto id = member.recorder.deliveries[member.acknowledged].id;
    REQUIRE(table_.router.acknowledge(member.subscription, id, Reach::kOne, {}));
    member.acknowledged += 1;
    member.in_flight -= 1;
    if (member.in_flight + 1 == credit_) turns_[index % kValues].push_back(index);
    give(index % kValues);
  }

  void end(std::size_t index) {
    const routing::SubscriptionId gone = members_[index].subscription;
    table_.router.unsubscribe(gone);
    table_.router.expect_acknowledge(gone);
    table_.router.prepare_acknowledge(gone);
    std::erase(turns_[index % kValues], index);
  }

  void check() {
    for (Member& member : members_)
      REQUIRE(member.recorder.bodies() == std::exchange(member.expected, {}));
  }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  void settle() { table_.settle(); }

 private:
  struct Member {
    Recorder recorder;
    routing::SubscriptionId subscription;
    std::size_t acknowledged = 0;
    std::size_t in_flight = 0;
    std::vector<std::string> expected;
  };

  void give(std::size_t value) {
    std::deque<std::size_t>& turns = turns_[value];
    std::deque<std::string>& waiting = waiting_[value];
    while (!turns.empty() && !waiting.empty()) {
      const std::size_t index = turns.front();
      turns.pop_front();
      members_[index].expected.push_back(waiting.front());
      waiting.pop_front();
      members_[index].in_flight += 1;
      if (members_[index].in_flight < credit_) turns.push_back(index);
    }
  }

  const std::size_t credit_;
  RouterTable table_;
  Recorder producer_;
  routing::PeerId from_;
  std::deque<Member> members_;
  std::map<std::size_t, std::deque<std::size_t>> turns_;    // by value: who is next
  std::map<std::size_t, std::deque<std::string>> waiting_;  // by value
  std::size_t last_sent_ = 0;
};

}  // namespace

TEST_CASE("hundreds of consumers with a value each get theirs in order, in turn, within credit") {
  for (const std::size_t per_value : {1U, 2U, 3U}) {
    CAPTURE(per_value);
    Crowd crowd(per_value, 2);
    std::mt19937 chance(static_cast<std::uint32_t>(per_value));
    for (int i = 0; i < 8'000; ++i) {
      if (chance() % 2 == 0) {
        crowd.send(chance() % kValues);
      } else {
        crowd.acknowledge(chance() % crowd.size(),
                          chance() % 2 == 0 ? Crowd::Ahead::kYes : Crowd::Ahead::kNo);
      }
      if (i % 97 == 0) crowd.settle();
    }
    crowd.settle();
    crowd.check();
  }
}

TEST_CASE("an ACK that is announced for a subscription that has gone does nothing") {
  Crowd crowd(2, 1000);
  for (std::size_t value = 0; value < kValues; ++value)
    crowd.send(value);
  for (std::size_t index = 0; index < kValues; index += 2)
    crowd.end(index);
  for (std::size_t value = 0; value < kValues; ++value)
    crowd.send(value);
  crowd.check();
}
