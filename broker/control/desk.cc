#include "broker/control/desk.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "broker/control/desk_json.h"
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
  void look(const std::string& queue, const Request& request, const Answer& answer);
  void start_run(LetterAction action, const Request& request, const Answer& answer);
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
  look(*queue, request, answer);
}

void Desk::Impl::look(const std::string& queue, const Request& request, const Answer& answer) {
  queue::Place from{queue::PriorityClass{0}, queue::Seq{0}};
  if (const auto text = request.text("from")) {
    const auto place = parse_place(*text);
    if (!place) return answer(error_answer("'" + *text + "' is no place: it looks like 5.1234"));
    from = *place;
  }
  const auto count =
      std::clamp<std::uint64_t>(request.number("count").value_or(20), 1, kBrowseCountMax);
  const std::uint64_t body_bytes = request.number("body_bytes").value_or(0);
  router.browse(queue, from, count, [answer, body_bytes](const routing::BrowsePage& page) {
    answer(browse_answer(page, body_bytes));
  });
}

void Desk::Impl::dead_letters(const Request& request, const Answer& answer) {
  const std::string action = request.text("action").value_or("list");
  if (action == "list") {
    const std::string queue = facts().dead_letter_queue;
    const auto all = router.queue_figures();
    const bool there = std::any_of(all.begin(), all.end(),
                                   [&queue](const auto& one) { return one.name == queue; });
    // No letter has ever come: that is an empty list, not a missing queue.
    if (!there) return answer(browse_answer({}, 0));
    return look(queue, request, answer);
  }
  const auto letter_action = parse_letter_action(action);
  if (!letter_action) {
    return answer(error_answer("dead-letters can list, replay and drop, not '" + action + "'"));
  }
  start_run(*letter_action, request, answer);
}

void Desk::Impl::start_run(LetterAction action, const Request& request, const Answer& answer) {
  if (run) return answer(error_answer("another replay or drop is under way: try again"));
  auto ids = wanted_letters(request);
  if (!ids) return answer(error_answer(ids.error().text));
  run = std::make_unique<LetterRun>(router, action, std::move(*ids), wake, wall_ms() + kRunMs);
  run_answer = answer;
  if (const auto started = run->start(facts().dead_letter_queue); !started) {
    run.reset();
    return answer(error_answer(started.error().text));
  }
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
