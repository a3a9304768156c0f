#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "broker/routing/destination.h"
#include "storage/queue/message.h"
#include "storage/result.h"

namespace stompbox::routing {

// The message that each topic keeps for those who subscribe later (`retain:set`, fact 2.1). In
// memory only: a restart forgets them, as Apollo's does.
class RetainedStore {
 public:
  explicit RetainedStore(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Whether the message may take the place of what its topic has kept; kFull otherwise.
  [[nodiscard]] storage::Status has_room(std::string_view topic, std::size_t message_bytes) const;
  void set(std::string_view topic, queue::MessagePtr message);
  void remove(std::string_view topic);
  void clear();

  // Calls visit(message) for what the topics of that destination have kept and is not expired, in
  // order of names.
  void visit(const Destination& topics, std::int64_t now_ms,
             const std::function<void(const queue::MessagePtr&)>& visit) const;
  [[nodiscard]] std::size_t count() const { return messages_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  const std::size_t bytes_max_;
  std::map<std::string, queue::MessagePtr, std::less<>> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace stompbox::routing
