#include "broker/verbs/dead_letters.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include "broker/control/json.h"
#include "broker/routing/death_headers.h"
#include "broker/verbs/ask_broker.h"
#include "broker/verbs/queues.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

constexpr std::size_t kDetailShown = 80;

// The first header of that name (fact A11).
std::string header_of(const rapidjson::Value& message, std::string_view name) {
  for (const rapidjson::Value& header : list_in(message, "headers")) {
    if (!header.IsArray() || header.Size() != 2 || header[0].GetString() != name) continue;
    return header[1].GetString();
  }
  return {};
}

// A letter that a client sent says nothing of it: its arrival is as near as we get.
std::int64_t death_of(const rapidjson::Value& message) {
  const std::string text = header_of(message, routing::kDeathTime);
  std::int64_t died_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), died_ms);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? died_ms : time_in(message, "arrived_ms");
}

// The beginning of a request, up to what the action needs.
control::Json& begin_request(control::Json& request, std::string_view action,
                             const std::string& queue) {
  request.begin_object().field("verb", "dead-letters").field("action", action);
  if (!queue.empty()) request.field("queue", plain_queue_name(queue));
  return request;
}

std::string request_for(LetterVerb verb, const LetterChoice& choice) {
  control::Json request;
  begin_request(request, verb == LetterVerb::kReplay ? "replay" : "drop", choice.queue);
  if (choice.all) {
    request.field("all", true);
  } else {
    request.key("ids").begin_array();
    for (const std::string& id : choice.ids)
      request.value(id);
    request.end_array();
  }
  return request.end_object().text();
}

Exit report(const rapidjson::Value& ok, LetterVerb verb) {
  print(counted(number_in(ok, "done"), "letter") +
        (verb == LetterVerb::kReplay ? " replayed\n" : " dropped\n"));
  for (const rapidjson::Value& failure : list_in(ok, "failures")) {
    const std::string id = text_in(failure, "id");
    complain((id.empty() ? "" : "letter " + id + ": ") + text_in(failure, "reason"));
  }
  for (const rapidjson::Value& id : list_in(ok, "not_found")) {
    complain("there is no letter " + std::string(id.GetString()));
  }
  return Exit::kDone;
}

}  // namespace

std::string show_letters(const rapidjson::Value& ok) {
  Table table(
      {{"ID"}, {"QUEUE"}, {"DIED"}, {"REASON"}, {"FROM"}, {"SIZE", Align::kRight}, {"DETAIL"}});
  for (const rapidjson::Value& message : list_in(ok, "messages")) {
    table.add({text_in(message, "id"), text_in(message, "queue"), show_time(death_of(message)),
               header_of(message, routing::kDeathReason),
               header_of(message, routing::kOriginalDestination),
               show_bytes(number_in(message, "body_bytes")),
               shorten(header_of(message, routing::kDeathDetail), kDetailShown)});
  }
  if (table.empty()) return "There are no dead letters.\n";
  std::string text = table.text();
  if (!text_in(ok, "next").empty()) text += "There are more: see them with --count\n";
  return text;
}

Exit list_letters(const options::Options& options, const LetterList& wanted) {
  control::Json request;
  begin_request(request, "list", wanted.queue);
  const auto answer = ask_broker(options, request.field("count", wanted.count).end_object().text());
  if (!answer) return fail(answer.error());
  print(wanted.output == Output::kJson ? answer->json() : show_letters(answer->ok()));
  return Exit::kDone;
}

Exit act_on_letters(const options::Options& options, LetterVerb verb, const LetterChoice& choice,
                    Output output) {
  if (choice.all != choice.ids.empty()) {
    return fail({storage::ErrorCode::kInvalid,
                 "name the letters by their ids (see 'dead-letters list'), or say --all"});
  }
  const auto answer = ask_broker(options, request_for(verb, choice));
  if (!answer) return fail(answer.error());
  if (output == Output::kJson) {
    print(answer->json());
  } else {
    report(answer->ok(), verb);
  }
  const bool all_done =
      list_in(answer->ok(), "failures").Empty() && list_in(answer->ok(), "not_found").Empty();
  return all_done ? Exit::kDone : Exit::kFailed;
}

}  // namespace stompbox::verbs
