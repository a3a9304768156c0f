#include "broker/control/desk.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/control/desk_json.h"
#include "broker/control/letter_list.h"
#include "broker/control/letter_run.h"
#include "broker/control/queue_orders.h"
#include "broker/control/request.h"

namespace stompbox::control {
namespace {

constexpr std::uint64_t kBrowseCountMax = 1000;
constexpr std::int64_t kRunMs = 20'000;  // a replay or drop; less than the door's patience

storage::Error invalid(std::string text) {
  return {storage::ErrorCode::kInvalid, std::move(text)};
}

// "CLASS.SEQ", as answers give it.
std::optional<queue::Place> parse_place(std::string_view text) {
  const auto middle = text.find('.');
  if (middle == std::string_view::npos) return std::nullopt;
  queue::Place place;
  const auto first = std::from_chars(text.data(), text.data() + middle, place.priority.value);
  const char* const end = text.data() + text.size();
  const auto second = std::from_chars(text.data() + middle + 1, end, place.seq.value);
  if (first.ptr != text.data() + middle || second.ptr != end || middle + 1 == text.size() ||
      middle == 0) {
    return std::nullopt;
  }
  return place;
}

// What a browse and a list of letters may ask for.
storage::Result<Look> wanted_look(const Request& request) {
  Look look;
  if (const auto text = request.text("from")) {
    const auto place = parse_place(*text);
    if (!place) return invalid("'" + *text + "' is no place: it looks like 5.1234");
    look.from = *place;
  }
  look.count = std::clamp<std::uint64_t>(request.number("count").value_or(20), 1, kBrowseCountMax);
  look.body_bytes = request.number("body_bytes").value_or(0);
  return look;
}

std::optional<LetterAction> parse_letter_action(std::string_view text) {
  if (text == "replay") return LetterAction::kReplay;
  if (text == "drop") return LetterAction::kDrop;
  return std::nullopt;
}

// Nothing inside: all.
storage::Result<std::optional<LetterRun::Ids>> wanted_letters(const Request& request) {
  if (request.is_true("all")) return std::optional<LetterRun::Ids>();
  const auto texts = request.texts("ids");
  if (!texts || texts->empty()) return invalid("name the letters in \"ids\", or say \"all\":true");
  LetterRun::Ids ids;
  for (const std::string& text : *texts) {
    const auto id = parse_message_id(text);
    if (!id) return invalid("'" + text + "' is no message id: it looks like 12-345");
    ids.insert(*id);
  }
  return std::optional(std::move(ids));
}

}  // namespace

struct Desk::Impl {
  using Verb = void (Impl::*)(const Request&, const Answer&);

  void status(const Request& request, const Answer& answer);
  void queues(const Request& request, const Answer& answer);
  void browse(const Request& request, const Answer& answer);
  void dead_letters(const Request& request, const Answer& answer);
  void purge(const Request& request, const Answer& answer) { order_purge(router, request, answer); }
  void move(const Request& request, const Answer& answer) { order_move(router, request, answer); }
  void remove(const Request& request, const Answer& answer) {
    order_delete(router, request, answer);
  }
  void reset(const Request&, const Answer& answer) { order_reset(router, answer); }
  void newest(const Request&, const Answer& answer);
  [[nodiscard]] storage::Result<std::vector<std::string>> letter_queues(
      const Request& request) const;
  [[nodiscard]] bool is_listed_before(std::string_view queue, std::string_view other) const;
  void list_letters(std::vector<std::string> queues, const Request& request, const Answer& answer);
  void start_run(LetterAction action, const std::vector<std::string>& queues,
                 const Request& request, const Answer& answer);
  void end_run_if_finished();

  routing::Router& router;
  drain::Drain* const drain;
  const std::function<ServerFacts()> facts;
  const std::function<std::int64_t()> wall_ms;
  const std::function<void()> wake;

