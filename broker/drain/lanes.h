#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "broker/drain/round.h"

// One round, spread over workers: which message is read next, and what may be saved together.
//
//   round ──ReadTask──▶ read ──in the order of the walk──▶ node unknown? held ──SaveTask──▶ settled
//                                                          else: waits for the newer one's fate
//
// The walk goes from the newest message to the oldest, facts before catalogs; messages may be read
// ahead in any order, but are looked at in that of the walk. A node has a lane a kind, with at most
// one message that is held or being saved; its catalog is not saved while its facts are. So any
// worker may take any SaveTask, and still two messages of a node are never saved at once or out of
// order.
namespace stompbox::drain {

// What one worker does next. A task ends with on_read, on_saved or abandon.
struct ReadTask {
  std::size_t index = 0;  // of the round's item
};

// Empty: nothing until another task has ended.
using Task = std::variant<std::monostate, ReadTask, SaveTask>;

enum class WorkerRole : std::uint8_t {
  kReads,  // has no store
  kReadsAndSaves,
};

// One thread at a time. No failure but that of memory: std::bad_alloc, after which give_up() ends
// the round.
class Lanes {
 public:
  // `savers` (at least one): how many may save at once. The more there are, the smaller the tasks
  // become towards the end of the round, so that nobody waits long for the slowest.
  Lanes(Round round, const ChunkBounds& bounds, std::size_t savers);

  [[nodiscard]] const Round& round() const { return round_; }
  [[nodiscard]] Task next(WorkerRole role);
  void on_read(std::size_t index, storage::Result<MessageContent> content);
  // `indexes` and outcomes in the order of the task's messages.
  void on_saved(const std::vector<std::size_t>& indexes,
                std::vector<catalog::SaveOutcome> outcomes);
  // A save whose end is not waited for: its messages go back to the queue.
  void abandon(const std::vector<std::size_t>& indexes, const std::string& reason);
  // Nothing more is begun; what is not settled goes back to the queue.
  void give_up(const std::string& reason);

  // No task is under way, and none is left.
  [[nodiscard]] bool finished() const;
  // Once, when finished.
  [[nodiscard]] RoundResult take_result();

 private:
  enum class Standing : std::uint8_t { kPending, kSettled };  // of the newest readable message
  struct Node {
    Standing standing = Standing::kPending;
    std::deque<std::size_t> older;  // met while it is pending, newest first
  };
  struct Lane {  // one kind's share
    std::unordered_map<std::string, Node> nodes;
    std::vector<HeldMessage> held;  // in the order of the walk
    std::size_t held_bytes = 0;
    std::size_t left = 0;  // messages that the walk has not come to
  };

  [[nodiscard]] Lane& lane(MessageKind kind) { return lanes_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Lane& lane_of(std::size_t index) { return lane(round_.items[index].kind); }
  [[nodiscard]] std::size_t bytes_of(std::size_t index) const;

  [[nodiscard]] std::optional<ReadTask> next_read();
  [[nodiscard]] std::optional<SaveTask> next_save(bool only_full);
  [[nodiscard]] std::optional<SaveTask> next_save(MessageKind kind, bool only_full);
  [[nodiscard]] bool may_be_saved(MessageKind kind, const HeldMessage& message);
  [[nodiscard]] std::size_t task_size(const Lane& lane) const;

  [[nodiscard]] bool note_content(std::size_t index, storage::Result<MessageContent>& content);
  void visit_arrived();
  void visit(std::size_t index, storage::Result<MessageContent> content);
  [[nodiscard]] bool is_readable(std::size_t index, const MessageContent& content);
  void hold(std::size_t index, MessageContent content);
  void settle(std::size_t index, catalog::SaveOutcome outcome);
  void settle_older(std::size_t index);
  void take_next_older(std::size_t index);

  const Round round_;
  const ChunkBounds bounds_;
  const std::size_t savers_;

  RoundResult result_;
  std::vector<std::size_t> walk_;                                   // indexes
  std::size_t handed_out_ = 0;                                      // of the walk, to be read
  std::size_t visited_ = 0;                                         // of the walk
  std::map<std::size_t, storage::Result<MessageContent>> arrived_;  // read before their turn
  std::deque<std::size_t> again_;  // older ones to be read again, in place of a refused one
  std::vector<bool> read_again_;   // by index
  Lane lanes_[2];

  std::size_t parsed_count_ = 0;  // being read, read, held, being saved
  std::size_t parsed_bytes_ = 0;  // of their messages
  std::size_t under_way_ = 0;     // tasks
  std::string trouble_;           // why nothing more is begun
};

}  // namespace stompbox::drain
