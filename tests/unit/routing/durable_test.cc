#include "broker/routing/durable.h"

#include <doctest/doctest.h>

using namespace stompbox;
using routing::Destination;
using routing::DestinationKind;
using routing::DurableFilter;
using routing::DurableInterest;

namespace {

Destination topic(std::string name, bool has_wildcards = false) {
  Destination destination;
  destination.kind = DestinationKind::kTopic;
  destination.name = std::move(name);
  destination.has_wildcards = has_wildcards;
  return destination;
}

}  // namespace

TEST_CASE("what a durable subscription listens to reads the same from its attributes") {
  DurableInterest interest;
  interest.topics = {topic("a b"), topic("x.*", true), topic("odd\\name\nline")};
  interest.selector = "name = 'a\nb\\c'";
  const auto read = DurableInterest::parse(interest.to_attributes());
  REQUIRE(read);
  CHECK(*read == interest);
}

TEST_CASE("no attributes are no interest") {
  REQUIRE(DurableInterest::parse(""));
  CHECK(DurableInterest::parse("")->topics.empty());
}

TEST_CASE("attributes of a newer program are refused") {
  CHECK(DurableInterest::parse("topic a\ncolour green\n").error().code ==
        storage::ErrorCode::kVersion);
}

TEST_CASE("a durable subscription listens to its topics and patterns, and to what it selects") {
  DurableInterest interest;
  interest.topics = {topic("a"), topic("x.*", true), topic("star.*")};
  interest.selector = "kind = 'big'";
  const auto filter = DurableFilter::make(interest);
  REQUIRE(filter);
  CHECK(filter->listens_to("a"));
  CHECK(filter->listens_to("x.y"));
  CHECK(filter->listens_to("star.*"));
  CHECK_FALSE(filter->listens_to("star.light"));
  CHECK_FALSE(filter->listens_to("b"));
  queue::Message message;
  CHECK_FALSE(filter->wants(message));
  message.header_block = "kind:big\n";
  CHECK(filter->wants(message));
}

TEST_CASE("a durable subscription with a senseless selector is refused") {
  DurableInterest interest;
  interest.selector = "= =";
  CHECK(DurableFilter::make(interest).error().code == storage::ErrorCode::kInvalid);
}
