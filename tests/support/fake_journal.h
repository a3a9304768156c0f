#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/queue/journal.h"

namespace stompbox::testing {

// A Journal in memory whose disk does what the test says: nothing is committed, loaded or lost but
// by a call. Reports and pages are handed to whoever asks for them; the test gives them to the
// router.
class FakeJournal final : public queue::Journal {
 public:
  explicit FakeJournal(std::uint32_t epoch = 1) : epoch_(epoch) {}

  // queue::Journal
  queue::Ticket submit(queue::Op op) override;
  queue::Ticket submit_together(std::vector<queue::Op> ops) override;
  bool withdraw(queue::Ticket append) override;
  void load(const queue::LoadRequest& request) override { loads_.push_back(request); }
  std::uint64_t pending_bytes() const override;
  void hold() override {}
  void release() override {}

  // Writes what is pending, but for appends on a full disk, and says what the committer would say.
  [[nodiscard]] queue::CommitReport commit();
  // What the reader would answer, in the order of the requests.
  [[nodiscard]] std::vector<queue::LoadedPage> take_pages();
  [[nodiscard]] bool has_work() const { return !pending_.empty() || !loads_.empty(); }

  enum class Disk : std::uint8_t { kRoom, kFull };
  // The next commit() reports it.
  void set_disk(Disk disk) { disk_ = disk; }
  // For bounds on what is pending: that many bytes more than there are.
  void set_extra_pending_bytes(std::uint64_t bytes) { extra_pending_bytes_ = bytes; }

  // As after a kill and a start: what is pending is lost, the epoch is the next.
  void crash();
  [[nodiscard]] queue::StoreState state() const;

  struct Stored {
    queue::MessagePtr message;
    std::uint32_t deliveries = 0;
  };
  // What is on the disk, in delivery order; empty if the queue is not known.
  [[nodiscard]] std::vector<Stored> stored(const std::string& queue_name) const;
  [[nodiscard]] std::size_t stored_count(const std::string& queue_name) const {
    return stored(queue_name).size();
  }
  // Whether a queue of that name is on the disk, empty or not.
  [[nodiscard]] bool knows(const std::string& queue_name) const;
  // As the last CreateQueue gave them; empty if the queue is not known.
  [[nodiscard]] std::string attributes(const std::string& queue_name) const;
  [[nodiscard]] std::size_t append_count() const { return append_count_; }  // ever written
  // Whether those of each class came in growing order of places, as the journal wants them.
  [[nodiscard]] bool places_grew() const { return places_grew_; }
  [[nodiscard]] std::size_t return_count() const { return return_count_; }  // ever written
  [[nodiscard]] std::size_t group_count() const { return group_count_; }    // ever submitted

 private:
  struct QueueOnDisk {
    std::string name;
    std::string attributes;
    std::map<queue::Place, Stored> messages;
    std::uint64_t last_seq = 0;
    std::map<queue::PriorityClass, queue::Seq> last_of_class;
  };
  struct Submission {
    std::vector<queue::Op> ops;
    bool is_single_append = false;
  };
  void apply(const queue::Op& op);
  [[nodiscard]] bool must_wait(const std::vector<queue::Op>& ops) const;
  [[nodiscard]] static queue::QueueState state_of(queue::QueueId id, const QueueOnDisk& queue);
  [[nodiscard]] queue::LoadedPage page_for(const queue::LoadRequest& request) const;

  std::map<std::uint64_t, Submission> pending_;  // by ticket
  std::vector<queue::LoadRequest> loads_;
  std::map<queue::QueueId, QueueOnDisk> queues_;
  queue::QueueId last_queue_;
  bool places_grew_ = true;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t extra_pending_bytes_ = 0;
  std::size_t append_count_ = 0;
  std::size_t group_count_ = 0;
  std::size_t return_count_ = 0;
  std::uint32_t epoch_;
  Disk disk_ = Disk::kRoom;
};

}  // namespace stompbox::testing
