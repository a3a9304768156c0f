#pragma once

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/control/desk.h"
#include "tests/support/fake_journal.h"
#include "tests/support/silent_peer.h"

// A desk with a router behind it, and a journal in memory.
namespace stompbox::control::test {

inline rapidjson::Document parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  REQUIRE_FALSE(document.HasParseError());
  REQUIRE(json.find('\n') == std::string::npos);
  return document;
}

// A peer that takes what it gets.
struct Taker final : routing::Consumer {
  void deliver(const routing::Delivery& delivery) override { taken.push_back(delivery); }
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}
  std::vector<routing::Delivery> taken;
};

// Letters of the queues `shop.…` go to queues of their own.
inline routing::RoutingOptions with_letters_of_shops() {
  routing::RoutingOptions options;
  routing::PolicyRule shops;
  shops.pattern = "shop.>";
  shops.dead_letter_queue = "*.dead";
  options.policies = {shops};
  return options;
}

struct Bench {
  explicit Bench(routing::RoutingOptions options = {})
      : router(journal, std::move(options), journal.state()) {
    producer_id = router.attach(producer);
  }

  void send(const std::string& queue, const std::string& body,
            const std::string& header_block = "colour:blue\n") {
    routing::Draft draft;
    draft.destination = "/queue/" + queue;
    draft.header_block = header_block;
    draft.body = body;
    REQUIRE(router.publish(producer_id, std::move(draft), 500, std::nullopt));
  }
  // Sends a message to `queue` and has it die there.
  void let_die(const std::string& queue, const std::string& body) {
    Taker taker;
    const auto peer = router.attach(taker);
    routing::SubscribeRequest request;
    request.peer = peer;
    request.destinations = {{routing::DestinationKind::kQueue, queue}};
    request.ack_mode = routing::AckMode::kIndividual;
    request.credit = {1000, 1'000'000};
    const auto subscription = router.subscribe(request);
    REQUIRE(subscription);
    router.start_delivery(*subscription);
    send(queue, body);
    REQUIRE_FALSE(taker.taken.empty());
    REQUIRE(
        router.dead_letter(*subscription, taker.taken.back().id, {"unreadable", "not PSON"}, 600));
    router.detach(peer);
    commit();
  }
  void commit() { router.on_commit(journal.commit()); }
  // The answer, if it has come.
  std::optional<std::string> ask(const std::string& request) {
    answer.reset();
    desk.handle(request, [this](std::string json) { answer = std::move(json); });
    return answer;
  }
  // Lets the desk go on until nothing happens any more, with the journal committing.
  void run() {
    while (wakes > 0) {
      wakes = 0;
      desk.on_wake();
      commit();
    }
  }
  std::string ask_whole(const std::string& request) {
    ask(request);
    run();
    REQUIRE(answer);
    return *answer;
  }
  // The answer when the journal has committed, and loaded, all that it takes.
  std::string ask_after_commits(const std::string& request) {
    ask(request);
    for (int round = 0; round < 10 && !answer; ++round) {
      commit();
      for (auto& page : journal.take_pages())
        router.on_loaded(std::move(page));
    }
    REQUIRE(answer);
    return *answer;
  }
  std::uint64_t waiting(const std::string& queue) const {
    for (const auto& figures : router.queue_figures()) {
      if (figures.name == queue) return figures.waiting;
    }
    return 0;
  }
  std::string letter_id(std::size_t index) {
    const auto document = parse(*ask(R"({"verb":"dead-letters","action":"list"})"));
    return document["ok"]["messages"][static_cast<rapidjson::SizeType>(index)]["id"].GetString();
  }

  stompbox::testing::FakeJournal journal;
  routing::Router router;
  stompbox::testing::SilentPeer producer;
  routing::PeerId producer_id;
  std::int64_t now_ms = 10'000;
  int wakes = 0;
  std::optional<std::string> answer;
  Desk desk{router, nullptr,
            [] {
              ServerFacts facts;
              facts.version = "1.2.3";
              facts.store_identity = "queues";
              facts.listeners = {"tcp://127.0.0.1:61613"};
              return facts;
            },
            [this] { return now_ms; }, [this] { ++wakes; }};
};

}  // namespace stompbox::control::test
