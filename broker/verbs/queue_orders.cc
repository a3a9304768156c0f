#include "broker/verbs/queue_orders.h"

#include <algorithm>

#include "broker/control/json.h"
#include "broker/verbs/ask_broker.h"
#include "broker/verbs/queues.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

constexpr std::uint64_t kPortion = 10'000;

// What waits in a queue; nothing if there is no such queue.
storage::Result<std::uint64_t> waiting_in(const options::Options& options, std::string_view queue) {
  const auto answer = ask_broker(options, R"({"verb":"queues"})");
  if (!answer) return answer.error();
  for (const rapidjson::Value& one : list_in(answer->ok(), "queues")) {
    if (text_in(one, "name") == queue) return number_in(one, "waiting");
  }
  return std::uint64_t{0};
}

storage::Result<std::uint64_t> move_portion(const options::Options& options,
                                            const MoveOptions& wanted, std::uint64_t count) {
  control::Json request;
  request.begin_object().field("verb", "move");
  request.field("from", plain_queue_name(wanted.from))
      .field("to", plain_queue_name(wanted.to))
      .field("count", count);
  const auto answer = ask_broker(options, request.end_object().text());
  if (!answer) return answer.error();
  return number_in(answer->ok(), "messages");
}

std::string purge_sentence(const rapidjson::Value& ok) {
  const auto queues = list_in(ok, "queues");
  std::string text = counted(number_in(ok, "messages"), "message") + " purged from ";
  text +=
      queues.Size() == 1 ? printable(text_in(queues[0], "name")) : counted(queues.Size(), "queue");
  return text + "\n";
}

}  // namespace

Exit purge(const options::Options& options, const PurgeOptions& wanted) {
  if (wanted.queue.empty() == wanted.pattern.empty()) {
    return fail({storage::ErrorCode::kInvalid,
                 "name one queue, or a pattern of names with --all-matching"});
  }
  control::Json request;
  request.begin_object().field("verb", "purge");
  if (wanted.pattern.empty()) {
    request.field("queue", plain_queue_name(wanted.queue));
  } else {
    request.field("pattern", plain_queue_name(wanted.pattern));
  }
  const auto answer = ask_broker(options, request.end_object().text());
  if (!answer) return fail(answer.error());
  print(wanted.output == Output::kJson ? answer->json() : purge_sentence(answer->ok()));
  const auto failures = list_in(answer->ok(), "failures");
  for (const rapidjson::Value& failure : failures)
    complain("queue " + text_in(failure, "name") + ": " + text_in(failure, "reason"));
  return failures.Empty() ? Exit::kDone : Exit::kFailed;
}

Exit move_messages(const options::Options& options, const MoveOptions& wanted) {
  const auto waiting = waiting_in(options, plain_queue_name(wanted.from));
  if (!waiting) return fail(waiting.error());
  // One question at least: it is the broker that knows what is wrong with the names.
  const std::uint64_t all = std::max<std::uint64_t>(wanted.count.value_or(*waiting), 1);
  std::uint64_t moved = 0;
  while (moved < all) {
    const std::uint64_t portion = std::min(kPortion, all - moved);
    const auto done = move_portion(options, wanted, portion);
    if (!done) return fail(done.error());
    moved += *done;
    if (*done < portion) break;
    if (moved < all) tell_progress(std::to_string(moved) + " of " + std::to_string(all) + " moved");
  }
  if (wanted.output == Output::kJson) {
    print(control::Json().begin_object().field("messages", moved).end_object().text() + "\n");
  } else {
    print(counted(moved, "message") + " moved from " + printable(wanted.from) + " to " +
          printable(wanted.to) + "\n");
  }
  return Exit::kDone;
}

Exit delete_queue(const options::Options& options, const std::string& queue, Output output) {
  control::Json request;
  request.begin_object().field("verb", "delete");
  request.field("queue", plain_queue_name(queue));
  const auto answer = ask_broker(options, request.end_object().text());
  if (!answer) return fail(answer.error());
  print(output == Output::kJson
            ? answer->json()
            : "queue " + printable(queue) + " deleted, with " +
                  counted(number_in(answer->ok(), "messages"), "message") + "\n");
  return Exit::kDone;
}

Exit reset(const options::Options& options, Consent consent, Output output) {
  if (consent == Consent::kMissing) {
    return fail({storage::ErrorCode::kInvalid,
                 "a reset deletes all queues with everything in them: say --yes if you mean it"});
  }
  const auto answer = ask_broker(options, R"({"verb":"reset"})");
  if (!answer) return fail(answer.error());
  print(output == Output::kJson
            ? answer->json()
            : "the broker is empty: " + counted(number_in(answer->ok(), "messages"), "message") +
                  " deleted\n");
  return Exit::kDone;
}

}  // namespace stompbox::verbs
