#include "tests/sim/checker.h"

#include <algorithm>
#include <utility>

namespace stompbox::sim {

namespace {

// Whose order holds: what has one priority and one group. Of a group, what its owner's selector
// does not let through goes to others meanwhile, so there it holds for one colour.
std::string stream_of(const Label& label) {
  const std::string stream = label.queue + " " + std::to_string(label.priority);
  return label.group == "-" ? stream : stream + " " + label.group + " " + label.colour;
}

}  // namespace

std::string to_text(const Label& label) {
  return label.queue + " " + std::to_string(label.producer) + " " + std::to_string(label.number) +
         " " + std::to_string(label.priority) + " " + label.colour + " " + label.group +
         (label.is_volatile ? " volatile" : " durable");
}

void Checker::fail(std::string text) {
  if (violations_.size() < 5) violations_.push_back(std::move(text));
}

void Checker::sent(const Label& label) {
  sent_.insert(label);
}

void Checker::send_receipted(const Label& label) {
  events_ += 1;
  if (!label.is_volatile) receipted_.insert(label);
}

std::uint64_t Checker::committed(Deal deal) {
  const std::uint64_t number = deals_.size();
  for (const Label& label : deal.sends) {
    sent(label);
    deal_of_[label] = number;
  }
  deals_.push_back(std::move(deal));
  return number;
}

void Checker::deal_is_done(std::uint64_t number) {
  if (!done_deals_.insert(number).second) return;
  events_ += 1;
  for (const Label& label : deals_[number].sends)
    send_receipted(label);
  for (const Label& label : deals_[number].acks) {
    done_.insert(label);
    final_.insert(label);
  }
}

void Checker::taken(const std::string& life, const Label& label, bool redelivered,
                    bool settles_it) {
  events_ += 1;
  const std::string text = to_text(label);
  if (!sent_.contains(label)) fail("invented: " + text);
  if (final_.contains(label)) fail("P2: came back after its ACK was receipted: " + text);
  seen_.insert(label);
  if (const auto deal = deal_of_.find(label); deal != deal_of_.end()) deal_is_done(deal->second);
  // Frames may still leave an outbox after their message was given to somebody else; but only its
  // first delivery of all may come unmarked.
  const bool again = !redelivered && !seen_unmarked_.insert(label).second;
  if (again) fail("P3: delivered before and not marked redelivered: " + text);
  if (!again && !redelivered) {
    std::uint64_t& last = first_deliveries_[life + stream_of(label)][label.producer];
    if (label.number <= last) fail("P4: first deliveries out of order at " + text);
    last = label.number;
  }
  if (settles_it) done_.insert(label);
}

void Checker::ack_sent(const Label& label) {
  done_.insert(label);
}

void Checker::ack_receipted(const Label& label) {
  final_.insert(label);
}

void Checker::receipt(const std::string& connection, std::uint64_t number) {
  std::uint64_t& last = last_receipt_[connection];
  if (number <= last) fail("receipts out of order on " + connection);
  last = number;
}

void Checker::credit(std::size_t outstanding, std::size_t bound) {
  if (outstanding > bound) fail("credit: more outstanding than asked for");
}

void Checker::catalog_receipted(const std::string& node, std::uint64_t generation) {
  std::uint64_t& newest = catalogs_receipted_[node];
  newest = std::max(newest, generation);
}

void Checker::catalog_stored(const std::string& node, std::uint64_t generation) {
  events_ += 1;
  std::uint64_t& newest = catalogs_stored_[node];
  if (generation < newest) fail("P6: an earlier catalog won over a later one of " + node);
  newest = generation;
}

void Checker::poison_receipted(const std::string& body) {
  poison_.insert(body);
}

void Checker::left(const Label& label, bool redelivered) {
  const std::string text = to_text(label);
  if (!sent_.contains(label)) fail("invented: " + text);
  if (label.is_volatile) fail("found at a start though it was volatile: " + text);
  if (!redelivered) fail("P3: found at a start and not marked redelivered: " + text);
  if (!left_.insert(label).second) fail("twice in its queue: " + text);
  std::uint64_t& last = left_order_[stream_of(label) + " " + std::to_string(label.producer)];
  if (label.number <= last) fail("P4: not in its own place: " + text);
  last = label.number;
}

void Checker::left_dead_letter(const std::string& body) {
  dead_letters_.insert(body);
}

// One of which something was found has happened; one that sends and of which nothing ever was seen
// has not, so its ACKs do not count either.
void Checker::finish_deals() {
  for (std::uint64_t number = 0; number < deals_.size(); ++number) {
    const Deal& deal = deals_[number];
    const bool is_found = std::any_of(
        deal.sends.begin(), deal.sends.end(),
        [this](const Label& label) { return left_.contains(label) || seen_.contains(label); });
    if (is_found) deal_is_done(number);
    const bool durable_sends = std::any_of(deal.sends.begin(), deal.sends.end(),
                                           [](const Label& label) { return !label.is_volatile; });
    if (!durable_sends) done_.insert(deal.acks.begin(), deal.acks.end());
  }
}

void Checker::finish() {
  finish_deals();
  for (const Label& label : left_) {
    if (final_.contains(label)) fail("P2: found after its ACK was final: " + to_text(label));
  }
  for (const Label& label : receipted_) {
    if (!done_.contains(label) && !left_.contains(label)) {
      const bool is_part = deal_of_.contains(label);
      fail((is_part ? "P5: a part of a transaction is gone: " : "P1: receipted and gone: ") +
           to_text(label));
    }
  }
  for (const auto& [node, generation] : catalogs_receipted_) {
    if (catalogs_stored_[node] < generation) {
      fail("P6: receipted and never stored: " + node + " " + std::to_string(generation));
    }
  }
  for (const std::string& body : poison_) {
    if (!dead_letters_.contains(body)) fail("P7: unreadable and not dead-lettered: " + body);
  }
}

}  // namespace stompbox::sim
