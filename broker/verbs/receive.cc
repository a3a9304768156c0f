#include "broker/verbs/receive.h"

#include <algorithm>
#include <string_view>

#include "broker/control/json.h"
#include "broker/verbs/send.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

// Of messages in our hands: so many may come again when we are killed.
constexpr std::size_t kPrefetchMax = 256;
constexpr std::chrono::milliseconds kForEver{std::chrono::hours(24 * 365)};

constexpr std::string_view kSubscription = "1";

enum class Acks : std::uint8_t { kNone, kEach };
enum class Place : std::uint8_t { kAmong, kLast };

// What a queue has beyond the wanted count stays there: the broker may not count it as taken.
bool takes_some_of_queue(const ReceiveOptions& options) {
  return options.count > 0 && full_destination(options.source).starts_with("/queue/");
}

client::Subscribe subscribe_to(const ReceiveOptions& options, protocol::Version version) {
  client::Subscribe subscribe{std::string(kSubscription), full_destination(options.source),
                              options.ack, 0};
  const bool takes_some = takes_some_of_queue(options);
  if (options.ack == "individual" || (options.ack == "auto" && takes_some)) {
    subscribe.ack = version == protocol::Version::k10 ? "client" : "client-individual";
  }
  subscribe.prefetch_count = takes_some ? 1 : kPrefetchMax;
  if (options.count > 0) {
    subscribe.prefetch_count = std::min(subscribe.prefetch_count, options.count);
  }
  return subscribe;
}

// Before the last one is acknowledged no other may come, which would go back as redelivered. Only
// of our own broker we know that it takes the ACK all the same.
storage::Status acknowledge(client::Client& client, const protocol::Frame& message, Place place) {
  if (place == Place::kLast && client.server().starts_with("stompbox")) {
    if (auto status = client.unsubscribe(kSubscription); !status) return status;
  }
  return client.acknowledge(message, client::Confirm::kNone);
}

std::string as_json(const protocol::Frame& message) {
  control::Json json;
  json.begin_object().key("headers").begin_array();
  for (std::size_t i = 0; i < message.headers.size(); ++i) {
    const auto header = message.headers.at(i);
    json.begin_array().value(header.name).value(header.value).end_array();
  }
  json.end_array();
  if (control::is_utf8(message.body)) {
    json.field("body", message.body);
  } else {
    json.field("body_base64", control::to_base64(message.body));
  }
  return json.end_object().text() + "\n";
}

storage::Error too_few(std::size_t got, const ReceiveOptions& options) {
  return {storage::ErrorCode::kBusy,
          "no more messages came within " + std::to_string(options.timeout->count()) + " ms: got " +
              std::to_string(got) + " of " + std::to_string(options.count)};
}

// Prints and acknowledges until enough have come.
storage::Status receive_all(client::Client& client, const ReceiveOptions& options, Acks acks) {
  for (std::size_t got = 0; options.count == 0 || got < options.count; ++got) {
    const auto message = client.receive(options.timeout.value_or(kForEver));
    if (!message) return message.error();
    if (!*message) {
      if (options.count == 0) return storage::kOk;
      return too_few(got, options);
    }
    // Not acknowledged if nobody has read it.
    if (print(show_message(**message, options.output)) == Written::kNobodyReads) break;
    if (acks == Acks::kNone) continue;
    const auto place = got + 1 == options.count ? Place::kLast : Place::kAmong;
    if (auto acked = acknowledge(client, **message, place); !acked) return acked;
  }
  return storage::kOk;
}

}  // namespace

std::string show_message(const protocol::Frame& message, MessageOutput output) {
  if (output == MessageOutput::kJson) return as_json(message);
  std::string text;
  if (output == MessageOutput::kHeadersAndBody) {
    for (std::size_t i = 0; i < message.headers.size(); ++i) {
      const auto header = message.headers.at(i);
      text += printable(header.name) + ": " + printable(header.value) + "\n";
    }
    text += "\n";
  }
  text += message.body;
  if (!text.ends_with('\n')) text += "\n";
  return text;
}

Exit receive(const ReceiveOptions& options) {
  auto client = log_in(options.login);
  if (!client) return fail(client.error());
  const client::Subscribe subscribe = subscribe_to(options, client->version());
  auto status = client->subscribe(subscribe);
  const Acks acks = subscribe.ack == "auto" ? Acks::kNone : Acks::kEach;
  if (status) status = receive_all(*client, options, acks);
  // Also after a time-out: what was acknowledged is to be so when we are gone.
  const auto goodbye = client->disconnect();
  if (status && !goodbye) status = goodbye;
  if (status) return Exit::kDone;
  complain(status.error().text);
  return Exit::kFailed;
}

}  // namespace stompbox::verbs
