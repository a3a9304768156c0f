#include "broker/session/send_frame.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "broker/session/foreign_headers.h"

namespace stompbox::session {
namespace {

using std::chrono::milliseconds;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::int64_t kNowMs = 1'000'000;

protocol::Frame frame_of(const Pairs& headers, std::string body = "x") {
  protocol::Frame frame;
  for (const auto& [name, value] : headers)
    frame.headers.add(name, value);
  frame.body = std::move(body);
  return frame;
}

std::variant<SendWish, Refusal> read(protocol::Frame& frame, std::string_view profile = "auto") {
  return read_send(frame, {*routing::find_profile(profile), "7-abc", kNowMs});
}

// Of a SEND to a queue, or to another destination if the headers name one.
routing::Draft draft_of(Pairs headers, std::string_view profile = "auto") {
  headers.insert(headers.begin(), {"destination", "/queue/q"});
  protocol::Frame frame = frame_of(headers);
  auto wish = read(frame, profile);
  REQUIRE(std::holds_alternative<SendWish>(wish));
  return std::move(std::get<SendWish>(wish).draft);
}

std::string refusal_of(Pairs headers) {
  headers.insert(headers.begin(), {"destination", "/queue/q"});
  protocol::Frame frame = frame_of(headers);
  auto wish = read(frame);
  return std::holds_alternative<Refusal>(wish) ? std::get<Refusal>(wish).detail : "accepted";
}

TEST_CASE("a SEND's own headers do not travel, all others do as they are, repeated ones too") {
  const auto draft = draft_of({{"receipt", "r"},
                               {"transaction", ""},
                               {"content-length", "1"},
                               {"message-id", "mine"},
                               {"browser", "end"},
                               {"JMSXGroupFirstForConsumer", "true"},
                               {"a", "1"},
                               {"a", "2"},
                               {"b", "x:y\n"}});
  CHECK(draft.header_block == "a:1\na:2\nb:x\\cy\\n\n");
  CHECK_FALSE(draft.block_is_plain);
  CHECK(draft.destination == "/queue/q");
  CHECK(draft.body == "x");
}

TEST_CASE("the views of a wish are into the frame, whose headers stay") {
  protocol::Frame frame = frame_of(
      {{"destination", "/queue/q"}, {"receipt", "r"}, {"transaction", "t"}, {"receipt", "s"}});
  const auto wish = std::get<SendWish>(read(frame));
  CHECK(wish.receipt == "r");
  CHECK(wish.transaction == "t");
  CHECK(wish.destination.name == "q");
  CHECK(frame.headers.size() == 4);
}

TEST_CASE("priority is a digit, and 4 is the default") {
  CHECK(draft_of({}).priority.value == 5);
  CHECK(draft_of({{"priority", "9"}}).priority.value == 0);
  CHECK(draft_of({{"priority", "0"}}).priority.value == 9);
  CHECK(draft_of({{"priority", "3"}, {"priority", "8"}}).priority.value == 6);
  for (const char* bad : {"10", "-1", "", "high", " 5"}) {
    INFO(bad);
    CHECK(refusal_of({{"priority", bad}}).find("priority") != std::string::npos);
  }
}

TEST_CASE("expires is a moment, ttl and expiration a time from now; the earliest counts") {
  CHECK(draft_of({}).expires_ms == 0);
  CHECK(draft_of({{"expires", "0"}}).expires_ms == 0);
  CHECK(draft_of({{"expires", "5000"}}).expires_ms == 5000);
  CHECK(draft_of({{"ttl", "10"}}).expires_ms == kNowMs + 10);
  CHECK(draft_of({{"ttl", "0"}}).expires_ms == 0);
  CHECK(draft_of({{"expiration", "0"}}).expires_ms == kNowMs + 1);
  CHECK(draft_of({{"ttl", "20"}, {"expiration", "10"}}).expires_ms == kNowMs + 10);
  CHECK(draft_of({{"ttl", "10"}, {"expires", "2000000"}}).expires_ms == kNowMs + 10);
  CHECK(draft_of({{"ttl", "9223372036854775807"}}).expires_ms == 0);
  for (const char* name : {"expires", "ttl", "expiration"}) {
    INFO(name);
    CHECK(refusal_of({{name, "-1"}}).find(name) != std::string::npos);
    CHECK(refusal_of({{name, "1.5"}}).find(name) != std::string::npos);
    CHECK(refusal_of({{name, "99999999999999999999"}}).find(name) != std::string::npos);
  }
}

TEST_CASE("what is durable by default is the profile's affair, and StompServer keeps everything") {
  using queue::Persistence;
  CHECK(draft_of({}).persistence == Persistence::kDurable);
  CHECK(draft_of({{"persistent", "false"}}).persistence == Persistence::kVolatile);
  CHECK(draft_of({}, "activemq").persistence == Persistence::kVolatile);
  CHECK(draft_of({{"persistent", "true"}}, "activemq").persistence == Persistence::kDurable);
  CHECK(draft_of({{"persistent", "false"}}, "stompserver").persistence == Persistence::kDurable);
}

TEST_CASE("a reply-to that only the sender understands is made known to strangers") {
  CHECK(draft_of({{"reply-to", "/temp-queue/r"}}).header_block ==
        "reply-to:/remote-temp-queue/7-abc.r\n");
  CHECK(draft_of({{"reply-to", "/temp-queue/r"}}, "rabbitmq").header_block ==
        "reply-to:/reply-queue/7-abc.r\n");
  CHECK(draft_of({{"reply-to", "/temp-topic/r"}}).header_block ==
        "reply-to:/remote-temp-topic/7-abc.r\n");
  CHECK(draft_of({{"reply-to", "/queue/r"}}).header_block == "reply-to:/queue/r\n");
  protocol::Frame frame = frame_of({{"destination", "/queue/q"}, {"reply-to", "/temp-queue/r"}});
  CHECK(std::get<SendWish>(read(frame)).reply_queue == "/temp-queue/r");
}

TEST_CASE("delay, period and repeat make a schedule; a period alone begins with one period") {
  CHECK_FALSE(draft_of({}).schedule);
  const auto plain = draft_of({{"AMQ_SCHEDULED_DELAY", "100"}});
  REQUIRE(plain.schedule);
  CHECK(plain.schedule->delay == milliseconds(100));
  CHECK(plain.schedule->period == milliseconds(0));
  const auto again = draft_of({{"AMQ_SCHEDULED_PERIOD", "50"}, {"AMQ_SCHEDULED_REPEAT", "-1"}});
  REQUIRE(again.schedule);
  CHECK(again.schedule->delay == milliseconds(50));
  CHECK(again.schedule->repeats == -1);
  const auto moment = draft_of({{"AMQ_SCHEDULED_TIME", "1000250"}});
  REQUIRE(moment.schedule);
  CHECK(moment.schedule->delay == milliseconds(250));
  CHECK_FALSE(draft_of({{"AMQ_SCHEDULED_TIME", "5"}}).schedule);
  CHECK_FALSE(draft_of({{"AMQ_SCHEDULED_DELAY", "0"}}).schedule);
  CHECK(draft_of({{"x-delay", "70"}}).schedule->delay == milliseconds(70));
  CHECK(refusal_of({{"AMQ_SCHEDULED_REPEAT", "-2"}}).find("REPEAT") != std::string::npos);
  CHECK(refusal_of({{"AMQ_SCHEDULED_CRON", "* * * * *"}}).find("CRON") != std::string::npos);
}

TEST_CASE("retain is for topics, under two names") {
  const auto retain_of = [](const Pairs& headers) {
    protocol::Frame frame = frame_of(headers);
    return std::get<SendWish>(read(frame)).draft.retain;
  };
  CHECK(retain_of({{"destination", "/topic/t"}, {"retain", "set"}}) == routing::Retain::kSet);
  CHECK(retain_of({{"destination", "/topic/t"}, {"retain", "remove"}}) == routing::Retain::kRemove);
  CHECK(retain_of({{"destination", "/topic/t"}, {"ActiveMQ.Retain", "true"}}) ==
        routing::Retain::kSet);
  CHECK(retain_of({{"destination", "/topic/t"}, {"ActiveMQ.Retain", "false"}}) ==
        routing::Retain::kNo);
  CHECK(refusal_of({{"retain", "set"}}).find("topics") != std::string::npos);
}

TEST_CASE("a group goes by JMSXGroupID, and by Apollo's word for it") {
  CHECK(draft_of({{"JMSXGroupID", "g"}}).has_group);
  CHECK_FALSE(draft_of({{"JMSXGroupID", ""}}).has_group);
  const auto apollo = draft_of({{"message_group", "g"}});
  CHECK(apollo.has_group);
  CHECK(apollo.header_block == "message_group:g\nJMSXGroupID:g\n");
}

TEST_CASE("a composite destination is its members, each once, with a copy of the message") {
  protocol::Frame frame =
      frame_of({{"destination", "/queue/a,/topic/b,/queue/a"}, {"h", "v"}}, "body");
  auto wish = std::get<SendWish>(read(frame));
  REQUIRE(wish.members.size() == 2);
  const auto drafts = split_draft(std::move(wish.draft), wish.members);
  REQUIRE(drafts.size() == 2);
  CHECK(drafts[0].destination == "/queue/a");
  CHECK(drafts[1].destination == "/topic/b");
  CHECK(drafts[1].body == "body");
  CHECK(drafts[1].header_block == "h:v\n");
}

TEST_CASE("where a comma is a letter a name with one is one name") {
  protocol::Frame frame = frame_of({{"destination", "/queue/a,b"}});
  const auto wish = std::get<SendWish>(read(frame, "rabbitmq"));
  CHECK(wish.members.empty());
  CHECK(wish.destination.name == "a,b");
}

TEST_CASE("a letter to the scheduler is known by its destination and its header") {
  const auto manages = [](const Pairs& headers) {
    protocol::Frame frame = frame_of(headers);
    return std::get<SendWish>(read(frame)).manages_schedules;
  };
  const char* const topic = "/topic/ActiveMQ.Scheduler.Management";
  CHECK(manages({{"destination", topic}, {"AMQ_SCHEDULER_ACTION", "REMOVEALL"}}));
  CHECK_FALSE(manages({{"destination", topic}}));
  CHECK_FALSE(manages({{"destination", "/topic/t"}, {"AMQ_SCHEDULER_ACTION", "REMOVEALL"}}));
}

TEST_CASE(
    "queue arguments of RabbitMQ are refused by name, user headers that look like them pass") {
  for (const char* name :
       {"x-dead-letter-exchange", "x-message-ttl", "x-expires", "x-max-length"}) {
    INFO(name);
    CHECK(refusal_of({{name, "1"}}).find(name) != std::string::npos);
  }
  CHECK(refusal_of({{"x-death", "1"}, {"x-mine", "1"}, {"transformation", "jms-map-json"}}) ==
        "accepted");
  CHECK(refuse_foreign("transformation", "jms-map-json", ForeignOn::kSubscribe));
}

}  // namespace
}  // namespace stompbox::session
