#include "broker/session/subscribe_frame.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace stompbox::session {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using protocol::Version;

std::variant<SubscribeWish, Refusal> read(const Pairs& pairs, const SessionOptions& options = {},
                                          std::string_view client_id = "",
                                          Version version = Version::k12) {
  protocol::Headers headers;
  for (const auto& [name, value] : pairs)
    headers.add(name, value);
  return read_subscribe(headers, version, client_id, options);
}

SubscribeWish wish_of(Pairs pairs, std::string_view destination = "/queue/q",
                      std::string_view client_id = "") {
  pairs.insert(pairs.begin(), {{"id", "s"}, {"destination", std::string(destination)}});
  auto read_wish = read(pairs, {}, client_id);
  if (const auto* const refusal = std::get_if<Refusal>(&read_wish)) FAIL(refusal->detail);
  return std::move(std::get<SubscribeWish>(read_wish));
}

std::string refusal_of(Pairs pairs, std::string_view destination = "/queue/q") {
  pairs.insert(pairs.begin(), {{"id", "s"}, {"destination", std::string(destination)}});
  auto read_wish = read(pairs);
  return std::holds_alternative<Refusal>(read_wish) ? std::get<Refusal>(read_wish).detail
                                                    : "accepted";
}

bool names(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("every peer's spelling of a durable subscription gives one kind of name") {
  for (const char* header :
       {"activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"}) {
    INFO(header);
    CHECK(wish_of({{header, "n"}}, "/topic/t", "c").durable_name == "c.n");
    CHECK(wish_of({{header, "n"}}, "/topic/t").durable_name == "n");
    CHECK(names(refusal_of({{header, "n"}}), "topics"));
  }
  for (const char* header : {"durable", "persistent"}) {
    INFO(header);
    CHECK(wish_of({{header, "true"}}, "/topic/t", "c").durable_name == "c.s");
    CHECK_FALSE(wish_of({{header, "false"}}, "/topic/t").durable_name);
    CHECK_FALSE(wish_of({{header, "true"}}, "/queue/q").durable_name);
    CHECK(names(refusal_of({{header, "true"}}, "/topic/t,/queue/q"), "topics"));
  }
  CHECK(wish_of({{"durable", "true"}, {"x-queue-name", "shared"}}, "/topic/t", "c").durable_name ==
        "shared");
  CHECK(names(refusal_of({{"x-queue-name", "shared"}}, "/topic/t"), "x-queue-name"));
}

TEST_CASE("a durable subscription by id needs one") {
  const auto nameless =
      read({{"destination", "/topic/t"}, {"durable", "true"}}, {}, "", Version::k10);
  REQUIRE(std::holds_alternative<Refusal>(nameless));
  CHECK(names(std::get<Refusal>(nameless).detail, "id"));
}

TEST_CASE("the windows of all peers become one credit") {
  CHECK(wish_of({{"credit", "7"}}).credit.count_max == 7);
  CHECK(wish_of({{"credit", "7,900"}}).credit.bytes_max == 900);
  CHECK(wish_of({{"prefetch-count", "5"}}).credit.count_max == 5);
  CHECK(wish_of({{"activemq.prefetchSize", "6"}}).credit.count_max == 6);
  CHECK(wish_of({{"prefetch-count", "0"}, {"activemq.prefetchSize", "6"}}).credit.count_max == 6);
  CHECK(wish_of({{"consumer-window-size", "4096"}}).credit.bytes_max == 4096);
  CHECK(wish_of({{"consumer-window-size", "0"}}).credit.count_max == 1);
  const SessionOptions defaults;
  CHECK(wish_of({{"consumer-window-size", "-1"}}).credit.bytes_max == defaults.credit_bytes_max);
  CHECK(wish_of({{"prefetch-count", "99999999999999999999999"}}).credit.count_max ==
        defaults.credit_count_max);
  for (const char* bad : {"0", "x", "5,0", "5,x", ",5", ""}) {
    INFO(bad);
    CHECK(names(refusal_of({{"credit", bad}}), "credit"));
  }
  CHECK(names(refusal_of({{"consumer-window-size", "-2"}}), "consumer-window-size"));
}

TEST_CASE("the window of the client modes is the profile's when the client names none") {
  SessionOptions options;
  options.profile = routing::find_profile("stompserver");
  const Pairs client{{"id", "0"}, {"destination", "/queue/q"}, {"ack", "client"}};
  CHECK(std::get<SubscribeWish>(read(client, options)).credit.count_max == 1);
  Pairs named = client;
  named.emplace_back("prefetch-count", "9");
  CHECK(std::get<SubscribeWish>(read(named, options)).credit.count_max == 9);
}

TEST_CASE("sharing: exclusive, priority and no-local under their names") {
  for (const char* name : {"exclusive", "activemq.exclusive", "x-single-active-consumer"}) {
    INFO(name);
    CHECK(wish_of({{name, "true"}}).exclusivity == routing::Exclusivity::kExclusive);
    CHECK(wish_of({{name, "false"}}).exclusivity == routing::Exclusivity::kShared);
  }
  for (const char* name : {"activemq.priority", "x-priority"}) {
    INFO(name);
    CHECK(wish_of({{name, "-5"}}).priority == -5);
    CHECK(names(refusal_of({{name, "first"}}), name));
  }
  for (const char* name : {"no-local", "activemq.noLocal"}) {
    INFO(name);
    CHECK(wish_of({{name, "true"}}, "/topic/t").locality == routing::Locality::kNotOwn);
  }
}

TEST_CASE("browsing: once, following, or from a number on") {
  using routing::Browsing;
  CHECK(wish_of({}).browsing == Browsing::kNo);
  CHECK(wish_of({{"browser", "true"}}).browsing == Browsing::kOnce);
  CHECK(wish_of({{"browser", "true"}, {"browser-end", "false"}}).browsing == Browsing::kFollow);
  const auto from = wish_of({{"from-seq", "12"}});
  CHECK(from.browsing == Browsing::kFollow);
  CHECK(from.browse_from == 12);
  CHECK(wish_of({{"from-seq", "-1"}}).browse_from == std::numeric_limits<std::uint64_t>::max());
  CHECK(wish_of({{"from-seq", "0"}}, "/topic/t").browsing == Browsing::kNo);
  CHECK(names(refusal_of({{"from-seq", "5"}}, "/topic/t"), "from-seq"));
  CHECK(names(refusal_of({{"from-seq", "5"}}, "/queue/a,/queue/b"), "from-seq"));
  CHECK(names(refusal_of({{"from-seq", "5"}}, "/queue/a.>"), "from-seq"));
  CHECK(names(refusal_of({{"browser", "true"}}, "/topic/t"), "browser"));
  CHECK(wish_of({{"include-seq", "at"}}).seq_header == "at");
  CHECK(wish_of({{"include-arrival", "came"}}).arrival_header == "came");
  for (const char* taken : {"message-id", "subscription", "content-length", ""}) {
    INFO(taken);
    CHECK(names(refusal_of({{"include-seq", taken}}), "include-seq"));
  }
}

TEST_CASE("a blank selector is none") {
  CHECK_FALSE(wish_of({{"selector", " "}}).selector);
  CHECK(wish_of({{"selector", "a = 'b'"}}).selector);
  CHECK(names(refusal_of({{"selector", "a ="}}), "SUBSCRIBE"));
}

TEST_CASE("what other brokers have and we have not is refused by name") {
  const std::vector<std::pair<const char*, const char*>> refused{{"x-stream-offset", "first"},
                                                                 {"x-queue-type", "stream"},
                                                                 {"activemq.retroactive", "true"},
                                                                 {"transformation", "jms-map-json"},
                                                                 {"x-message-ttl", "5"},
                                                                 {"x-dead-letter-routing-key", "k"},
                                                                 {"x-max-length", "5"},
                                                                 {"x-overflow", "drop-head"},
                                                                 {"x-expires", "5"},
                                                                 {"x-delivery-limit", "5"}};
  for (const auto& [name, value] : refused) {
    INFO(name);
    CHECK(names(refusal_of({{name, value}}), name));
  }
  CHECK(refusal_of({{"x-queue-type", "quorum"}, {"activemq.retroactive", "false"}}) == "accepted");
  CHECK(names(refusal_of({{"subscription-type", "MULTICAST"}}), "subscription-type"));
  CHECK(refusal_of({{"subscription-type", "MULTICAST"}}, "/topic/t") == "accepted");
}

TEST_CASE("somebody else's temporary queue cannot be subscribed to") {
  CHECK(names(refusal_of({}, "/remote-temp-queue/1-a.r"), "owner"));
  CHECK(names(refusal_of({}, "/reply-queue/1-a.r"), "owner"));
  CHECK(refusal_of({}, "/temp-queue/r") == "accepted");
}

}  // namespace
}  // namespace stompbox::session
