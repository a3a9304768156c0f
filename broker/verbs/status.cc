#include "broker/verbs/status.h"

#include <algorithm>

#include "broker/verbs/ask_broker.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

constexpr const char* kRequest = R"({"verb":"status"})";
constexpr std::int64_t kLongMs = 10'000;  // for one round of the drain

std::string join(rapidjson::Value::ConstArray texts) {
  std::string joined;
  for (const rapidjson::Value& text : texts) {
    if (!joined.empty()) joined += ", ";
    if (text.IsString()) joined += text.GetString();
  }
  return joined;
}

std::optional<std::int64_t> oldest_age_ms(const rapidjson::Value& ok) {
  const std::int64_t oldest = time_in(ok, "oldest_unstored_ms");
  if (oldest == 0) return std::nullopt;
  return std::max<std::int64_t>(0, time_in(ok, "now_ms") - oldest);
}

std::string show_catalogs(const rapidjson::Value& ok) {
  const auto& drain = object_in(ok, "drain");
  if (!truth_in(drain, "enabled")) return "not stored by this broker";
  std::string text = counted(number_in(ok, "catalogs_unstored"), "catalog") + " not stored yet";
  if (const auto age = oldest_age_ms(ok)) text += ", the oldest for " + show_age(*age);
  return text;
}

std::string show_stored(const rapidjson::Value& drain) {
  return std::to_string(number_in(drain, "stored")) + " stored, " +
         std::to_string(number_in(drain, "unchanged")) + " unchanged, " +
         std::to_string(number_in(drain, "superseded")) + " superseded, " +
         std::to_string(number_in(drain, "facts_stored")) + " facts";
}

// What a policy has given up since the start; empty: nothing.
std::string show_lost(const rapidjson::Value& ok) {
  const std::uint64_t of_topics = number_in(object_in(ok, "routing"), "topic_dropped");
  const std::uint64_t of_queues = number_in(ok, "messages_dropped");
  std::string text;
  if (of_topics != 0) text = counted(of_topics, "message") + " to slow topic subscribers";
  if (of_queues != 0) {
    text += (text.empty() ? "" : ", ") + counted(of_queues, "message") + " of full queues";
  }
  return text.empty() ? text : text + ", since start";
}

void add_drain(Table& table, const rapidjson::Value& ok) {
  const auto& drain = object_in(ok, "drain");
  table.add({"catalogs", show_catalogs(ok)});
  if (!truth_in(drain, "enabled")) return;
  table.add({"since start", show_stored(drain)});
  table.add({"database", text_in(ok, "catalog_store")});
  const std::int64_t now = time_in(ok, "now_ms");
  if (time_in(drain, "last_stored_ms") != 0) {
    table.add({"last stored", show_age(now - time_in(drain, "last_stored_ms")) + " ago, " +
                                  show_age(time_in(drain, "last_lag_ms")) + " after it came"});
  }
  if (const auto since = time_in(drain, "storing_since_ms"); since != 0 && now - since > kLongMs) {
    table.add({"storing", "the database has been at it for " + show_age(now - since)});
  }
  if (number_in(drain, "retries") != 0) {
    table.add({"retries", counted(number_in(drain, "retries"), "message") + " tried again"});
  }
  if (truth_in(drain, "database_in_trouble")) {
    const std::int64_t since = time_in(drain, "trouble_since_ms");
    const std::string age = since == 0 ? "" : " (for " + show_age(now - since) + ")";
    table.add({"TROUBLE", text_in(drain, "last_error") + age});
  } else if (const std::int64_t at = time_in(drain, "last_error_ms"); at != 0) {
    table.add({"last error", show_time(at) + "  " + text_in(drain, "last_error")});
  }
  if (const std::string contested = join(list_in(drain, "contested_queues")); !contested.empty()) {
    table.add({"WARNING", "somebody else takes messages from " + contested +
                              ": an older catalog may be stored after a newer one"});
  }
}

}  // namespace

std::string show_status(const rapidjson::Value& ok) {
  Table table({{""}, {""}});
  const std::int64_t up_ms = time_in(ok, "now_ms") - time_in(ok, "started_ms");
  table.add({"stompbox", text_in(ok, "version") + ", up " + show_age(up_ms)});
  if (const std::string data = text_in(ok, "data_folder"); !data.empty()) {
    table.add({"data", data});
  }
  table.add({"queue store", text_in(ok, "store")});
  table.add({"listeners", join(list_in(ok, "listeners"))});
  table.add({"connections", std::to_string(number_in(ok, "connections")) + " now, " +
                                std::to_string(number_in(ok, "connections_total")) +
                                " since start"});
  table.add({"queues", counted(number_in(ok, "queues"), "queue") + ", " +
                           counted(number_in(ok, "messages"), "message") + ", " +
                           show_bytes(number_in(ok, "message_bytes"))});
  if (truth_in(object_in(ok, "routing"), "disk_full")) {
    table.add({"TROUBLE", "the disk is full: messages wait until there is room"});
  }
  if (const std::string lost = show_lost(ok); !lost.empty()) table.add({"lost", lost});
  add_drain(table, ok);
  table.add({"dead letters", std::to_string(number_in(ok, "dead_letters"))});
  return table.text();
}

Health health_in(const rapidjson::Value& ok) {
  const auto& drain = object_in(ok, "drain");
  Health health;
  health.catalogs_unstored = number_in(ok, "catalogs_unstored");
  health.oldest_seconds = static_cast<std::uint64_t>(oldest_age_ms(ok).value_or(0) / 1000);
  health.dead_letters = number_in(ok, "dead_letters");
  health.disk_full = truth_in(object_in(ok, "routing"), "disk_full");
  health.database_in_trouble = truth_in(drain, "database_in_trouble");
  health.contested = !list_in(drain, "contested_queues").Empty();
  health.last_error = text_in(drain, "last_error");
  return health;
}

Exit status(const options::Options& options, Output output) {
  const auto answer = ask_broker(options, kRequest);
  if (!answer) return fail(answer.error());
  print(output == Output::kJson ? answer->json() : show_status(answer->ok()));
  return Exit::kDone;
}

int unknown_status(const std::string& reason) {
  const Verdict verdict = judge_silence(NagiosState::kUnknown, reason);
  print(verdict.line);
  return static_cast<int>(verdict.state);
}

int check_status(const options::Options& options, const Thresholds& thresholds) {
  const auto answer = ask_broker(options, kRequest);
  Verdict verdict;
  if (answer) {
    verdict = judge(health_in(answer->ok()), thresholds);
  } else {
    const bool silent = answer.error().code == storage::ErrorCode::kUnavailable ||
                        answer.error().code == storage::ErrorCode::kBusy;
    verdict =
        judge_silence(silent ? NagiosState::kCritical : NagiosState::kUnknown, answer.error().text);
  }
  print(verdict.line);
  return static_cast<int>(verdict.state);
}

}  // namespace stompbox::verbs
