#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/queue/journal.h"
#include "tests/sim/chance.h"
#include "tests/sim/faults.h"

namespace stompbox::sim {

// What outlives a crash of the simulated broker.
struct Platter {
  struct Stored {
    queue::MessagePtr message;
    std::uint32_t deliveries = 0;
  };
  struct StoredQueue {
    std::string name;
    std::string attributes;
    std::map<queue::Place, Stored> messages;
    std::uint64_t next_seq = 1;
    std::map<queue::PriorityClass, queue::Seq> last_of_class;
  };
  std::map<queue::QueueId, StoredQueue> queues;
  queue::QueueId last_queue;
  std::uint32_t epoch = 0;

  // As a start of the broker finds it: a new epoch, volatile messages gone.
  [[nodiscard]] queue::StoreState start(Fault fault);
  void apply(const queue::Op& op);
};

// A journal in slow motion: submitted → taken → written → synced → reported, one step at a time, in
// the order that chance says. A crash loses what is not synced, but for a prefix that got through.
class SimJournal final : public queue::Journal {
 public:
  SimJournal(Platter& platter, Chance& chance, Fault fault);

  queue::Ticket submit(queue::Op op) override;
  queue::Ticket submit_together(std::vector<queue::Op> ops) override;
  bool withdraw(queue::Ticket append) override;
  void load(const queue::LoadRequest& request) override;
  std::uint64_t pending_bytes() const override { return pending_bytes_; }
  void hold() override {}
  void release() override {}

  // One step of the committer, if there is one to do.
  void step();
  // The power goes: some prefix of what was written may have reached the platter, whole groups
  // only.
  void crash();
  [[nodiscard]] bool busy() const;

  // What would be posted to the loop by now.
  [[nodiscard]] std::optional<queue::CommitReport> next_report();
  [[nodiscard]] std::optional<queue::LoadedPage> next_page();

 private:
  struct Group {
    queue::Ticket ticket;
    std::vector<queue::Op> ops;
    bool withdrawn = false;
  };
  enum class Stage { kIdle, kTaken, kWritten };

  void apply(const Group& group);
  [[nodiscard]] bool joins_last(const queue::Op& op);
  [[nodiscard]] queue::LoadedPage read(const queue::LoadRequest& request);

  Platter& platter_;
  Chance& chance_;
  const Fault fault_;
  std::deque<Group> pending_;
  std::vector<Group> batch_;
  Stage stage_ = Stage::kIdle;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t pending_bytes_ = 0;
  std::deque<queue::CommitReport> reports_;
  struct Load {
    queue::LoadRequest request;
    std::optional<queue::LoadedPage> seen;  // the reader has looked; its page is under way
  };
  std::deque<Load> loads_;
};

}  // namespace stompbox::sim
