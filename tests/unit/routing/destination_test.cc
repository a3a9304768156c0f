#include "broker/routing/destination.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace stompbox::routing;

namespace {

const Profile& profile(std::string_view name) {
  const Profile* const found = find_profile(name);
  REQUIRE(found != nullptr);
  return *found;
}

Destination parsed(std::string_view text, std::string_view profile_name = "auto") {
  const auto all = parse_destinations(text, profile(profile_name));
  INFO(text, " under ", profile_name);
  REQUIRE(all);
  REQUIRE(all->size() == 1);
  return all->front();
}

bool is_refused(std::string_view text, std::string_view profile_name = "auto") {
  const auto view = view_destination(text, profile(profile_name));
  if (view) return false;
  CHECK(view.error().code == stompbox::storage::ErrorCode::kInvalid);
  CHECK(view.error().text.starts_with("destination '"));
  return true;
}

Destination queue_of(std::string_view name) {
  return {DestinationKind::kQueue, std::string(name)};
}
Destination topic_of(std::string_view name) {
  return {DestinationKind::kTopic, std::string(name)};
}

const std::vector<std::string> kProfiles = {"auto", "stompserver", "activemq", "rabbitmq",
                                            "apollo"};

}  // namespace

TEST_CASE("each prefix is a kind of its own") {
  CHECK(parsed("/queue/a.b") == queue_of("a.b"));
  CHECK(parsed("/topic/x/y") == topic_of("x/y"));
  CHECK(parsed("/dsub/n") == Destination{DestinationKind::kDurable, "n"});
  CHECK(parsed("/temp-queue/n") == Destination{DestinationKind::kTempQueue, "n"});
  CHECK(parsed("/temp-topic/n") == Destination{DestinationKind::kTempTopic, "n"});
  CHECK(parsed("/remote-temp-queue/7.n") == Destination{DestinationKind::kRemoteTempQueue, "7.n"});
  CHECK(parsed("/remote-temp-topic/7.n") == Destination{DestinationKind::kRemoteTempTopic, "7.n"});
  CHECK(parsed("/reply-queue/7.n") == Destination{DestinationKind::kRemoteTempQueue, "7.n"});
}

TEST_CASE("the aliases of RabbitMQ are queues and topics") {
  CHECK(parsed("/amq/queue/n") == queue_of("n"));
  CHECK(parsed("/exchange/amq.direct/k") == queue_of("k"));
  CHECK(parsed("/exchange/amq.topic/a.b") == topic_of("a.b"));
  CHECK(parsed("/exchange/amq.fanout") == topic_of("amq.fanout"));
  CHECK(parsed("/exchange/amq.fanout/k") == topic_of("amq.fanout"));
  CHECK(parsed("/exchange/amq.topic/a.#") == Destination{DestinationKind::kTopic, "a.#", true});
}

TEST_CASE("MCollective's exchanges are topics of the exchange and the key") {
  CHECK(parsed("/exchange/mcollective_broadcast/rpcutil") ==
        topic_of("mcollective_broadcast.rpcutil"));
  CHECK(parsed("/exchange/mcollective_broadcast") == topic_of("mcollective_broadcast"));
  CHECK(parsed("/exchange/mcollective_directed/web1.example.com") ==
        topic_of("mcollective_directed.web1.example.com"));
  CHECK(parsed("/exchange/mcollective_reply/web1_12_3", "rabbitmq") ==
        topic_of("mcollective_reply.web1_12_3"));
}

TEST_CASE("a name that is made lives as long as its view and its copies") {
  const std::string text = "/exchange/an-exchange-with-a-long-name/and-a-key-that-is-long-too";
  auto view = view_destination(text, default_profile());
  REQUIRE(view);
  const DestinationView copy = *view;
  view = stompbox::storage::Error{};
  CHECK(copy.name == "an-exchange-with-a-long-name.and-a-key-that-is-long-too");
}

