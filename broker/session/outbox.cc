#include "broker/session/outbox.h"

#include <cassert>

namespace stompbox::session {

bool Outbox::tail_is_open() const {
  return !chunks_.empty() && !tail_locked_ && !chunks_.back().message &&
         chunks_.back().bytes.size() < kChunkBytes;
}

std::string& Outbox::tail() {
  if (!tail_is_open()) {
    if (shared_ != nullptr && !shared_->chunks.empty()) {
      chunks_.splice(chunks_.end(), shared_->chunks, shared_->chunks.begin());
    } else {
      chunks_.emplace_back();
    }
    tail_counted_ = 0;
    tail_locked_ = false;
  }
  return chunks_.back().bytes;
}

void Outbox::appended() {
  assert(!chunks_.empty() && !chunks_.back().message);
  const std::size_t size = chunks_.back().bytes.size();
  assert(size >= tail_counted_);
  position_ += size - tail_counted_;
  tail_counted_ = size;
}

void Outbox::append(std::string_view bytes) {
  if (bytes.empty()) return;
  tail().append(bytes);
  appended();
}

void Outbox::append_body(const queue::MessagePtr& message) {
  if (message->body.size() < kReferenceFrom) {
    append(message->body);
    return;
  }
  chunks_.push_back({.bytes = {}, .message = message});
  tail_locked_ = false;
  position_ += message->body.size();
}

std::size_t Outbox::gather(Piece* pieces, std::size_t count_max) const {
  std::size_t count = 0;
  std::size_t skipped = front_taken_;
  for (const OutboxChunk& chunk : chunks_) {
    if (count == count_max) return count;
    const std::string& text = chunk.text();
    if (text.size() > skipped) {
      pieces[count++] = {.begin = text.data() + skipped, .size = text.size() - skipped};
    }
    skipped = 0;
  }
  tail_locked_ = true;
  return count;
}

void Outbox::pop_front() {
  OutboxChunk& front = chunks_.front();
  const bool is_of_use = shared_ != nullptr && !front.message &&
                         front.bytes.capacity() >= kChunkBytes / 8 &&
                         front.bytes.capacity() <= 2 * kChunkBytes;
  if (is_of_use && shared_->chunks.size() < Shared::kChunksMax) {
    front.bytes.clear();
    // The last one used is the first to be used again: its memory is still at hand.
    shared_->chunks.splice(shared_->chunks.begin(), chunks_, chunks_.begin());
  } else {
    chunks_.pop_front();
  }
  front_taken_ = 0;
}

void Outbox::consume(std::size_t bytes) {
  assert(bytes <= waiting_bytes());
  sent_ += bytes;
  tail_locked_ = false;
  while (!chunks_.empty()) {
    const std::size_t left = chunks_.front().text().size() - front_taken_;
    if (bytes < left) break;
    bytes -= left;
    pop_front();
  }
  front_taken_ += bytes;
}

void Outbox::clear() {
  chunks_.clear();
  front_taken_ = 0;
  tail_counted_ = 0;
  tail_locked_ = false;
  position_ = sent_;
}

}  // namespace stompbox::session
