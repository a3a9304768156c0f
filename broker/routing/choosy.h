#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/routing/dispatch.h"
#include "broker/routing/groups.h"
#include "broker/routing/interest.h"
#include "broker/routing/waiting.h"

namespace stompbox::routing {

// Who gets what on a queue where not every seat takes every message: selectors and message groups.
//
// A message belongs to each *interest* that lets it through, or to the seat that its group is bound
// to. A new one costs one look-up for each header that an equality asks for and one evaluation for
// each different other selector, however many seats there are. What nobody takes at once is
// *parked* in memory under its interests, so that a seat with credit finds the oldest of its own at
// once and nothing stands in the way of others.
//
// Memory is bounded: what nobody present asks for gets half of the queue's share. The rest is in
// the store only, and each interest knows from where to where there may be something unseen for it.
// That is looked through a page at a time on behalf of hungry interests, those with credit and
// something unseen; whoever else stands at the same point reads along. What nobody present asks for
// is not kept. An interest never takes what may stand behind something unseen of the same class, so
// its order holds; lower classes go on meanwhile.
//
// Between the messages of a bound group and the others of its seat the order holds but for what had
// to be left in the store while the seat had no credit.
class Choosy {
 public:
  // Both outlive it. Everything in `waiting` is sparse and gets parked; what is found expired goes
  // to `expired`.
  Choosy(Waiting& waiting, std::vector<Entry>& expired);
  ~Choosy();
  Choosy(const Choosy&) = delete;
  Choosy& operator=(const Choosy&) = delete;

  void join(Seat& seat);
  void leave(Seat& seat);
  void offer(Seat& seat, std::uint64_t turn);  // has credit and stands nowhere

  // A message with such headers comes soon, and then at once: what it needs is fetched meanwhile,
  // where there are so many values that they do not fit into the processor's cache.
  void expect_like(const HeaderLines& headers);
  void prepare_expected() const {
    if (expected_in_ != nullptr) expected_in_->values.fetch_interest(expected_hash_);
  }

  // Who gets a new message at once; it has left its turns.
  [[nodiscard]] Seat* taker_for(Entry& entry);
  // Parks a new message if there is room for one like it.
  [[nodiscard]] bool keep(Entry& entry);
  // Before it is counted in its lane: nobody takes it now, and it is in the store only.
  void note_paged(const Entry& entry);
  void park(Entry entry);           // whether there is room or not
  void unpark(const Entry& entry);  // it was taken out of `waiting`
  [[nodiscard]] std::optional<Dispatch> next(std::int64_t now_ms, queue::Ticket committed);
  // Something that is not synced yet stood in the way of next(); asked once.
  [[nodiscard]] bool takes_commit_flag() { return std::exchange(met_uncommitted_, false); }
  void on_committed(queue::Ticket through);

  // From where a page is wanted.
  [[nodiscard]] std::optional<queue::Place> wants_page();
  struct Page {
    queue::Place from;
    std::deque<Entry> entries;  // of one class
    // All that is paged of this class stands before here; else only what the entries show was seen.
    bool is_all = false;
  };
  // next() goes on with it.
  void look_through(Page page);
  [[nodiscard]] bool has_page() const { return scan_.has_value(); }  // and is not through with it

 private:
  struct Scan {
    queue::PriorityClass lane;
    queue::Seq from;
    queue::Seq at;   // the one in hand; all before it has been dealt with
    queue::Seq end;  // where the page ends
    bool is_all = false;
    std::deque<Entry> entries;
  };
  enum class Absent : std::uint8_t { kIgnore, kMake };
  using Found = std::vector<Interest*>;

  // choosy_interests.cc
  [[nodiscard]] Interest& interest_for(const Subscription& subscription);
  [[nodiscard]] Interest& value_interest(HeaderIndex& index, std::string_view value);
  void match(const Entry& entry, Absent absent, Found& found);
  [[nodiscard]] bool lets_through(const Interest& interest, const queue::Message& message);
  void park_for(Interest& interest, queue::Place place);
  void show_parked(Interest& interest);
  void show_parked(HeaderIndex& index);
  void index(queue::Place place, const Found& found);
  void unindex(queue::Place place);
  void drop_index(HeaderIndex& index);
  void forget(Interest& interest);  // all pointers to it; the caller frees it
  void remove_if_unused(Interest& interest);
  void reveal_store(Interest& interest);

  // choosy.cc
  [[nodiscard]] bool may_take_new(const Interest& interest, queue::Place place) const;
  [[nodiscard]] std::optional<queue::Place> first_allowed(Interest& interest);
  [[nodiscard]] std::optional<Dispatch> next_parked();
  [[nodiscard]] Dispatch give_parked(Interest& asked, queue::Place place);
  [[nodiscard]] bool bury_if_expired(queue::Place place);
  void wake(Interest& interest);

  // choosy_groups.cc
  [[nodiscard]] std::optional<std::string_view> group_of(const Entry& entry);
  [[nodiscard]] Interest* owner_of(const Entry& entry);
  Groups::Group& group_named(std::string_view id);
  void note_given(Entry& entry, Seat& seat);
  void bind(Groups::Group& group, Seat& seat);
  void release(Groups::Group& group);
  void widen(Interest& interest, const Interest& by);

  // choosy_scan.cc
  [[nodiscard]] bool has_unseen(const Interest& interest, queue::PriorityClass lane) const;
  [[nodiscard]] queue::Seq seen_to(const Interest& interest, queue::PriorityClass lane) const;
  [[nodiscard]] bool reads_along(const Interest& interest) const;
  void extend(Interest& interest, queue::PriorityClass lane, queue::Seq from, queue::Seq to);
  void list_behind(Interest& interest);
  [[nodiscard]] std::optional<Dispatch> look_on();
  [[nodiscard]] bool wake_earlier(const Found& readers);
  [[nodiscard]] std::optional<Dispatch> give_from_page(const Found& readers);
  void keep_or_leave(const Found& readers);
  void finish_scan(queue::Seq upto);

  Waiting& waiting_;
  std::vector<Entry>& expired_;
  std::unique_ptr<Interest> all_;
  std::map<std::string, std::unique_ptr<HeaderIndex>, std::less<>> indexes_;  // by header
  std::map<std::string, std::unique_ptr<Interest>, std::less<>> others_;      // by selector text
  std::map<const Seat*, std::unique_ptr<Interest>> owns_;
  Groups groups_;
  std::map<queue::Place, Found> where_;  // what is parked, and under which interests
  std::deque<Interest*> ready_;
  std::vector<Interest*> behind_;
  std::vector<Interest*> hungry_;
  std::set<Interest*> blocked_;  // by something that is not synced
  std::optional<Scan> scan_;
  bool met_uncommitted_ = false;
  std::int64_t now_ms_ = 0;
  queue::Ticket committed_;
  const HeaderIndex* expected_in_ = nullptr;  // of the last expect_like; null: nothing to fetch
  std::uint64_t expected_hash_ = 0;
  Found found_;  // of the last match
  std::string scratch_;
};

}  // namespace stompbox::routing