TEST_CASE("a name that stands in the text is not copied") {
  const std::string text = "/queue/a";
  const auto view = view_destination(text, default_profile());
  REQUIRE(view);
  CHECK(view->name.data() == text.data() + 7);
  CHECK(view->made_name == nullptr);
}

TEST_CASE("a destination without a name or with an unknown prefix is refused") {
  for (const char* bad :
       {"", "a", "/", "queue/a", "/Queue/a", "/queue", "/queue/", "/topic/", "/temp-queue/",
        "/dsub/", "/amq/queue/", "/reply-queue/", "/exchange/", "/exchange//k",
        "/exchange/amq.direct", "/exchange/amq.topic/", "/foo/a"}) {
    INFO(std::string(bad));
    CHECK(is_refused(bad));
  }
}

TEST_CASE("a name is bounded and has no control characters") {
  for (const std::string& name : kProfiles) {
    CHECK(view_destination("/queue/" + std::string(1024, 'x'), profile(name)));
    CHECK(is_refused("/queue/" + std::string(1025, 'x'), name));
    CHECK(is_refused("/topic/a\nb", name));
    CHECK(is_refused(std::string("/queue/a\0b", 10), name));
    CHECK(is_refused("/queue/a\x7f", name));
    CHECK(parsed("/queue/Zürich ~(1)@%:a/b_c-d", name) == queue_of("Zürich ~(1)@%:a/b_c-d"));
  }
}

TEST_CASE("a refusal shows no control characters and not all of a long text") {
  const auto view = view_destination("/queue/a\nb" + std::string(5000, 'x'));
  REQUIRE_FALSE(view);
  CHECK(view.error().text.find('\n') == std::string::npos);
  CHECK(view.error().text.size() < 200);
}

TEST_CASE("a queue or topic cannot take a name that the broker uses for another kind") {
  for (const std::string& name : kProfiles) {
    for (const char* bad : {"/queue//dsub/a", "/queue//temp-queue/1.a", "/queue//temp-topic/1.a",
                            "/topic//temp-topic/1.a", "/queue//queue/a", "/queue//queuefoo"}) {
      INFO(std::string(bad), " under ", name);
      CHECK(is_refused(bad, name));
    }
  }
  CHECK(is_refused("/amq/queue//dsub/a"));
  CHECK(is_refused("/exchange/amq.direct//temp-queue/1.a"));
  CHECK(is_refused("/queue/%2Fdsub%2Fa", "rabbitmq"));
  CHECK(parsed("/queue//other/a") == queue_of("/other/a"));
}

TEST_CASE("wildcards are wildcards only where they stand for something") {
  for (const char* text : {"/queue/a.*", "/queue/a.>", "/topic/>", "/topic/a.**.b", "/topic/#",
                           "/topic/foo*", "/queue/a.*b*.c"})
    CHECK(parsed(text).has_wildcards);
  for (const char* text : {"/queue/a", "/queue/a>", "/queue/a.>.b", "/topic/a#", "/topic/#a",
                           "/temp-queue/*", "/dsub/a.*", "/reply-queue/*"})
    CHECK_FALSE(parsed(text).has_wildcards);
}

TEST_CASE("StompServer: whatever begins with /queue is a queue, all else a topic") {
  const std::string own = "stompserver";
  CHECK(parsed("/queue/x", own) == queue_of("x"));
  CHECK(parsed("/queuefoo", own) == queue_of("/queuefoo"));
  CHECK(parsed("/queue", own) == queue_of("/queue"));
  CHECK(parsed("/queue/", own) == queue_of("/queue/"));
  CHECK(parsed("/topic/x", own) == topic_of("x"));
  CHECK(parsed("foo", own) == topic_of("foo"));
  CHECK(parsed("/foo/bar", own) == topic_of("/foo/bar"));
  CHECK(parsed("queue/x", own) == topic_of("queue/x"));
  CHECK(parsed("/temp-queue/x", own) == topic_of("/temp-queue/x"));
  CHECK(parsed("/topic/a.*", own) == topic_of("a.*"));
  CHECK(parsed("/queue/a,/queue/b", own) == queue_of("a,/queue/b"));
  CHECK(is_refused("", own));
}

