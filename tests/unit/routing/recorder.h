#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/routing/router.h"
#include "tests/support/fake_journal.h"

namespace stompbox::testing {

// A consumer that writes down what it is told.
class Recorder final : public routing::Consumer {
 public:
  void deliver(const routing::Delivery& delivery) override { deliveries.push_back(delivery); }
  void receipt_due(routing::ReceiptNumber receipt) override { receipts.push_back(receipt.value); }
  void refused(routing::ReceiptNumber receipt, const storage::Error& error) override {
    refusals.emplace_back(receipt.value, error.text);
  }
  void too_slow(std::uint32_t tag) override { slow_tags.push_back(tag); }
  void browse_end(std::uint32_t tag) override { ended_tags.push_back(tag); }
  void room_again() override { rooms += 1; }

  // The bodies delivered since the last call.
  std::vector<std::string> bodies() {
    std::vector<std::string> all;
    for (; read_ < deliveries.size(); ++read_)
      all.push_back(deliveries[read_].message->body);
    return all;
  }

  std::vector<routing::Delivery> deliveries;
  std::vector<std::uint64_t> receipts;
  std::vector<std::pair<std::uint64_t, std::string>> refusals;
  std::vector<std::uint32_t> slow_tags;
  std::vector<std::uint32_t> ended_tags;
  int rooms = 0;

 private:
  std::size_t read_ = 0;
};

// A router over a fake journal, with the few verbs that its tests need.
class RouterTable {
 public:
  explicit RouterTable(routing::RoutingOptions options = {}, std::uint32_t epoch = 1)
      : journal(epoch), router(journal, std::move(options), journal.state()) {}

  // A start over what another life has left on the disk.
  explicit RouterTable(FakeJournal found, routing::RoutingOptions options = {})
      : journal(std::move(found)), router(journal, std::move(options), journal.state()) {}

  routing::PeerId join(Recorder& recorder, std::string owner = {}) {
    return router.attach(recorder, std::move(owner));
  }

  storage::Status send(routing::PeerId peer, std::string destination, std::string body,
                       std::uint64_t receipt = 0,
                       queue::Persistence persistence = queue::Persistence::kDurable) {
    routing::Draft draft;
    draft.destination = std::move(destination);
    draft.body = std::move(body);
    draft.persistence = persistence;
    std::optional<routing::ReceiptNumber> number;
    if (receipt != 0) number = routing::ReceiptNumber{receipt};
    return router.publish(peer, std::move(draft), 1000, number);
  }

  storage::Status publish(routing::PeerId peer, routing::Draft draft, std::uint64_t receipt = 0,
                          std::int64_t now_ms = 1000) {
    std::optional<routing::ReceiptNumber> number;
    if (receipt != 0) number = routing::ReceiptNumber{receipt};
    return router.publish(peer, std::move(draft), now_ms, number);
  }

  // Of any kind; begins to deliver. `destinations` may be a composite.
  storage::Result<routing::SubscriptionId> subscribe_as(routing::SubscribeRequest request,
                                                        std::string_view destinations) {
    request.destinations = *routing::parse_destinations(destinations, routing::default_profile());
    auto subscription = router.subscribe(request);
    if (subscription) router.start_delivery(*subscription);
    return subscription;
  }

  routing::SubscriptionId subscribe(routing::PeerId peer, std::string_view destination,
                                    routing::AckMode mode, routing::Credit credit = {},
                                    std::uint32_t tag = 0) {
    routing::SubscribeRequest request;
    request.peer = peer;
    request.tag = tag;
    request.destinations = {*routing::parse_destination(destination)};
    request.ack_mode = mode;
    request.credit = credit;
    const auto subscription = router.subscribe(request);
    router.start_delivery(*subscription);
    return *subscription;
  }

  void commit() { router.on_commit(journal.commit()); }
  void load() {
    for (queue::LoadedPage& page : journal.take_pages())
      router.on_loaded(std::move(page));
  }
  // Until the disk has nothing more to do.
  void settle() {
    while (journal.has_work()) {
      commit();
      load();
    }
  }

  FakeJournal journal;
  routing::Router router;
};

}  // namespace stompbox::testing
