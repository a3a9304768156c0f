#include "broker/session/receipts.h"

#include <utility>

namespace stompbox::session {

routing::ReceiptNumber Receipts::owe(std::string_view text) {
  entries_.push_back({.text = std::string(text), .starts = std::nullopt, .due = false});
  bytes_ += text.size();
  return {first_ + entries_.size() - 1};
}

Receipts::Entry* Receipts::find(routing::ReceiptNumber number) {
  const std::uint64_t index = number.value - first_;  // wraps for those that are gone
  return index < entries_.size() ? &entries_[index] : nullptr;
}

void Receipts::mark_due(routing::ReceiptNumber number) {
  if (Entry* const entry = find(number)) entry->due = true;
}

void Receipts::starts(routing::ReceiptNumber number, std::uint32_t tag) {
  if (Entry* const entry = find(number)) entry->starts = tag;
}

std::optional<Receipts::Entry> Receipts::take_due() {
  if (entries_.empty() || !entries_.front().due) return std::nullopt;
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  ++first_;
  bytes_ -= entry.text.size();
  return entry;
}

std::optional<std::string> Receipts::text(routing::ReceiptNumber number) const {
  const std::uint64_t index = number.value - first_;
  if (index >= entries_.size()) return std::nullopt;
  return entries_[index].text;
}

void Receipts::forget_from(routing::ReceiptNumber number) {
  while (!entries_.empty() && first_ + entries_.size() > number.value) {
    bytes_ -= entries_.back().text.size();
    entries_.pop_back();
  }
}

void Receipts::forget_all() {
  first_ += entries_.size();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace stompbox::session
