#include "broker/control/desk_json.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "broker/control/request.h"
#include "protocol/encoder.h"

namespace stompbox::control {
namespace {

constexpr std::size_t kAnswerBytesMax = 16 * 1024 * 1024;

std::string place_text(queue::Place place) {
  return std::to_string(place.priority.value) + "." + std::to_string(place.seq.value);
}

void write_text(Json& json, const std::string& text) {
  json.value(text);
}

void write_server(Json& json, const ServerFacts& server) {
  json.field("version", server.version)
      .field("mode", server.mode)
      .field("started_ms", server.started_ms)
      .field("data_folder", server.data_folder)
      .field("store", server.store_description)
      .field("catalog_store", server.catalog_description)
      .field("connections", server.connections)
      .field("connections_total", server.connections_total);
  write_list(json, "listeners", server.listeners, write_text);
}

void write_router(Json& json, const routing::RouterFigures& router) {
  json.key("routing").begin_object();
  json.field("disk_full", router.disk_full)
      .field("journal_bytes", router.journal_bytes)
      .field("resident_bytes", router.resident_bytes)
      .field("peers", router.peers)
      .field("subscriptions", router.subscriptions)
      .field("published", router.published)
      .field("delivered", router.delivered)
      .field("withdrawn", router.withdrawn)
      .field("dead_lettered", router.dead_lettered)
      .field("dead_letters_dropped", router.dead_letters_dropped)
      .field("queue_dropped", router.queue_dropped)
      .field("topic_without_subscriber", router.topic_without_subscriber)
      .field("topic_dropped", router.topic_dropped)
      .field("expired", router.expired)
      .field("scheduled", router.scheduled)
      .field("retained", router.retained)
      .field("durable_subscriptions", router.durable_subscriptions);
  json.end_object();
}

void write_drain(Json& json, const drain::DrainFigures& drain) {
  json.key("drain").begin_object();
  json.field("enabled", drain.enabled)
      .field("stored", drain.stored)
      .field("unchanged", drain.unchanged)
      .field("superseded", drain.superseded)
      .field("skipped", drain.skipped)
      .field("facts_stored", drain.facts_stored)
      .field("dead_lettered", drain.dead_lettered)
      .field("retries", drain.retries)
      .field("in_drain", drain.in_drain)
      .field("database_in_trouble", drain.database_in_trouble)
      .field("last_error", drain.last_error)
      .field("last_error_ms", drain.last_error_ms)
      .field("last_stored_ms", drain.last_stored_ms)
      .field("last_lag_ms", drain.last_lag_ms)
      .field("trouble_since_ms", drain.trouble_since_ms)
      .field("storing_since_ms", drain.storing_since_ms);
  write_list(json, "contested_queues", drain.contested_queues, write_text);
  json.end_object();
}

const routing::QueueFigures* find_queue(const StatusSources& sources, std::string_view name) {
  const auto found = std::find_if(sources.queues.begin(), sources.queues.end(),
                                  [name](const auto& queue) { return queue.name == name; });
  return found == sources.queues.end() ? nullptr : &*found;
}

// What a monitor looks at: how much waits for the database, and for how long.
void write_catalogs(Json& json, const StatusSources& sources) {
  const auto* queue = find_queue(sources, sources.server.catalog_queue);
  std::optional<std::int64_t> oldest = sources.drain.oldest_unstored_ms;
  if (queue != nullptr && queue->oldest_arrived_ms) {
    oldest = std::min(oldest.value_or(*queue->oldest_arrived_ms), *queue->oldest_arrived_ms);
  }
  json.field("catalogs_unstored", queue == nullptr ? 0 : queue->waiting + queue->in_flight)
      .field("oldest_unstored_ms", oldest);
}

void write_totals(Json& json, const StatusSources& sources) {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t letters = 0;
  for (const routing::QueueFigures& queue : sources.queues) {
    messages += queue.waiting + queue.in_flight;
    bytes += queue.bytes;
    if (queue.takes_letters) letters += queue.waiting + queue.in_flight;
  }
  json.field("queues", sources.queues.size())
      .field("messages", messages)
      .field("message_bytes", bytes)
      // Of queues that are gone, too: since the start.
      .field("messages_dropped", sources.router.queue_dropped + sources.router.dead_letters_dropped)
      .field("dead_letters", letters);
}

void write_queue(Json& json, const routing::QueueFigures& queue) {
  json.begin_object()
      .field("name", queue.name)
      .field("waiting", queue.waiting)
      .field("in_flight", queue.in_flight)
      .field("resident", queue.resident)
      .field("bytes", queue.bytes)
      .field("consumers", queue.consumers)
      .field("enqueued", queue.enqueued)
      .field("acknowledged", queue.acknowledged)
      .field("returned", queue.returned)
      .field("expired", queue.expired)
      .field("dropped", queue.dropped)
      .field("oldest_arrived_ms", queue.oldest_arrived_ms)
      .end_object();
}

void write_body(Json& json, const std::string& body, std::uint64_t bytes_max) {
  json.field("body_bytes", body.size());
  if (bytes_max == 0) return;
  std::string_view shown = std::string_view(body).substr(0, bytes_max);
  if (is_utf8(body)) {
    // Not in the middle of a character.
    while (shown.size() < body.size() && (body[shown.size()] & 0xC0) == 0x80) {
      shown.remove_suffix(1);
    }
    json.field("body", shown);
  } else {
    json.field("body_base64", to_base64(shown));
  }
}

// `queue`: where it is, if the answer is about several.
void write_message(Json& json, const routing::BrowsedMessage& browsed, std::uint64_t body_bytes,
                   const std::string* queue) {
  const queue::Message& message = *browsed.message;
  json.begin_object();
  if (queue != nullptr) json.field("queue", *queue);
  json.field("id", to_text(message.id))
      .field("place", place_text(browsed.place))
      .field("destination", message.destination)
      .field("arrived_ms", message.arrived_ms)
      .field("deliveries", browsed.deliveries)
      .field("in_flight", browsed.in_flight)
      .field("persistent", message.persistence == queue::Persistence::kDurable);
  json.key("headers").begin_array();
  const protocol::Headers headers = protocol::parse_block(message.header_block);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    json.begin_array().value(headers.at(i).name).value(headers.at(i).value).end_array();
  }
  json.end_array();
  write_body(json, message.body, body_bytes);
  json.end_object();
}

// Where to go on, if the answer is full before the page is in or the page is not the last.
std::optional<queue::Place> write_page(Json& json, const routing::BrowsePage& page,
                                       std::uint64_t body_bytes, const std::string* queue) {
  for (const routing::BrowsedMessage& message : page.messages) {
    if (json.bytes() > kAnswerBytesMax) return message.place;
    write_message(json, message, body_bytes, queue);
  }
  return page.next;
}

void write_place(Json& json, const std::optional<queue::Place>& place) {
  if (place) {
    json.value(place_text(*place));
  } else {
    json.null();
  }
}

void write_failure(Json& json, const LetterOutcome::Failure& failure) {
  json.begin_object().field("id", failure.id).field("reason", failure.reason).end_object();
}

}  // namespace

