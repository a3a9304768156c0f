#include "broker/session/subscribe_frame.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>

namespace stompbox::session {
namespace {

using routing::AckMode;

struct Unspoken {
  std::string_view name;
  std::string_view value;  // that has the meaning; empty: any
};

// Extensions of other brokers (fact 2.2) that decide which messages a subscription gets.
constexpr std::array kUnspoken{
    Unspoken{"selector", ""},
    Unspoken{"browser", "true"},
    Unspoken{"exclusive", "true"},
    Unspoken{"activemq.exclusive", "true"},
    Unspoken{"durable", "true"},
    Unspoken{"persistent", "true"},
    Unspoken{"activemq.subscriptionName", ""},
    Unspoken{"durable-subscription-name", ""},
    Unspoken{"durable-subscriber-name", ""},
    Unspoken{"no-local", "true"},
    Unspoken{"activemq.noLocal", "true"},
    Unspoken{"activemq.retroactive", "true"},
    Unspoken{"from-seq", ""},
    Unspoken{"x-stream-offset", ""},
};

std::optional<Refusal> find_unspoken(const protocol::Headers& headers) {
  for (const Unspoken& unspoken : kUnspoken) {
    const auto value = headers.find(unspoken.name);
    if (!value || (!unspoken.value.empty() && *value != unspoken.value)) continue;
    return Refusal{"Not supported", "SUBSCRIBE: the header " + std::string(unspoken.name) +
                                        " is not supported by this version."};
  }
  return std::nullopt;
}

std::optional<AckMode> parse_ack_mode(std::string_view text) {
  if (text == "auto") return AckMode::kAuto;
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

routing::Credit default_credit(AckMode mode, const SessionOptions& options) {
  if (mode == AckMode::kAuto) return {options.auto_credit_count, options.auto_credit_bytes};
  return {options.client_credit_count, options.client_credit_bytes};
}

std::optional<Refusal> read_credit(const protocol::Headers& headers, const SessionOptions& options,
                                   routing::Credit& credit) {
  bool is_set = false;
  for (const std::string_view name : {"prefetch-count", "activemq.prefetchSize"}) {
    const auto text = headers.find(name);
    if (!text) continue;
    const auto count = parse_count(*text);
    if (!count) {
      return Refusal{"Bad header", "SUBSCRIBE: the header " + std::string(name) + " is " +
                                       quoted(*text) + ", which is not a whole number."};
    }
    if (*count == 0 || is_set) continue;
    credit.count_max =
        static_cast<std::size_t>(std::min<std::uint64_t>(*count, options.credit_count_max));
    is_set = true;
  }
  return std::nullopt;
}

Refusal missing(std::string_view name) {
  return {"Missing header", "SUBSCRIBE: the header " + std::string(name) + " is missing."};
}

}  // namespace

std::variant<SubscribeWish, Refusal> read_subscribe(const protocol::Headers& headers,
                                                    protocol::Version version,
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
  const std::string_view ack = headers.find("ack").value_or("auto");
  const auto mode = parse_ack_mode(ack);
  if (!mode) {
    return Refusal{"Bad header", "SUBSCRIBE: the header ack is " + quoted(ack) +
                                     "; auto, client and client-individual are known."};
  }
  wish.ack_mode = *mode;
  if (auto refusal = find_unspoken(headers)) return *std::move(refusal);
  wish.credit = default_credit(wish.ack_mode, options);
  if (auto refusal = read_credit(headers, options, wish.credit)) return *std::move(refusal);

  auto destination = routing::parse_destination(wish.destination_text);
  if (!destination) {
    return Refusal{"Unknown destination", "SUBSCRIBE: " + destination.error().text};
  }
  wish.destination = std::move(*destination);
  return wish;
}

}  // namespace stompbox::session