  std::unique_ptr<LetterRun> run;  // the one replay or drop under way
  Answer run_answer;
};

void Desk::Impl::status(const Request&, const Answer& answer) {
  const StatusSources sources{facts(), router.figures(), router.queue_figures(),
                              drain == nullptr ? drain::DrainFigures{} : drain->figures(),
                              wall_ms()};
  answer(status_answer(sources));
}

void Desk::Impl::queues(const Request&, const Answer& answer) {
  std::vector<routing::QueueFigures> figures = router.queue_figures();
  std::sort(figures.begin(), figures.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  answer(queues_answer(figures, wall_ms()));
}

void Desk::Impl::newest(const Request&, const Answer& answer) {
  answer(newest_answer(facts().store_identity, router.newest_message()));
}

void Desk::Impl::browse(const Request& request, const Answer& answer) {
  const auto queue = request.text("queue");
  if (!queue) return answer(error_answer("which \"queue\"?"));
  const auto look = wanted_look(request);
  if (!look) return answer(error_answer(look.error().text));
  router.browse(*queue, look->from, look->count,
                [answer, body_bytes = look->body_bytes](const routing::BrowsePage& page) {
                  answer(browse_answer(page, body_bytes));
                });
}

// The one that is asked for, or all: the broker's own first, the others by name.
storage::Result<std::vector<std::string>> Desk::Impl::letter_queues(const Request& request) const {
  if (auto named = request.text("queue")) {
    if (!router.takes_letters(*named)) {
      return invalid("the queue '" + *named + "' takes no dead letters");
    }
    return std::vector<std::string>{std::move(*named)};
  }
  std::vector<std::string> queues;
  for (const routing::QueueFigures& figures : router.queue_figures()) {
    if (figures.takes_letters && figures.waiting + figures.in_flight > 0) {
      queues.push_back(figures.name);
    }
  }
  std::sort(queues.begin(), queues.end(),
            [this](const auto& a, const auto& b) { return is_listed_before(a, b); });
  return queues;
}

bool Desk::Impl::is_listed_before(std::string_view queue, std::string_view other) const {
  const std::string own = facts().dead_letter_queue;
  return std::pair(queue != own, queue) < std::pair(other != own, other);
}

void Desk::Impl::dead_letters(const Request& request, const Answer& answer) {
  auto queues = letter_queues(request);
  if (!queues) return answer(error_answer(queues.error().text));
  const std::string action = request.text("action").value_or("list");
  if (action == "list") return list_letters(std::move(*queues), request, answer);
  const auto letter_action = parse_letter_action(action);
  if (!letter_action) {
    return answer(error_answer("dead-letters can list, replay and drop, not '" + action + "'"));
  }
  start_run(*letter_action, *queues, request, answer);
}

void Desk::Impl::list_letters(std::vector<std::string> queues, const Request& request,
                              const Answer& answer) {
  auto look = wanted_look(request);
  if (!look) return answer(error_answer(look.error().text));
  if (const auto from = request.text("from_queue")) {
    std::erase_if(queues, [&](const std::string& queue) { return is_listed_before(queue, *from); });
    // It may be empty by now: then the list goes on with the next one.
    if (!queues.empty() && queues.front() != *from) look->from = Look{}.from;
  }
  list_queues(router, std::move(queues), *look, answer);
}

void Desk::Impl::start_run(LetterAction action, const std::vector<std::string>& queues,
                           const Request& request, const Answer& answer) {
  if (run) return answer(error_answer("another replay or drop is under way: try again"));
  auto ids = wanted_letters(request);
  if (!ids) return answer(error_answer(ids.error().text));
  run = std::make_unique<LetterRun>(router, action, std::move(*ids), wake, wall_ms() + kRunMs);
  run_answer = answer;
  run->start(queues);
  end_run_if_finished();
}

void Desk::Impl::end_run_if_finished() {
  if (!run || !run->finished()) return;
  const std::string json = letters_answer(run->outcome());
  run.reset();
  std::exchange(run_answer, nullptr)(json);
}

Desk::Desk(routing::Router& router, drain::Drain* drain, std::function<ServerFacts()> facts,
           std::function<std::int64_t()> wall_ms, std::function<void()> wake)
    : impl_(
          new Impl{router, drain, std::move(facts), std::move(wall_ms), std::move(wake), {}, {}}) {}

Desk::~Desk() = default;

void Desk::handle(std::string_view line, Answer answer) {
  struct Entry {
    std::string_view name;
    Impl::Verb verb;
  };
  static constexpr std::array<Entry, 9> kVerbs = {{{"status", &Impl::status},
                                                   {"queues", &Impl::queues},
                                                   {"browse", &Impl::browse},
                                                   {"dead-letters", &Impl::dead_letters},
                                                   {"purge", &Impl::purge},
                                                   {"move", &Impl::move},
                                                   {"delete", &Impl::remove},
                                                   {"reset", &Impl::reset},
                                                   {"newest", &Impl::newest}}};
  const auto request = Request::parse(line);
  if (!request) return answer(error_answer(request.error().text));
  const std::string verb = request->verb();
  const auto entry = std::find_if(kVerbs.begin(), kVerbs.end(),
                                  [&verb](const Entry& one) { return one.name == verb; });
  if (entry == kVerbs.end()) {
    return answer(error_answer("this broker knows no verb '" + verb + "'"));
  }
  (impl_.get()->*entry->verb)(*request, answer);
}

void Desk::on_wake() {
  if (!impl_->run) return;
  impl_->run->on_wake(impl_->wall_ms());
  impl_->end_run_if_finished();
}

void Desk::on_tick() {
  if (!impl_->run) return;
  impl_->run->on_tick(impl_->wall_ms());
  impl_->end_run_if_finished();
}

bool Desk::busy() const {
  return impl_->run != nullptr;
}

}  // namespace stompbox::control
