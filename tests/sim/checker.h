#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stompbox::sim {

// What a body says of itself: "QUEUE PRODUCER N PRIORITY COLOUR GROUP KIND padding". N grows with
// each SEND of that producer; those of one priority and group are a stream whose order holds.
struct Label {
  std::string queue;
  std::uint64_t producer = 0;
  std::uint64_t number = 0;
  std::uint64_t priority = 4;
  std::string colour = "red";  // what selectors ask for
  std::string group = "-";     // JMSXGroupID; "-": none
  bool is_volatile = false;    // persistent:false: a crash may lose it

  friend auto operator<=>(const Label&, const Label&) = default;
};

// One transaction, as its COMMIT is written.
struct Deal {
  std::vector<Label> sends;
  std::vector<Label> acks;
};

// Watches one history from outside, at the wire and at the database, and holds it against the
// promises of DESIGN §1. It knows nothing of the broker's inside.
class Checker {
 public:
  // A SEND was given to the kernel; it may or may not arrive.
  void sent(const Label& label);
  void send_receipted(const Label& label);  // P1 holds from here on
  // The kernel took the last byte of a MESSAGE. `life` names one subscription of one connection.
  void taken(const std::string& life, const Label& label, bool redelivered, bool settles_it);
  void ack_sent(const Label& label);       // it may count as done now
  void ack_receipted(const Label& label);  // P2 holds from here on
  // P5: from the COMMIT on it may happen, whole or not at all. The first of its messages that
  // anybody sees shows that it has, and so does its receipt.
  [[nodiscard]] std::uint64_t committed(Deal deal);
  void deal_is_done(std::uint64_t number);
  // Something that must not be, as a client or the history sees it.
  void wrong(std::string text) { fail(std::move(text)); }
  void receipt(const std::string& connection, std::uint64_t number);  // in frame order, each once
  void credit(std::size_t outstanding, std::size_t bound);

  // A catalog is called by its node; generations grow.
  void catalog_receipted(const std::string& node, std::uint64_t generation);
  void catalog_stored(const std::string& node, std::uint64_t generation);
  void poison_receipted(const std::string& body);

  // At the end, after a last restart: what the queues still hold, in order of delivery.
  void left(const Label& label, bool redelivered);
  void left_dead_letter(const std::string& body);
  void finish();

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  void fail(std::string text);

  void finish_deals();

  std::set<Label> sent_, receipted_, seen_, seen_unmarked_, done_, final_, left_;
  std::vector<Deal> deals_;
  std::set<std::uint64_t> done_deals_;
  std::map<Label, std::uint64_t> deal_of_;  // of what transactions send
  std::map<std::string, std::map<std::uint64_t, std::uint64_t>>
      first_deliveries_;                             // life and stream, producer
  std::map<std::string, std::uint64_t> left_order_;  // stream and producer
  std::map<std::string, std::uint64_t> last_receipt_;
  std::map<std::string, std::uint64_t> catalogs_receipted_, catalogs_stored_;
  std::set<std::string> poison_, dead_letters_;
  std::vector<std::string> violations_;
  std::uint64_t events_ = 0;
};

[[nodiscard]] std::string to_text(const Label& label);

}  // namespace stompbox::sim
