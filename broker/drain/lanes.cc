#include "broker/drain/lanes.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace stompbox::drain {
namespace {

using catalog::SaveOutcome;
using catalog::SaveStatus;

ItemFate fate_of(SaveStatus status) {
  switch (status) {
    case SaveStatus::kStored: return ItemFate::kStored;
    case SaveStatus::kUnchanged: return ItemFate::kUnchanged;
    case SaveStatus::kSuperseded: return ItemFate::kSuperseded;
    case SaveStatus::kSkipped: return ItemFate::kSkipped;
    case SaveStatus::kTransient: return ItemFate::kRetry;
    case SaveStatus::kPermanent: return ItemFate::kDeadLetter;
  }
  return ItemFate::kRetry;
}

const char* kind_of_unreadable(const storage::Error& error) {
  return error.code == storage::ErrorCode::kTooLarge ? "too-large" : "unreadable";
}

void append(std::vector<std::string>& warnings, std::vector<std::string> more) {
  warnings.insert(warnings.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

// Facts before catalogs, of each kind the newest first.
std::vector<std::size_t> walk_of(const Round& round) {
  std::vector<std::size_t> walk;
  walk.reserve(round.items.size());
  for (const MessageKind kind : {MessageKind::kFacts, MessageKind::kCatalog}) {
    for (std::size_t left = round.items.size(); left > 0; --left) {
      if (round.items[left - 1].kind == kind) walk.push_back(left - 1);
    }
  }
  return walk;
}

}  // namespace

Lanes::Lanes(Round round, const ChunkBounds& bounds, std::size_t savers)
    : round_(std::move(round)),
      bounds_(bounds),
      savers_(savers),
      result_(retry_all(round_, {})),
      walk_(walk_of(round_)),
      read_again_(round_.items.size(), false) {
  assert(savers_ > 0);
  for (const std::size_t index : walk_)
    ++lane_of(index).left;
}

std::size_t Lanes::bytes_of(std::size_t index) const {
  return round_.items[index].message->body.size();
}

// A task that is worth a transaction goes first, then reading, then whatever is held.
Task Lanes::next(WorkerRole role) {
  if (!trouble_.empty()) return {};
  const bool saves = role == WorkerRole::kReadsAndSaves;
  if (saves) {
    if (auto save = next_save(true)) return std::move(*save);
  }
  if (const auto read = next_read()) return *read;
  if (saves) {
    if (auto save = next_save(false)) return std::move(*save);
  }
  return {};
}

std::optional<ReadTask> Lanes::next_read() {
  const bool again = !again_.empty();
  if (!again && handed_out_ == walk_.size()) return std::nullopt;
  const std::size_t index = again ? again_.front() : walk_[handed_out_];
  // One more task than are being saved; what takes the place of a refused one always fits.
  const bool room = parsed_count_ < bounds_.count_max * (savers_ + 1) &&
                    parsed_bytes_ + bytes_of(index) <= 2 * bounds_.bytes_max;
  if (!again && !room && parsed_count_ > 0) return std::nullopt;
  if (again) {
    again_.pop_front();
    read_again_[index] = true;
  } else {
    ++handed_out_;
  }
  ++parsed_count_;
  parsed_bytes_ += bytes_of(index);
  ++under_way_;
  return ReadTask{index};
}

std::optional<SaveTask> Lanes::next_save(bool only_full) {
  auto facts = next_save(MessageKind::kFacts, only_full);
  return facts ? std::move(facts) : next_save(MessageKind::kCatalog, only_full);
}

std::optional<SaveTask> Lanes::next_save(MessageKind kind, bool only_full) {
  Lane& lane = this->lane(kind);
  const std::size_t count_max = task_size(lane);
  const std::size_t bytes_max = std::max<std::size_t>(1, bounds_.bytes_max / savers_);
  const bool facts_are_read = kind == MessageKind::kFacts && lane.left == 0;
  const bool full = lane.held.size() >= count_max || lane.held_bytes >= bytes_max || facts_are_read;
  if (lane.held.empty() || (only_full && !full)) return std::nullopt;
  SaveTask task{kind, {}};
  std::vector<HeldMessage> kept;
  std::size_t bytes = 0;
  for (HeldMessage& message : lane.held) {
    const std::size_t size = bytes_of(message.index);
    const bool fits =
        task.messages.empty() || (task.messages.size() < count_max && bytes + size <= bytes_max);
    const bool taken = fits && may_be_saved(kind, message);
    if (taken) bytes += size;
    (taken ? task.messages : kept).push_back(std::move(message));
  }
  lane.held = std::move(kept);
  if (task.messages.empty()) return std::nullopt;
  lane.held_bytes -= bytes;
  std::sort(task.messages.begin(), task.messages.end(),
            [](const HeldMessage& a, const HeldMessage& b) { return a.index < b.index; });
  ++under_way_;
  return task;
}

// With several savers half a fair share of what is left, so that they end together.
std::size_t Lanes::task_size(const Lane& lane) const {
  if (savers_ == 1) return bounds_.count_max;
  const std::size_t left = lane.left + lane.held.size();
  return std::clamp<std::size_t>((left + 2 * savers_ - 1) / (2 * savers_), 1, bounds_.count_max);
}

bool Lanes::may_be_saved(MessageKind kind, const HeldMessage& message) {
  if (kind == MessageKind::kFacts) return true;
  const auto& facts = lane(MessageKind::kFacts).nodes;
  const auto found = facts.find(result_.items[message.index].node);
  return found == facts.end() || found->second.standing == Standing::kSettled;
}

void Lanes::on_read(std::size_t index, storage::Result<MessageContent> content) {
  --under_way_;
  if (!trouble_.empty()) return;
  if (read_again_[index]) {
    if (note_content(index, content)) {
      hold(index, std::move(*content));
    } else {
      take_next_older(index);
    }
    return;
  }
  const auto place =
      std::find(walk_.begin() + static_cast<std::ptrdiff_t>(visited_), walk_.end(), index);
  assert(place != walk_.end());
  arrived_.emplace(static_cast<std::size_t>(place - walk_.begin()), std::move(content));
  visit_arrived();
}

void Lanes::visit_arrived() {
  while (!arrived_.empty() && arrived_.begin()->first == visited_) {
    auto content = std::move(arrived_.extract(arrived_.begin()).mapped());
    const std::size_t index = walk_[visited_++];
    --lane_of(index).left;
    visit(index, std::move(content));
  }
}

// Whether it could be read; else its fate is set.
bool Lanes::note_content(std::size_t index, storage::Result<MessageContent>& content) {
  ItemResult& item = result_.items[index];
  if (content) {
    item.node = content->node();
    item.warnings = content->take_warnings();
    return true;
  }
  item.fate = ItemFate::kDeadLetter;
  item.kind = kind_of_unreadable(content.error());
  item.reason = content.error().text;
  --parsed_count_;
  parsed_bytes_ -= bytes_of(index);
  return false;
}

void Lanes::visit(std::size_t index, storage::Result<MessageContent> content) {
  if (!note_content(index, content)) return;
  ItemResult& item = result_.items[index];
  const auto [node, is_first] = lane_of(index).nodes.try_emplace(item.node);
  if (is_first) return hold(index, std::move(*content));
  if (!is_readable(index, *content)) return;
  --parsed_count_;
  parsed_bytes_ -= bytes_of(index);
  if (node->second.standing == Standing::kPending) {
    node->second.older.push_back(index);
  } else {
    item.fate = ItemFate::kSuperseded;
  }
}

// What gives way to a newer one is read to its end all the same: nothing unreadable vanishes (P7).
bool Lanes::is_readable(std::size_t index, const MessageContent& content) {
  const auto read_whole = content.whole_reader(round_.items[index].message->body);
  if (!read_whole) return true;
  const auto whole = read_whole();
  if (whole) return true;
  storage::Result<MessageContent> unreadable(whole.error());
  return note_content(index, unreadable);
}

void Lanes::hold(std::size_t index, MessageContent content) {
  Lane& lane = lane_of(index);
  lane.held.push_back({index, std::move(content)});
  lane.held_bytes += bytes_of(index);
}

void Lanes::on_saved(const std::vector<std::size_t>& indexes, std::vector<SaveOutcome> outcomes) {
  --under_way_;
  assert(outcomes.size() == indexes.size());
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    --parsed_count_;
    parsed_bytes_ -= bytes_of(indexes[i]);
    settle(indexes[i], std::move(outcomes[i]));
  }
}

void Lanes::abandon(const std::vector<std::size_t>& indexes, const std::string& reason) {
  const SaveOutcome lost{SaveStatus::kTransient, {storage::ErrorCode::kUnavailable, reason}, {}};
  on_saved(indexes, std::vector<SaveOutcome>(indexes.size(), lost));
}

// A message that the database refuses for good makes room for the next older one of its node.
void Lanes::settle(std::size_t index, SaveOutcome outcome) {
  ItemResult& item = result_.items[index];
  item.fate = fate_of(outcome.status);
  append(item.warnings, std::move(outcome.warnings));
  if (item.fate == ItemFate::kRetry) {
    item.reason = outcome.error.text;
    return give_up(outcome.error.text);  // the older ones of the node keep kRetry
  }
  if (item.fate != ItemFate::kDeadLetter) return settle_older(index);
  item.kind = outcome.unreadable ? kind_of_unreadable(outcome.error) : "rejected";
  item.reason = outcome.error.text;
  take_next_older(index);
}

void Lanes::settle_older(std::size_t index) {
  Node& node = lane_of(index).nodes[result_.items[index].node];
  node.standing = Standing::kSettled;
  for (const std::size_t older : node.older)
    result_.items[older].fate = ItemFate::kSuperseded;
  node.older.clear();
}

// Without one the lane ends: the next of the node that the walk meets is the first again.
void Lanes::take_next_older(std::size_t index) {
  auto& nodes = lane_of(index).nodes;
  const auto node = nodes.find(result_.items[index].node);
  assert(node != nodes.end());
  if (node->second.older.empty()) {
    nodes.erase(node);
    return;
  }
  again_.push_back(node->second.older.front());
  node->second.older.pop_front();
}

void Lanes::give_up(const std::string& reason) {
  if (trouble_.empty()) trouble_ = reason.empty() ? "the database is in trouble" : reason;
}

bool Lanes::finished() const {
  if (under_way_ > 0) return false;
  if (!trouble_.empty()) return true;
  const bool nothing_held = lanes_[0].held.empty() && lanes_[1].held.empty();
  return visited_ == walk_.size() && again_.empty() && nothing_held;
}

RoundResult Lanes::take_result() {
  assert(finished());
  for (ItemResult& item : result_.items) {
    if (item.fate == ItemFate::kRetry && item.reason.empty()) item.reason = trouble_;
  }
  return std::move(result_);
}

}  // namespace stompbox::drain
