#include "broker/session/subscribe_frame.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "broker/session/foreign_headers.h"
#include "broker/session/message_writer.h"

namespace stompbox::session {
namespace {

using protocol::Headers;
using routing::AckMode;
using routing::DestinationKind;

constexpr std::uint64_t kOnlyNew = std::numeric_limits<std::uint64_t>::max();

std::optional<AckMode> parse_ack_mode(std::string_view text) {
  if (text == "auto" || text == "none") return AckMode::kAuto;  // Apollo's word
  if (text == "client") return AckMode::kClient;
  if (text == "client-individual") return AckMode::kIndividual;
  return std::nullopt;
}

// Too large to hold counts as the largest.
std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error != std::errc()) return std::numeric_limits<std::uint64_t>::max();
  return number;
}

std::optional<std::int32_t> parse_signed(std::string_view text) {
  std::int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error != std::errc()) return std::nullopt;
  return number;
}

Refusal missing(std::string_view name) {
  return {"Missing header", "SUBSCRIBE: the header " + std::string(name) + " is missing."};
}

Refusal bad_value(std::string_view name, std::string_view value, std::string_view wanted) {
  return {"Bad header", "SUBSCRIBE: the header " + std::string(name) + " is " + quoted(value) +
                            "; " + std::string(wanted) + "."};
}

Refusal not_for(std::string_view name, std::string_view what) {
  return {"Not supported",
          "SUBSCRIBE: the header " + std::string(name) + " is for " + std::string(what) + "."};
}

bool is_topic(const routing::Destination& destination) {
  return destination.kind == DestinationKind::kTopic ||
         destination.kind == DestinationKind::kTempTopic ||
         destination.kind == DestinationKind::kRemoteTempTopic;
}

struct Found {
  std::string_view name;
  std::string_view value;
};

// The first of several spellings that is there.
template <std::size_t N>
std::optional<Found> find_any(const Headers& headers,
                              const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names) {
    if (const auto value = headers.find(name)) return Found{name, *value};
  }
  return std::nullopt;
}

template <std::size_t N>
bool any_is_true(const Headers& headers, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&headers](std::string_view name) { return headers.find(name) == "true"; });
}

constexpr std::array<std::string_view, 3> kDurableNames{
    "activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"};
constexpr std::array<std::string_view, 2> kDurableFlags{"durable", "persistent"};
constexpr std::array<std::string_view, 3> kExclusive{"activemq.exclusive", "exclusive",
                                                     "x-single-active-consumer"};
constexpr std::array<std::string_view, 2> kPriority{"activemq.priority", "x-priority"};
constexpr std::array<std::string_view, 2> kNoLocal{"no-local", "activemq.noLocal"};

std::string with_client(std::string_view client_id, std::string_view name) {
  std::string text(client_id);
  if (!text.empty()) text.push_back('.');
  return text.append(name);
}

// One SUBSCRIBE; each step reads a family of headers.
class Reader {
 public:
  Reader(const Headers& headers, const SessionOptions& options, SubscribeWish& wish)
      : headers_(headers), options_(options), wish_(wish) {}

