#include "broker/verbs/queues.h"

#include "broker/control/json.h"
#include "broker/verbs/ask_broker.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

constexpr std::size_t kBodyShown = 60;

std::string body_of(const rapidjson::Value& message) {
  std::string body = text_in(message, "body");
  if (body.empty() && message.HasMember("body_base64")) body = "(not UTF-8 text)";
  const bool cut = body.size() < number_in(message, "body_bytes");
  return shorten(std::move(body) + (cut ? " ..." : ""), kBodyShown + 4);
}

}  // namespace

std::string show_queues(const rapidjson::Value& ok) {
  Table table({{"QUEUE"},
               {"WAITING", Align::kRight},
               {"IN FLIGHT", Align::kRight},
               {"CONSUMERS", Align::kRight},
               {"SIZE", Align::kRight},
               {"CAME", Align::kRight},
               {"DONE", Align::kRight},
               {"LOST", Align::kRight},
               {"OLDEST", Align::kRight}});
  for (const rapidjson::Value& queue : list_in(ok, "queues")) {
    const std::int64_t oldest = time_in(queue, "oldest_arrived_ms");
    table.add({text_in(queue, "name"), std::to_string(number_in(queue, "waiting")),
               std::to_string(number_in(queue, "in_flight")),
               std::to_string(number_in(queue, "consumers")), show_bytes(number_in(queue, "bytes")),
               std::to_string(number_in(queue, "enqueued")),
               std::to_string(number_in(queue, "acknowledged")),
               std::to_string(number_in(queue, "expired") + number_in(queue, "dropped")),
               oldest == 0 ? "-" : show_age(time_in(ok, "now_ms") - oldest)});
  }
  return table.empty() ? "There are no queues yet.\n" : table.text();
}

Exit queues(const options::Options& options, Output output) {
  const auto answer = ask_broker(options, R"({"verb":"queues"})");
  if (!answer) return fail(answer.error());
  print(output == Output::kJson ? answer->json() : show_queues(answer->ok()));
  return Exit::kDone;
}

std::string show_browse(const rapidjson::Value& ok, std::string_view from) {
  Table table({{"ID"},
               {"ARRIVED"},
               {"SIZE", Align::kRight},
               {"TRIES", Align::kRight},
               {"STATE"},
               {"BODY"}});
  for (const rapidjson::Value& message : list_in(ok, "messages")) {
    table.add({text_in(message, "id"), show_time(time_in(message, "arrived_ms")),
               show_bytes(number_in(message, "body_bytes")),
               std::to_string(number_in(message, "deliveries")),
               truth_in(message, "in_flight") ? "in flight" : "waiting", body_of(message)});
  }
  if (table.empty()) {
    return from.empty() ? "The queue is empty.\n"
                        : "There is nothing at or behind " + printable(from) + ".\n";
  }
  std::string text = table.text();
  const std::string next = text_in(ok, "next");
  if (!next.empty()) text += "There are more: go on with --from " + next + "\n";
  return text;
}

std::string_view plain_queue_name(std::string_view text) {
  constexpr std::string_view kPrefix = "/queue/";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  return text;
}

Exit browse(const options::Options& options, const BrowseOptions& wanted) {
  control::Json request;
  request.begin_object()
      .field("verb", "browse")
      .field("queue", plain_queue_name(wanted.queue))
      .field("count", wanted.count)
      .field("body_bytes", wanted.body_bytes);
  if (!wanted.from.empty()) request.field("from", wanted.from);
  const auto answer = ask_broker(options, request.end_object().text());
  if (!answer) return fail(answer.error());
  print(wanted.output == Output::kJson ? answer->json() : show_browse(answer->ok(), wanted.from));
  return Exit::kDone;
}

}  // namespace stompbox::verbs
