#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/routing/queue_table.h"

using namespace stompbox;
using testing::QueueTable;
using testing::Sent;
using testing::Taker;

// A random mix of senders, selectors, classes, credits and a slow disk, against a naive model: all
// messages in a vector, each with what a consumer may see of it.
namespace {

struct Known {
  std::string body;
  std::string node;
  std::uint8_t priority_class = 5;
  bool is_done = false;
};

class Mix {
 public:
  Mix(std::uint32_t seed, std::size_t resident_max) : chance_(seed), table_(resident_max) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      check();
    }
    finish();
  }

 private:
  struct Player {
    Taker* taker = nullptr;
    std::string node;  // empty: takes all
    std::size_t seen = 0;
    std::map<std::uint8_t, std::size_t> last;  // of a class: the latest first delivery
  };

  std::size_t below(std::size_t bound) { return chance_() % bound; }
  Player* any_player() { return players_.empty() ? nullptr : &players_[below(players_.size())]; }

  void step() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
      case 3: send(); break;
      case 4: join(); break;
      case 5: leave(); break;
      case 6: answer(); break;
      case 7: answer(); break;
      case 8: table_.commit(); break;
      default: table_.load(); break;
    }
  }

  void send() {
    Known known;
    known.body = std::to_string(known_.size());
    known.node = std::string(1, static_cast<char>('a' + below(6)));
    known.priority_class = static_cast<std::uint8_t>(below(2) == 0 ? 5 : 2);
    Sent sent{known.body, "node:" + known.node + "\n", known.priority_class};
    if (below(8) == 0) sent.persistence = queue::Persistence::kVolatile;
    const auto visible =
        below(6) == 0 ? QueueTable::Visible::kAfterCommit : QueueTable::Visible::kNow;
    known_.push_back(known);
    table_.send(sent, visible);
  }

  void join() {
    if (players_.size() >= 5) return;
    Player player;
    testing::TakerOptions options;
    const std::size_t kind = below(4);
    if (kind > 0) player.node = std::string(1, static_cast<char>('a' + below(4)));
    if (kind == 1) options.selector = "node = '" + player.node + "'";
    if (kind > 1) options.selector = "node LIKE '" + player.node + "%'";
    options.credit = 1 + below(6);
    player.taker = &table_.join(options);
    players_.push_back(player);
  }

  void leave() {
    if (players_.empty() || below(3) > 0) return;
    const std::size_t index = below(players_.size());
    check();
    for (const std::size_t one : outstanding(players_[index]))
      returned_[one] = true;
    Taker& taker = *players_[index].taker;
    players_.erase(players_.begin() + static_cast<std::ptrdiff_t>(index));
    table_.leave(taker);
  }

  std::vector<std::size_t> outstanding(const Player& player) {
    std::vector<std::size_t> all;
    player.taker->subscription->in_flight.for_each(
        [&all](const routing::Entry& entry) { all.push_back(std::stoul(entry.message->body)); });
    return all;
  }

  void answer() {
    Player* const player = any_player();
    if (player == nullptr) return;
    Taker& taker = *player->taker;
    for (std::size_t count = 1 + below(4); count > 0; --count) {
      const auto first = taker.subscription->in_flight.first();
      if (!first) return;
      const std::size_t one = std::stoul(taker.subscription->in_flight.find(*first)->message->body);
      check();
      if (below(4) == 0) {
        returned_[one] = true;
        table_.give_back(taker, *first);
      } else {
        known_[one].is_done = true;
        table_.acknowledge(taker, *first);
      }
    }
  }

  // What has been delivered since the last time was asked for, was not done, and keeps its order.
  void check() {
    for (Player& player : players_) {
      for (; player.seen < player.taker->got.size(); ++player.seen) {
        const std::size_t one = std::stoul(player.taker->got[player.seen].body);
        const Known& known = known_[one];
        REQUIRE_FALSE(known.is_done);
        REQUIRE((player.node.empty() || player.node == known.node));
        if (returned_.contains(one)) continue;
        const auto last = player.last.find(known.priority_class);
        REQUIRE((last == player.last.end() || last->second < one));
        player.last[known.priority_class] = one;
      }
    }
    std::map<std::string, int> times;
    for (const Player& player : players_) {
      for (const std::size_t one : outstanding(player))
        REQUIRE(++times[std::to_string(one)] == 1);
    }
  }

  // With everybody gone but one who takes all, all that is not done comes, once.
  void finish() {
    while (!players_.empty()) {
      for (const std::size_t one : outstanding(players_.back()))
        returned_[one] = true;
      Taker& taker = *players_.back().taker;
      players_.pop_back();
      table_.leave(taker);
    }
    table_.settle();
    if (below(2) == 0) table_.queue->release_memory(table_.committed);
    const auto left = static_cast<std::size_t>(std::count_if(
        known_.begin(), known_.end(), [](const Known& known) { return !known.is_done; }));
    REQUIRE(table_.queue->waiting_count() == left);
    Taker& all = table_.join({"", 7});
    for (std::size_t turns = 0; turns < left + 50; ++turns) {
      table_.settle();
      table_.acknowledge_all(all);
    }
    std::vector<std::size_t> got;
    for (const Taker::Got& one : all.got)
      got.push_back(std::stoul(one.body));
    std::sort(got.begin(), got.end());
    REQUIRE(std::adjacent_find(got.begin(), got.end()) == got.end());
    REQUIRE(got.size() == left);
    table_.settle();
    REQUIRE(table_.queue->nothing_waits());
    REQUIRE(table_.journal.stored_count("q") == 0);
  }

  std::mt19937 chance_;
  QueueTable table_;
  std::vector<Known> known_;
  std::map<std::size_t, bool> returned_;
  std::vector<Player> players_;
};

}  // namespace

TEST_CASE("selectors, classes and credit in any mix lose, double and disorder nothing") {
  for (std::uint32_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    Mix(seed, seed % 3 == 0 ? 4 : seed % 3 == 1 ? 12 : 1000).run(400);
  }
}
