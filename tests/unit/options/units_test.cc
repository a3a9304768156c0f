#include "broker/options/units.h"

#include <doctest/doctest.h>

namespace stompbox::options {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a size is a number with or without a unit") {
  CHECK(*parse_size("0") == 0);
  CHECK(*parse_size("4096") == 4096);
  CHECK(*parse_size("12B") == 12);
  CHECK(*parse_size("64KiB") == 64 * 1024);
  CHECK(*parse_size("64MiB") == 64 * 1024 * 1024);
  CHECK(*parse_size("2GiB") == 2ULL * 1024 * 1024 * 1024);
}

TEST_CASE("what is no size is refused") {
  for (const char* text : {"", "MiB", "64MB", "64 MiB", "-1", "1.5GiB", "64MiBx", "0x10",
                           "9223372036854775808", "99999999999GiB", "18446744073709551616"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_size(text).has_value());
    CHECK(parse_size(text).error().code == storage::ErrorCode::kInvalid);
  }
}

TEST_CASE("a size is shown in the largest unit that divides it") {
  CHECK(show_size(0) == "0B");
  CHECK(show_size(1023) == "1023B");
  CHECK(show_size(64 * 1024) == "64KiB");
  CHECK(show_size(1536 * 1024) == "1536KiB");
  CHECK(show_size(3ULL << 30) == "3GiB");
}

TEST_CASE("a shown size reads back as itself") {
  for (const std::uint64_t size : {0ULL, 1ULL, 1000ULL, 1024ULL, 1ULL << 30, 123456789ULL}) {
    CHECK(*parse_size(show_size(size)) == size);
  }
}

TEST_CASE("a time has a unit, but for nought") {
  CHECK(*parse_duration("0") == milliseconds(0));
  CHECK(*parse_duration("1500ms") == milliseconds(1500));
  CHECK(*parse_duration("10s") == milliseconds(10'000));
  CHECK(*parse_duration("5min") == milliseconds(300'000));
  CHECK(*parse_duration("2h") == milliseconds(7'200'000));
  CHECK(*parse_duration("30d") == milliseconds(2'592'000'000));
  for (const char* text : {"", "10", "10 s", "1.5s", "-1s", "s", "10m", "9223372036854775807s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("a shown time reads back as itself") {
  for (const int ms : {0, 1, 999, 1000, 1500, 60'000, 90'000, 3'600'000}) {
    CHECK(*parse_duration(show_duration(milliseconds(ms))) == milliseconds(ms));
  }
  CHECK(show_duration(milliseconds(90'000)) == "90s");
}

TEST_CASE("a mode is octal") {
  CHECK(*parse_mode("0640") == 0640);
  CHECK(*parse_mode("660") == 0660);
  CHECK(show_mode(0640) == "0640");
  for (const char* text : {"", "0689", "rw-r-----", "10000", "-640"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mode(text).has_value());
  }
}

TEST_CASE("a count is a whole number without sign") {
  CHECK(*parse_count("256") == 256);
  for (const char* text : {"", "-1", "+1", "1e3", "1 ", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text).has_value());
  }
}

}  // namespace
}  // namespace stompbox::options
