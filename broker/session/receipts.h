#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/routing/consumer.h"
#include "broker/session/short_queue.h"

namespace stompbox::session {

// The receipts that one peer is owed, in the order of their frames: one goes out when its promise
// holds and all before it are out (DESIGN §1, fact H3). Numbers count from 1.
class Receipts {
 public:
  struct Entry {
    std::string text;                     // value of the `receipt` header, decoded
    std::optional<std::uint32_t> starts;  // tag of the subscription that waits for it (fact F16)
    bool due = false;
  };

  [[nodiscard]] routing::ReceiptNumber owe(std::string_view text);
  void mark_due(routing::ReceiptNumber number);
  // Deliveries of that subscription begin when this receipt has gone out.
  void starts(routing::ReceiptNumber number, std::uint32_t tag);
  // The first, if it is due; it is owed no longer.
  [[nodiscard]] std::optional<Entry> take_due();
  // Nothing if it is not owed.
  [[nodiscard]] std::optional<std::string> text(routing::ReceiptNumber number) const;
  // That one and all later ones will never be due; an ERROR answers the first of them. Nothing may
  // be owed afterwards: numbers would come twice.
  void forget_from(routing::ReceiptNumber number);
  // Nobody is there to read them.
  void forget_all();

  [[nodiscard]] std::size_t owed_count() const { return entries_.size(); }
  [[nodiscard]] std::size_t owed_bytes() const { return bytes_; }

 private:
  [[nodiscard]] Entry* find(routing::ReceiptNumber number);

  ShortQueue<Entry> entries_;
  std::uint64_t first_ = 1;  // number of entries_.front()
  std::size_t bytes_ = 0;    // of all texts
};

}  // namespace stompbox::session