TEST_CASE("RabbitMQ: a bare name is a queue, %2F a slash, a comma a letter") {
  const std::string rabbit = "rabbitmq";
  CHECK(parsed("foo", rabbit) == queue_of("foo"));
  CHECK(parsed("a,b", rabbit) == queue_of("a,b"));
  CHECK(parsed("/queue/a%2Fb%2fc%20", rabbit) == queue_of("a/b/c%20"));
  CHECK(parsed("/queue/a%2Fb", "auto") == queue_of("a%2Fb"));
  CHECK(is_refused("/foo", rabbit));
}

TEST_CASE("ActiveMQ and Apollo refuse a bare name") {
  for (const char* name : {"auto", "activemq", "apollo"})
    CHECK(is_refused("foo", name));
}

TEST_CASE("a composite destination is all of its members, each once") {
  const auto all =
      parse_destinations("/queue/a, /topic/b.* ,/queue/a,/temp-queue/c", default_profile());
  REQUIRE(all);
  REQUIRE(all->size() == 3);
  CHECK((*all)[0] == queue_of("a"));
  CHECK((*all)[1] == Destination{DestinationKind::kTopic, "b.*", true});
  CHECK((*all)[2] == Destination{DestinationKind::kTempQueue, "c"});
  CHECK(is_composite("/queue/a,/queue/b"));
  CHECK_FALSE(is_composite("/queue/a"));
}

TEST_CASE("a composite destination with one bad member is refused as a whole") {
  for (const char* bad : {"/queue/a,", ",/queue/a", "/queue/a,,/queue/b", "/queue/a,b"})
    CHECK_FALSE(parse_destinations(bad, default_profile()));
}

TEST_CASE("a composite destination has 64 members at most") {
  std::string text = "/queue/0";
  for (int i = 1; i < 64; ++i)
    text += ",/queue/" + std::to_string(i);
  CHECK(parse_destinations(text, default_profile()));
  CHECK_FALSE(parse_destinations(text + ",/queue/64", default_profile()));
}

TEST_CASE("where one destination is expected, several are refused") {
  CHECK(is_refused("/queue/a,/queue/b"));
  CHECK_FALSE(parse_destination("/queue/a,/queue/b"));
}

TEST_CASE("the monitor queue is a topic where the profile has one, and a queue elsewhere") {
  const Destination monitor = parsed("/queue/monitor", "stompserver");
  CHECK(monitor.kind == DestinationKind::kTopic);
  CHECK(monitor.name == "/queue/monitor");
  CHECK(parsed("/queue/monitors", "stompserver") == queue_of("monitors"));
  CHECK(parsed("/queue/monitor") == queue_of("monitor"));
}

TEST_CASE("the text of a destination parses to it again") {
  for (const char* text :
       {"/queue/a", "/topic/a.*", "/dsub/n", "/temp-queue/n", "/temp-topic/n",
        "/remote-temp-queue/1.n", "/remote-temp-topic/1.n", "/amq/queue/q", "/exchange/X/k"}) {
    const Destination destination = parsed(text);
    CHECK(parsed(to_text(destination)) == destination);
  }
  for (const char* text :
       {"/queuefoo", "/queue", "/queue/x", "foo", "/foo", "/topic/x", "/topic/"}) {
    const Destination destination = parsed(text, "stompserver");
    INFO(std::string(text));
    CHECK(parsed(to_text(destination), "stompserver") == destination);
  }
  CHECK(to_text(queue_of("/queuefoo")) == "/queuefoo");
  CHECK(to_text(parsed("/reply-queue/1.n")) == "/remote-temp-queue/1.n");
}