  std::optional<Refusal> read() {
    using Step = std::optional<Refusal> (Reader::*)();
    for (const Step step :
         {&Reader::read_destinations, &Reader::read_foreign, &Reader::read_ack,
          &Reader::read_credit_count, &Reader::read_credit_bytes, &Reader::read_selector,
          &Reader::read_sharing, &Reader::read_browsing, &Reader::read_from_seq}) {
      if (auto refusal = (this->*step)()) return refusal;
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_durable(std::string_view client_id) {
    auto durable = find_durable_name(headers_, client_id);
    if (!durable) return std::nullopt;
    const bool all_topics = std::all_of(wish_.destinations.begin(), wish_.destinations.end(),
                                        [](const routing::Destination& destination) {
                                          return destination.kind == DestinationKind::kTopic;
                                        });
    if (!all_topics) {
      // A queue keeps its messages without being asked.
      if (durable->by_id && !has_topic()) return std::nullopt;
      return Refusal{"Not supported", "SUBSCRIBE: a durable subscription is for topics only."};
    }
    if (durable->name.empty()) return missing("id");
    if (!routing::parse_destination("/dsub/" + durable->name)) {
      return Refusal{"Bad header",
                     "SUBSCRIBE: the name of the durable subscription is too long or "
                     "has characters that no name may have."};
    }
    wish_.durable_name = std::move(durable->name);
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool has_topic() const {
    return std::any_of(wish_.destinations.begin(), wish_.destinations.end(), is_topic);
  }

  std::optional<Refusal> read_destinations() {
    auto destinations = routing::parse_destinations(wish_.destination_text, *options_.profile);
    if (!destinations) {
      return Refusal{"Unknown destination", "SUBSCRIBE: " + destinations.error().text};
    }
    wish_.destinations = std::move(*destinations);
    for (const routing::Destination& destination : wish_.destinations) {
      const bool is_remote = destination.kind == DestinationKind::kRemoteTempQueue ||
                             destination.kind == DestinationKind::kRemoteTempTopic;
      if (is_remote) {
        return Refusal{"Unknown destination",
                       "SUBSCRIBE: only its owner may subscribe to a temporary destination."};
      }
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_foreign() {
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      const auto [name, value] = headers_.at(i);
      if (auto refusal = refuse_foreign(name, value, ForeignOn::kSubscribe)) return refusal;
      if (name != "destination-type" && name != "subscription-type") continue;
      for (const routing::Destination& destination : wish_.destinations) {
        if (auto refusal =
                refuse_other_kind(name, value, destination.kind, ForeignOn::kSubscribe)) {
          return refusal;
        }
      }
    }
    // RabbitMQ's name of the queue behind a topic: of a durable one it is the durable name.
    if (headers_.find("x-queue-name") && has_topic() && !any_is_true(headers_, kDurableFlags)) {
      return Refusal{"Not supported",
                     "SUBSCRIBE: the header x-queue-name is for durable subscriptions."};
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_ack() {
    const std::string_view ack = headers_.find("ack").value_or("auto");
    const auto mode = parse_ack_mode(ack);
    if (!mode) return bad_value("ack", ack, "auto, client and client-individual are known");
    wish_.ack_mode = *mode;
    if (*mode == AckMode::kAuto) {
      wish_.credit = {options_.auto_credit_count, options_.auto_credit_bytes};
      return std::nullopt;
    }
    wish_.credit = {options_.client_credit_count, options_.client_credit_bytes};
    if (const auto count = options_.profile->client_credit_count) wish_.credit.count_max = *count;
    return std::nullopt;
  }

  // The first positive number of three peers' headers (fact 2.2).
  std::optional<Refusal> read_credit_count() {
    bool is_set = false;
    for (const std::string_view name : {"credit", "prefetch-count", "activemq.prefetchSize"}) {
      const auto text = headers_.find(name);
      if (!text) continue;
      const bool is_pair = name == "credit";
      const auto count = parse_count(is_pair ? text->substr(0, text->find(',')) : *text);
      if (!count || (is_pair && *count == 0)) {
        return bad_value(name, *text,
                         is_pair ? "COUNT or COUNT,BYTES is expected, both positive"
                                 : "a whole number is expected");
      }
      if (*count == 0 || is_set) continue;
      wish_.credit.count_max =
          static_cast<std::size_t>(std::min<std::uint64_t>(*count, options_.credit_count_max));
      is_set = true;
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_credit_bytes() {
    const auto credit = headers_.find("credit");
    const auto comma = credit ? credit->find(',') : std::string_view::npos;
    if (comma != std::string_view::npos) {
      const auto bytes = parse_count(credit->substr(comma + 1));
      if (!bytes || *bytes == 0) {
        return bad_value("credit", *credit, "COUNT or COUNT,BYTES is expected, both positive");
      }
      set_credit_bytes(*bytes);
      return std::nullopt;
    }
    const auto window = headers_.find("consumer-window-size");
    if (!window) return std::nullopt;
    if (window == "-1") {
      set_credit_bytes(options_.credit_bytes_max);
      return std::nullopt;
    }
    const auto bytes = parse_count(*window);
    if (!bytes) return bad_value("consumer-window-size", *window, "a number of bytes is expected");
    if (*bytes == 0) {
      wish_.credit.count_max = 1;
    } else {
      set_credit_bytes(*bytes);
    }
    return std::nullopt;
  }

  void set_credit_bytes(std::uint64_t bytes) {
    wish_.credit.bytes_max =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, options_.credit_bytes_max));
  }

  std::optional<Refusal> read_selector() {
    const auto text = headers_.find("selector");
    if (!text || text->find_first_not_of(' ') == std::string_view::npos) return std::nullopt;
    auto selector = routing::Selector::parse(*text);
    if (!selector) return Refusal{"Bad selector", "SUBSCRIBE: " + selector.error().text};
    wish_.selector = std::move(*selector);
    return std::nullopt;
  }

  std::optional<Refusal> read_sharing() {
    if (any_is_true(headers_, kNoLocal)) wish_.locality = routing::Locality::kNotOwn;
    if (any_is_true(headers_, kExclusive)) wish_.exclusivity = routing::Exclusivity::kExclusive;
    if (const auto found = find_any(headers_, kPriority)) {
      const auto priority = parse_signed(found->value);
      if (!priority) return bad_value(found->name, found->value, "a whole number is expected");
      wish_.priority = *priority;
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_browsing() {
    if (headers_.find("browser") == "true") {
      if (has_topic()) return not_for("browser", "queues");
      wish_.browsing = headers_.find("browser-end") == "false" ? routing::Browsing::kFollow
                                                               : routing::Browsing::kOnce;
    }
    if (auto refusal = read_name("include-seq", wish_.seq_header)) return refusal;
    return read_name("include-arrival", wish_.arrival_header);
  }

  // Of a header that each MESSAGE is to have besides.
  std::optional<Refusal> read_name(std::string_view wish, std::string& into) {
    const auto name = headers_.find(wish);
    if (!name) return std::nullopt;
    if (name->empty() || is_message_header(*name)) {
      return bad_value(wish, *name, "the name of a header of your own is expected");
    }
    into = *name;
    return std::nullopt;
  }

  // Apollo: from there on, without taking anything. 0 is the beginning, -1 what comes.
  std::optional<Refusal> read_from_seq() {
    const auto text = headers_.find("from-seq");
    if (!text) return std::nullopt;
    const auto from = text == "-1" ? kOnlyNew : parse_count(*text);
    if (!from) return bad_value("from-seq", *text, "a whole number or -1 is expected");
    if (has_topic()) {  // a topic keeps nothing that one could begin with
      if (*from == 0 || *from == kOnlyNew) return std::nullopt;
      return not_for("from-seq", "queues");
    }
    const bool is_one = wish_.destinations.size() == 1 && !wish_.destinations[0].has_wildcards;
    if (!is_one) return not_for("from-seq", "one destination without wildcards");
    if (wish_.browsing == routing::Browsing::kNo) wish_.browsing = routing::Browsing::kFollow;
    wish_.browse_from = *from;
    return std::nullopt;
  }

  const Headers& headers_;
  const SessionOptions& options_;
  SubscribeWish& wish_;
};

}  // namespace

std::optional<DurableName> find_durable_name(const Headers& headers, std::string_view client_id) {
  const auto named = find_any(headers, kDurableNames);
  if (named && !named->value.empty()) {
    return DurableName{.name = with_client(client_id, named->value), .by_id = false};
  }
  if (!any_is_true(headers, kDurableFlags)) return std::nullopt;
  DurableName durable{.name = {}, .by_id = true};
  const auto queue_name = headers.find("x-queue-name");
  const auto id = headers.find("id");
  if (queue_name && !queue_name->empty()) {
    durable.name = *queue_name;
  } else if (id && !id->empty()) {
    durable.name = with_client(client_id, *id);
  }
  return durable;
}

std::variant<SubscribeWish, Refusal> read_subscribe(const Headers& headers,
                                                    protocol::Version version,
                                                    std::string_view client_id,
                                                    const SessionOptions& options) {
  SubscribeWish wish;
  wish.destination_text = headers.find("destination").value_or("");
  if (wish.destination_text.empty()) return missing("destination");
  if (const auto id = headers.find("id")) wish.id = *id;
  if (version == protocol::Version::k10) {
    if (wish.id && wish.id->empty()) wish.id.reset();
  } else if (!wish.id) {
    return missing("id");
  }
  Reader reader(headers, options, wish);
  auto refusal = reader.read();
  if (!refusal) refusal = reader.read_durable(client_id);
  if (refusal) return *std::move(refusal);
  return wish;
}

}  // namespace stompbox::session
