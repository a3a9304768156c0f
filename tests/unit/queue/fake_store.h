#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/queue/queue_store.h"

namespace stompbox::queue::test {

// A store that keeps a diary and does as it is told. Any thread.
class FakeStore final : public QueueStore {
 public:
  struct Written {
    std::vector<std::uint64_t> appended;
    std::vector<std::uint64_t> erased;
    std::size_t discard_count = 0;
    Durability durability = Durability::kWritten;
  };

  // The next write waits until open_gate().
  void close_gate() {
    const std::lock_guard lock(mutex_);
    gate_is_open_ = false;
  }
  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      gate_is_open_ = true;
    }
    changed_.notify_all();
  }
  // How many writes have begun.
  [[nodiscard]] std::size_t begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  void set_room(Room room) {
    const std::lock_guard lock(mutex_);
    room_ = room;
  }
  void fail_writes(std::optional<storage::Error> error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
  }
  [[nodiscard]] std::vector<Written> written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }
  void find_when_loading(std::vector<Discard> discards) {
    const std::lock_guard lock(mutex_);
    found_ = std::move(discards);
  }

  [[nodiscard]] const StoreState& state() const override { return state_; }

  [[nodiscard]] storage::Status write(const StoreBatch& batch, Durability durability) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.wait(lock, [this] { return gate_is_open_; });
    kept_ = describe(batch, durability);
    return write_kept();
  }

  [[nodiscard]] storage::Status write_again() override {
    const std::lock_guard lock(mutex_);
    return write_kept();
  }

  [[nodiscard]] Room room() override {
    const std::lock_guard lock(mutex_);
    return room_;
  }

  [[nodiscard]] LoadedPage load(const LoadRequest& request,
                                std::vector<Discard>& discards) override {
    const std::lock_guard lock(mutex_);
    discards = std::move(found_);
    LoadedPage page;
    page.queue = request.queue;
    page.from = request.from;
    return page;
  }

  // Once.
  void have_tidying_due() { tidy_due_ = true; }
  [[nodiscard]] std::size_t tidied() const { return tidied_; }
  [[nodiscard]] bool tidy_due() const override { return tidy_due_; }
  [[nodiscard]] Tidied tidy(std::vector<Discard>&) override {
    tidy_due_ = false;
    ++tidied_;
    return Tidied::kDone;
  }
  void settle() override {}

 private:
  static Written describe(const StoreBatch& batch, Durability durability) {
    Written written{{}, {}, batch.discards.size(), durability};
    for (const Op& op : batch.ops) {
      if (const auto* append = std::get_if<Append>(&op)) {
        written.appended.push_back(append->place.seq.value);
      } else if (const auto* erase = std::get_if<Erase>(&op)) {
        for (std::uint64_t i = 0; i < erase->count; ++i)
          written.erased.push_back(erase->place.seq.value + i);
      }
    }
    return written;
  }

  storage::Status write_kept() {
    if (failure_) return *failure_;
    written_.push_back(kept_);
    return storage::kOk;
  }

  StoreState state_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool gate_is_open_ = true;
  std::size_t begun_ = 0;
  Room room_ = Room::kEnough;
  std::optional<storage::Error> failure_;
  Written kept_;
  std::vector<Written> written_;
  std::vector<Discard> found_;
  std::atomic<bool> tidy_due_{false};
  std::atomic<std::size_t> tidied_{0};
};

}  // namespace stompbox::queue::test
