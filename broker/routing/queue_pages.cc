#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/routing/queue.h"

// What is in the store only: which page is wanted, and what one brings.
namespace stompbox::routing {
namespace {

// A pass over the store for what has expired begins at most so often.
constexpr std::int64_t kExpiryPassEveryMs = 30'000;
// Of a page that is looked through and not kept, when memory is short.
constexpr std::size_t kShortPageCount = 64;

queue::Place end_of_lane(queue::PriorityClass lane) {
  return {queue::PriorityClass{static_cast<std::uint8_t>(lane.value + 1)}, queue::Seq{0}};
}

queue::Place after(queue::Place place) {
  return {place.priority, queue::Seq{place.seq.value + 1}};
}

}  // namespace

bool Queue::is_paged(queue::Place place) const {
  const Lane* const lane = waiting_.find_lane(place.priority);
  return lane != nullptr && lane->is_paged(place.seq);
}

void Queue::remove_paged(queue::Place place, std::size_t bytes) {
  waiting_.lane(place.priority).forget_paged(bytes);
}

std::optional<queue::LoadRequest> Queue::want_load(std::int64_t now_ms, queue::Ticket committed) {
  now_ms_ = now_ms;
  if (load_.under_way || waits_for_commit_) return std::nullopt;
  Purpose purpose = Purpose::kDeliver;
  auto from = choosy_ ? choosy_->wants_page() : wants_page();
  if (!from) {
    purpose = Purpose::kExpiry;
    from = wants_expiry_page();
  }
  if (!from) return std::nullopt;
  prune_held(committed);
  load_ = Load{true, purpose, *from, committed};
  const std::size_t whole = residence_.queue_count_max;
  const std::size_t usual = drain_left_ > 0 ? whole : whole / 2;
  std::size_t count_max = std::max<std::size_t>(waiting_.count() < whole ? usual : whole / 8, 1);
  const bool is_kept = purpose == Purpose::kDeliver && !choosy_;
  if (!is_kept) count_max = whole;
  if (residence_.is_short()) count_max = is_kept ? 1 : kShortPageCount;
  return queue::LoadRequest{
      id_, *from, count_max, residence_.queue_bytes_max / 4, 0, end_of_lane(from->priority)};
}

// For the highest class that runs low. Nothing is read ahead when memory is short; then each page
// is asked for when a consumer waits for it.
std::optional<queue::Place> Queue::wants_page() {
  const bool is_hungry = drain_left_ > 0 || ring_.first() != nullptr;
  const bool reads_ahead = !consumers_.empty() && !residence_.is_short();
  bool is_first = true;
  for (const Lane& lane : waiting_.lanes()) {
    if (lane.paged_count == 0) continue;
    const queue::Place from{lane.priority, lane.paged_from};
    const bool is_dry = lane.front() == nullptr;
    if (is_hungry && is_dry) return from;
    const bool runs_low = lane.resident_count() <= residence_.queue_count_max / 2;
    const bool has_room = waiting_.has_room(Waiting::Share::kWhole);
    if (reads_ahead && is_first && runs_low && (has_room || is_dry)) return from;
    is_first = false;
  }
  return std::nullopt;
}

Entry Queue::entry_of(queue::LoadedMessage& loaded) {
  Entry entry;
  entry.home = this;
  entry.place = loaded.place;
  entry.message = std::move(loaded.message);
  entry.deliveries = loaded.deliveries;
  entry.storing = Storing::kTogether;
  entry.redelivered = loaded.deliveries > 0 || loaded.place.seq < found_before_;
  std::string scratch;
  entry.grouped = has_groups_ && find_header(*entry.message, "JMSXGroupID", scratch).has_value();
  return entry;
}

bool Queue::may_be_grouped(const queue::LoadedPage& page) const {
  return std::any_of(page.messages.begin(), page.messages.end(), [](const auto& loaded) {
    return loaded.message->header_block.find("JMSXGroupID:") != std::string::npos;
  });
}

void Queue::on_loaded(queue::LoadedPage& page, queue::Ticket committed, queue::Ticket submitted) {
  const Load load = std::exchange(load_, Load{});
  if (page.error && page.messages.empty()) {
    waits_for_commit_ = true;  // asking again at once would give the same answer
    return;
  }
  std::erase_if(page.messages, [&load](const queue::LoadedMessage& loaded) {
    return loaded.place.priority != load.from.priority;
  });
  if (!has_groups_ && may_be_grouped(page)) {
    has_groups_ = true;
    update_mode();
  }
  // The end of what the reader saw was reached. Either all was there to be seen, or something is
  // on its way to the disk, or it was committed after the reader had looked: the next page brings
  // it.
  const bool is_end = !page.more && !page.error;
  const bool is_all = is_end && load.committed >= submitted;
  const bool is_early = is_end && !is_all && committed < submitted;
  Lane& lane = waiting_.lane(load.from.priority);
  page.from = load.from;
  if (load.purpose == Purpose::kExpiry) {
    look_for_expired(page);
    return;
  }
  if (lane.paged_count == 0) return;
  if (choosy_) {
    show_to_choosy(page, is_all);
    if (is_early) waits_for_commit_ = true;
  } else if (load.from.seq == lane.paged_from) {
    fill(lane, page, is_all);
    if (is_early && lane.paged_count > 0) waits_for_commit_ = true;
  }
}

void Queue::fill(Lane& lane, queue::LoadedPage& page, bool is_all) {
  for (queue::LoadedMessage& loaded : page.messages) {
    const queue::Seq seq = loaded.place.seq;
    lane.paged_from = after(loaded.place).seq;
    if (lane.held.contains(seq.value)) continue;
    Entry entry = entry_of(loaded);
    lane.forget_paged(entry.bytes());
    waiting_.push_fresh(std::move(entry));
  }
  // The store may have more than it counted, unless that is what is held: of what is paged, or
  // behind it.
  const auto is_ahead = [&lane](std::uint64_t seq) { return lane.paged_from.value <= seq; };
  const bool may_be_more = page.more && lane.paged_from <= lane.paged_to;
  if (may_be_more && std::none_of(lane.held.begin(), lane.held.end(), is_ahead)) {
    lane.paged_count = std::max<std::uint64_t>(lane.paged_count, 1);
  }
  if (!is_all) return;
  // The store has counted what it cannot give.
  lane.paged_count = 0;
  lane.paged_bytes = 0;
}

void Queue::show_to_choosy(queue::LoadedPage& page, bool is_all) {
  Choosy::Page shown;
  shown.from = page.from;
  shown.is_all = is_all;
  for (queue::LoadedMessage& loaded : page.messages)
    shown.entries.push_back(entry_of(loaded));
  choosy_->look_through(std::move(shown));
}

std::optional<queue::Place> Queue::wants_expiry_page() {
  if (waiting_.nothing_paged()) {
    paged_expiry_.next_ms = kNoDate;
    paged_expiry_.reached.reset();
    return std::nullopt;
  }
  if (!paged_expiry_.reached) {
    if (paged_expiry_.next_ms > now_ms_ || paged_expiry_.not_before_ms > now_ms_) {
      return std::nullopt;
    }
    paged_expiry_.next_found_ms = kNoDate;
    paged_expiry_.reached = queue::Place{queue::PriorityClass{0}, queue::Seq{0}};
  }
  for (const Lane& lane : waiting_.lanes()) {
    const queue::Place reached = *paged_expiry_.reached;
    if (lane.paged_count == 0 || lane.priority < reached.priority) continue;
    const queue::Place first{lane.priority, lane.paged_from};
    return std::max(first, reached);
  }
  go_on_looking(queue::kBehindAll);
  return std::nullopt;
}

void Queue::look_for_expired(queue::LoadedPage& page) {
  if (!paged_expiry_.reached) return;
  Lane& lane = waiting_.lane(page.from.priority);
  queue::Place reached = page.more || page.error ? page.from : end_of_lane(page.from.priority);
  for (queue::LoadedMessage& loaded : page.messages) {
    const queue::Place place = loaded.place;
    if (page.more || page.error) reached = after(place);
    if (!lane.is_paged(place.seq)) continue;
    if (!routing::has_expired(*loaded.message, now_ms_)) {
      paged_expiry_.next_found_ms =
          std::min(paged_expiry_.next_found_ms, expiry_of(*loaded.message));
      continue;
    }
    Entry entry = entry_of(loaded);
    lane.hold_paged(place.seq, entry.bytes());
    expired_.push_back(std::move(entry));
  }
  go_on_looking(reached);
}

void Queue::go_on_looking(queue::Place reached) {
  const auto& lanes = waiting_.lanes();
  const bool has_more = std::any_of(lanes.begin(), lanes.end(), [reached](const Lane& lane) {
    return lane.paged_count > 0 && lane.priority >= reached.priority;
  });
  if (has_more) {
    paged_expiry_.reached = reached;
    return;
  }
  paged_expiry_.reached.reset();
  paged_expiry_.next_ms = paged_expiry_.next_found_ms;
  paged_expiry_.not_before_ms = now_ms_ + kExpiryPassEveryMs;
}

void Queue::on_committed(queue::Ticket through) {
  waits_for_commit_ = false;
  prune_held(through);
  if (choosy_) choosy_->on_committed(through);
}

void Queue::release_memory(queue::Ticket committed) {
  const bool is_quiet = consumers_.empty() && in_flight == 0 && drain_left_ == 0 &&
                        !load_.under_way && last_erase_ <= committed && !choosy_ &&
                        delayed_.empty();
  if (!is_quiet || waiting_.count() == 0) return;
  waiting_.make_all_sparse();
  prune_held(committed);
  for (Lane& lane : waiting_.lanes()) {
    std::vector<queue::Place> stored;
    for (const auto& [seq, entry] : lane.sparse) {
      const bool is_stored = entry.storing != Storing::kMemoryOnly &&
                             entry.stored_by <= committed && entry.visible_after <= committed;
      if (is_stored) stored.push_back(entry.place);
    }
    for (const queue::Place place : stored) {
      const Entry entry = *waiting_.take(place);
      waiting_.page_out(entry);
      paged_expiry_.next_ms = std::min(paged_expiry_.next_ms, expiry_of(*entry.message));
    }
    for (const auto& [seq, entry] : lane.sparse) {
      if (lane.is_beyond(seq)) lane.held.insert(seq.value);
    }
  }
}

}  // namespace stompbox::routing
