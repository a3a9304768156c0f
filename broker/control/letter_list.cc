#include "broker/control/letter_list.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "broker/control/desk_json.h"

namespace stompbox::control {
namespace {

// One list under way; lives as long as a page of it is to come.
struct List : std::enable_shared_from_this<List> {
  List(routing::Router& the_router, std::vector<std::string> the_queues, const Look& look,
       Answer to)
      : router(the_router),
        queues(std::move(the_queues)),
        place(look.from),
        count_max(look.count),
        listed(look.body_bytes),
        answer(std::move(to)) {}

  // A page may come at once, within browse(): the loop goes on with it, so that the stack does not
  // grow with the number of queues.
  void go_on() {
    if (std::exchange(goes_on, true)) return;
    while (std::exchange(may_ask, false))
      ask();
    goes_on = false;
  }

  void ask() {
    if (at == queues.size()) return answer(listed.finish(std::nullopt, {}));
    if (listed.count() == count_max) return answer(listed.finish(place, queues[at]));
    router.browse(
        queues[at], place, count_max - listed.count(),
        [self = shared_from_this()](const routing::BrowsePage& page) { self->take(page); });
  }

  void take(const routing::BrowsePage& page) {
    const bool is_gone = page.error && !router.queue_figures(queues[at]);
    if (page.error && !is_gone) return answer(error_answer(page.error->text));
    if (const auto next = is_gone ? std::nullopt : listed.add(queues[at], page)) {
      return answer(listed.finish(next, queues[at]));
    }
    ++at;
    place = Look{}.from;
    may_ask = true;
    go_on();
  }

  routing::Router& router;
  const std::vector<std::string> queues;
  std::size_t at = 0;
  queue::Place place;  // in the queue `at`
  const std::uint64_t count_max;
  ListAnswer listed;
  const Answer answer;
  bool may_ask = true;
  bool goes_on = false;
};

}  // namespace

void list_queues(routing::Router& router, std::vector<std::string> queues, const Look& look,
                 const Answer& answer) {
  std::make_shared<List>(router, std::move(queues), look, answer)->go_on();
}

}  // namespace stompbox::control
