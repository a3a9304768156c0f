#include "broker/control/queue_orders.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/control/json.h"
#include "broker/routing/destination.h"
#include "broker/routing/pattern.h"

namespace stompbox::control {
namespace {

using Count = storage::Result<std::uint64_t>;

// The answer of an order that is about one queue, or about everything.
routing::Router::Done answer_count(const Answer& answer) {
  return [answer](const Count& messages) {
    if (!messages) return answer(error_answer(messages.error().text));
    answer(Json()
               .begin_object()
               .key("ok")
               .begin_object()
               .field("messages", *messages)
               .end_object()
               .end_object()
               .text());
  };
}

// A purge of some queues; lives as long as one of them has not answered.
struct Purge {
  struct Purged {
    std::string queue;
    std::uint64_t messages = 0;
  };
  struct Failure {
    std::string queue;
    std::string reason;
  };

  void note(const std::string& queue, const Count& count) {
    if (count) {
      done.push_back({queue, *count});
      messages += *count;
    } else {
      failures.push_back({queue, count.error().text});
    }
    if (--open == 0) answer(text());
  }

  [[nodiscard]] std::string text() const {
    Json json;
    json.begin_object().key("ok").begin_object();
    write_list(json, "queues", done, [](Json& list, const Purged& one) {
      list.begin_object().field("name", one.queue).field("messages", one.messages).end_object();
    });
    write_list(json, "failures", failures, [](Json& list, const Failure& one) {
      list.begin_object().field("name", one.queue).field("reason", one.reason).end_object();
    });
    return json.field("messages", messages).end_object().end_object().text();
  }

  Answer answer;
  std::size_t open = 1;  // one for who gives the orders
  std::uint64_t messages = 0;
  std::vector<Purged> done;
  std::vector<Failure> failures;
};

std::vector<std::string> names_matching(const routing::Router& router, const std::string& text) {
  const routing::Pattern pattern(text);
  std::vector<std::string> names;
  for (const routing::QueueFigures& queue : router.queue_figures()) {
    if (pattern.matches(queue.name)) names.push_back(queue.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void purge_matching(routing::Router& router, const std::string& pattern, const Answer& answer) {
  const auto purge = std::make_shared<Purge>();
  purge->answer = answer;
  for (const std::string& name : names_matching(router, pattern)) {
    ++purge->open;
    router.purge(name, [purge, name](const Count& messages) { purge->note(name, messages); });
  }
  if (--purge->open == 0) answer(purge->text());
}

}  // namespace

void order_purge(routing::Router& router, const Request& request, const Answer& answer) {
  const auto queue = request.text("queue");
  const auto pattern = request.text("pattern");
  if (queue.has_value() == pattern.has_value()) {
    return answer(error_answer(R"(name one "queue", or a "pattern" of names)"));
  }
  if (pattern) return purge_matching(router, *pattern, answer);
  router.purge(*queue, [answer, name = *queue](const Count& messages) {
    if (!messages) return answer(error_answer(messages.error().text));
    Purge purge;
    purge.answer = answer;
    purge.note(name, messages);
  });
}

void order_move(routing::Router& router, const Request& request, const Answer& answer) {
  const auto from = request.text("from");
  const auto to = request.text("to");
  if (!from || !to) return answer(error_answer(R"(name the queues "from" and "to")"));
  routing::Destination target{routing::DestinationKind::kQueue, *to};
  if (to->starts_with('/')) {
    auto parsed = routing::parse_destination(*to);
    if (!parsed) return answer(error_answer(parsed.error().text));
    target = std::move(*parsed);
  }
  const bool is_same = target.kind == routing::DestinationKind::kQueue && target.name == *from;
  if (is_same || target.name.empty()) {
    return answer(error_answer(is_same ? "the queues are the same" : "which queue \"to\"?"));
  }
  const std::uint64_t count = request.number("count").value_or(UINT64_MAX);
  router.move_messages(*from, target, count, answer_count(answer));
}

void order_delete(routing::Router& router, const Request& request, const Answer& answer) {
  const auto queue = request.text("queue");
  if (!queue) return answer(error_answer("which \"queue\"?"));
  router.remove_queue(*queue, answer_count(answer));
}

void order_reset(routing::Router& router, const Answer& answer) {
  router.reset(answer_count(answer));
}

}  // namespace stompbox::control
