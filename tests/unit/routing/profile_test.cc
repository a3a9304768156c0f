#include "broker/routing/profile.h"

#include <doctest/doctest.h>

using namespace stompbox::routing;

TEST_CASE("a profile is found by its name") {
  for (const char* name : {"auto", "stompserver", "activemq", "rabbitmq", "apollo"}) {
    REQUIRE(find_profile(name) != nullptr);
    CHECK(find_profile(name)->name == name);
  }
  CHECK(find_profile("") == nullptr);
  CHECK(find_profile("Auto") == nullptr);
  CHECK(find_profile("artemis") == nullptr);
  CHECK(&default_profile() == find_profile("auto"));
}

TEST_CASE("the default keeps messages unless they say otherwise; the brokers that do not, do not") {
  CHECK(find_profile("auto")->persistence == DefaultPersistence::kDurable);
  CHECK_FALSE(find_profile("auto")->persistence_is_fixed);
  CHECK(find_profile("stompserver")->persistence == DefaultPersistence::kDurable);
  CHECK(find_profile("stompserver")->persistence_is_fixed);
  for (const char* name : {"activemq", "rabbitmq", "apollo"})
    CHECK(find_profile(name)->persistence == DefaultPersistence::kVolatile);
}

TEST_CASE("StompServer gives one message at a time and reports on its queues") {
  CHECK(find_profile("stompserver")->client_credit_count == 1);
  CHECK(find_profile("stompserver")->monitor_queue);
  for (const char* name : {"auto", "activemq", "rabbitmq", "apollo"}) {
    CHECK_FALSE(find_profile(name)->client_credit_count);
    CHECK_FALSE(find_profile(name)->monitor_queue);
  }
}

TEST_CASE("a NACK is a dead letter for ActiveMQ alone") {
  for (const char* name : {"auto", "stompserver", "rabbitmq", "apollo"})
    CHECK(find_profile(name)->nack == NackMeaning::kRequeue);
  CHECK(find_profile("activemq")->nack == NackMeaning::kDeadLetter);
}

TEST_CASE("reply queues come as each broker's clients expect them") {
  CHECK(find_profile("auto")->reply_queues == ReplyQueues::kEither);
  CHECK(find_profile("activemq")->reply_queues == ReplyQueues::kExplicit);
  CHECK(find_profile("rabbitmq")->reply_queues == ReplyQueues::kImplicit);
  CHECK(find_profile("rabbitmq")->reply_prefix == "/reply-queue/");
  CHECK(find_profile("auto")->reply_prefix == "/remote-temp-queue/");
}

TEST_CASE("receipts inside a transaction wait for COMMIT where the peer's clients can stand it") {
  for (const char* name : {"auto", "rabbitmq", "apollo"})
    CHECK(find_profile(name)->transaction_receipts == TransactionReceipts::kAtCommit);
  for (const char* name : {"stompserver", "activemq"})
    CHECK(find_profile(name)->transaction_receipts == TransactionReceipts::kWhenBuffered);
}
