#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "broker/routing/router.h"
#include "storage/queue/journal.h"

namespace stompbox::drain {

// A journal that commits when the test says so and remembers what it was given.
class InstantJournal final : public queue::Journal {
 public:
  queue::Ticket submit(queue::Op op) override {
    ops.push_back(std::move(op));
    return {++last_};
  }
  queue::Ticket submit_together(std::vector<queue::Op> together) override {
    for (queue::Op& op : together)
      ops.push_back(std::move(op));
    return {++last_};
  }
  bool withdraw(queue::Ticket append) override { return append.value > committed_; }
  void load(const queue::LoadRequest& request) override { loads.push_back(request); }
  std::uint64_t pending_bytes() const override { return 0; }

  void commit(routing::Router& router) {
    committed_ = last_;
    router.on_commit({queue::Ticket{committed_}, false, 0, std::nullopt});
  }
  // The messages that were appended to the queue of that name.
  std::vector<queue::MessagePtr> appended(const std::string& name) const {
    std::vector<queue::MessagePtr> messages;
    std::optional<queue::QueueId> id;
    for (const queue::Op& op : ops) {
      const auto* created = std::get_if<queue::CreateQueue>(&op);
      if (created != nullptr && created->name == name) id = created->queue;
      const auto* append = std::get_if<queue::Append>(&op);
      if (append != nullptr && id == append->queue) messages.push_back(append->message);
    }
    return messages;
  }

  std::vector<queue::Op> ops;
  std::vector<queue::LoadRequest> loads;

 private:
  std::uint64_t last_ = 0;
  std::uint64_t committed_ = 0;
};

// A peer that only sends, or only takes up a place at a queue.
class SilentPeer final : public routing::Consumer {
 public:
  void deliver(const routing::Delivery&) override {}
  void receipt_due(routing::ReceiptNumber) override {}
  void refused(routing::ReceiptNumber, const storage::Error&) override {}
  void too_slow(std::uint32_t) override {}
  void room_again() override {}
};

}  // namespace stompbox::drain
