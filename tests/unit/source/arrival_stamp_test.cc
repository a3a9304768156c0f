#include "broker/arrival_stamp.h"

#include <doctest/doctest.h>

#include <optional>
#include <string_view>

using namespace stompbox;

namespace {

std::optional<std::int64_t> time_of(std::string_view name, std::string_view value) {
  protocol::Headers headers;
  headers.add(name, value);
  return own_time_ms(headers);
}

}  // namespace

TEST_CASE("a message's own time is seconds, milliseconds or a date in UTC") {
  CHECK(time_of("timestamp", "1700000000000") == 1'700'000'000'000);
  CHECK(time_of("timestamp", "1700000000") == 1'700'000'000'000);
  CHECK(time_of("timestamp_in_ms", "1700000000123") == 1'700'000'000'123);
  CHECK(time_of("producer-timestamp", "2023-11-14T22:13:20Z") == 1'700'000'000'000);
  CHECK(time_of("producer-timestamp", "2023-11-14T22:13:20.5Z") == 1'700'000'000'500);
  CHECK(time_of("producer-timestamp", "2023-11-14T22:13:20.123456789Z") == 1'700'000'000'123);
}

TEST_CASE("what is no time is none") {
  for (const std::string_view text :
       {"", "0", "-5", "12x", "99999999999999999999", "2023-11-14 22:13:20", "2023-13-14T22:13:20Z",
        "2023-02-30T22:13:20Z", "2023-11-14T25:13:20Z", "2023-11-14T22:13:20+01:00",
        "2023-11-14T22:13:20,5Z", "2023-11-14T22:13:20.Z"}) {
    CAPTURE(text);
    CHECK_FALSE(time_of("producer-timestamp", text).has_value());
  }
  CHECK_FALSE(time_of("other", "1700000000").has_value());
}

TEST_CASE("the producer's time goes before the broker's") {
  protocol::Headers headers;
  headers.add("timestamp", "1700000009000");
  headers.add("producer-timestamp", "1700000001000");
  CHECK(own_time_ms(headers) == 1'700'000'001'000);
}

TEST_CASE("a Stompbox's time goes before any other broker's, and its message-id has the place") {
  protocol::Headers headers;
  headers.add("message-id", "7-1048580");
  CHECK_FALSE(own_place(headers).has_value());  // a stranger's, whatever it looks like
  headers.add("timestamp", "1700000009000");
  headers.add("stompbox-arrival", "1700000003000");
  CHECK(own_time_ms(headers) == 1'700'000'003'000);
  CHECK(own_place(headers) == 1'048'580);
  headers.add("producer-timestamp", "1700000001000");
  CHECK(own_time_ms(headers) == 1'700'000'001'000);
}

TEST_CASE("a letter that was replayed is as old as what died") {
  protocol::Headers headers;
  headers.add("original-arrival", "1700000001500-3");
  headers.add("message-id", "7-18");
  headers.add("stompbox-arrival", "1700000003000");
  headers.add("timestamp", "1700000009000");
  headers.add("producer-timestamp",
              "1700000009000");  // a clock that was ahead, and is not any more
  CHECK(own_time_ms(headers) == 1'700'000'001'500);
  CHECK(own_place(headers) == 3);
}

TEST_CASE("what is not quite the stamp of a letter counts for nothing") {
  for (const char* const text :
       {"2026-11-22T05:04:29Z", "1700000001500", "garbage-5", "1700000001500-1048576", "-5", "5-",
        "1700000001500-3 ", "99999999999999999-1", ""}) {
    CAPTURE(text);
    protocol::Headers headers;
    headers.add("original-arrival", text);
    CHECK_FALSE(own_time_ms(headers).has_value());
    CHECK_FALSE(own_place(headers).has_value());
  }
}

TEST_CASE("the stamp that a letter has is read as it was written") {
  ArrivalStamps stamps;
  const std::uint64_t stamp = stamps.next(3000, 5000, 1'048'575);
  CHECK(ArrivalStamps::text(stamp) == "3000-1048575");
  CHECK(ArrivalStamps::read("3000-1048575") == stamp);
  protocol::Headers headers;
  headers.add("original-arrival", "1700000001500-1048575");
  const std::uint64_t again =
      stamps.next(own_time_ms(headers), 1'800'000'000'000, own_place(headers));
  CHECK(ArrivalStamps::text(again) == "1700000001500-1048575");
}

TEST_CASE("two drains give a message of a Stompbox the same stamp, whenever it comes") {
  ArrivalStamps one, other;
  static_cast<void>(other.next(std::nullopt, 4000));
  CHECK(one.next(3000, 5000, 17) == other.next(3000, 9000, 17));
  CHECK(one.next(3000, 5000, 17) < other.next(3000, 9000, 18));
}

TEST_CASE("stamps grow with the time, and within a millisecond in order of arrival") {
  ArrivalStamps stamps;
  const auto first = stamps.next(std::nullopt, 5000);
  const auto second = stamps.next(std::nullopt, 5000);
  const auto older = stamps.next(4000, 5001);
  const auto newest = stamps.next(std::nullopt, 5001);
  CHECK(first < second);
  CHECK(older < first);
  CHECK(second < newest);
  CHECK(ArrivalStamps::time_ms(older) == 4000);
}

TEST_CASE("a producer whose clock is ahead does not shut out what comes later") {
  ArrivalStamps stamps;
  CHECK(ArrivalStamps::time_ms(stamps.next(9000, 5000)) == 5000);
}
