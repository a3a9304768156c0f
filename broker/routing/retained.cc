#include "broker/routing/retained.h"

#include <utility>

#include "broker/routing/pattern.h"

namespace stompbox::routing {
namespace {

bool is_expired(const queue::Message& message, std::int64_t now_ms) {
  return message.expires_ms != 0 && message.expires_ms <= now_ms;
}

}  // namespace

storage::Status RetainedStore::has_room(std::string_view topic, std::size_t message_bytes) const {
  const auto found = messages_.find(topic);
  const std::size_t freed = found == messages_.end() ? 0 : found->second->bytes();
  if (bytes_ - freed + message_bytes <= bytes_max_) return storage::kOk;
  return storage::Error{storage::ErrorCode::kFull,
                        "the retained messages of all topics have no room for this one "
                        "(option routing.retained_max)"};
}

void RetainedStore::set(std::string_view topic, queue::MessagePtr message) {
  bytes_ += message->bytes();
  const auto found = messages_.find(topic);
  if (found == messages_.end()) {
    messages_.emplace(std::string(topic), std::move(message));
    return;
  }
  bytes_ -= found->second->bytes();
  found->second = std::move(message);
}

void RetainedStore::remove(std::string_view topic) {
  const auto found = messages_.find(topic);
  if (found == messages_.end()) return;
  bytes_ -= found->second->bytes();
  messages_.erase(found);
}

void RetainedStore::clear() {
  messages_.clear();
  bytes_ = 0;
}

void RetainedStore::visit(const Destination& topics, std::int64_t now_ms,
                          const std::function<void(const queue::MessagePtr&)>& visit) const {
  if (!topics.has_wildcards) {
    const auto found = messages_.find(topics.name);
    if (found != messages_.end() && !is_expired(*found->second, now_ms)) visit(found->second);
    return;
  }
  const Pattern pattern(topics.name);
  for (const auto& [name, message] : messages_) {
    if (pattern.matches(name) && !is_expired(*message, now_ms)) visit(message);
  }
}

}  // namespace stompbox::routing