std::string status_answer(const StatusSources& sources) {
  Json json;
  json.begin_object().key("ok").begin_object();
  json.field("now_ms", sources.now_ms);
  write_server(json, sources.server);
  write_catalogs(json, sources);
  write_totals(json, sources);
  write_router(json, sources.router);
  write_drain(json, sources.drain);
  return json.end_object().end_object().text();
}

std::string queues_answer(const std::vector<routing::QueueFigures>& queues, std::int64_t now_ms) {
  Json json;
  json.begin_object().key("ok").begin_object().field("now_ms", now_ms);
  write_list(json, "queues", queues, write_queue);
  return json.end_object().end_object().text();
}

std::string browse_answer(const routing::BrowsePage& page, std::uint64_t body_bytes) {
  if (page.error) return error_answer(page.error->text);
  Json json;
  json.begin_object().key("ok").begin_object().key("messages").begin_array();
  const auto next = write_page(json, page, body_bytes, nullptr);
  json.end_array().key("next");
  write_place(json, next);
  return json.end_object().end_object().text();
}

ListAnswer::ListAnswer(std::uint64_t body_bytes) : body_bytes_(body_bytes) {
  json_.begin_object().key("ok").begin_object().key("messages").begin_array();
}

std::optional<queue::Place> ListAnswer::add(const std::string& queue,
                                            const routing::BrowsePage& page) {
  count_ += page.messages.size();
  return write_page(json_, page, body_bytes_, &queue);
}

std::string ListAnswer::finish(const std::optional<queue::Place>& next,
                               const std::string& next_queue) {
  json_.end_array().key("next");
  write_place(json_, next);
  if (next) json_.field("next_queue", next_queue);
  return json_.end_object().end_object().text();
}

std::string letters_answer(const LetterOutcome& outcome) {
  Json json;
  json.begin_object().key("ok").begin_object();
  json.field("done", outcome.done).field("looked_at", outcome.looked_at);
  write_list(json, "failures", outcome.failures, write_failure);
  write_list(json, "not_found", outcome.not_found, write_text);
  return json.end_object().end_object().text();
}

std::string newest_answer(const std::string& store, queue::MessageId newest) {
  Json json;
  json.begin_object().key("ok").begin_object();
  json.field("store", store).field("newest", newest.value);
  return json.end_object().end_object().text();
}

}  // namespace stompbox::control
