#include "broker/access/remembered.h"

#include <string>

#include <doctest/doctest.h>

#include "broker/access/failures.h"

namespace stompbox::access {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr DigestKey kKey = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST_CASE("the digest is SipHash-2-4 of 128 bits") {
  // The first of the authors' test vectors: a3817f04ba25a8e6 6df67214c7550293.
  CHECK(keyed_digest(kKey, "") == Digest{0xe6a825ba047f81a3, 0x930255c71472f66d});
}

TEST_CASE("every byte of a text counts for its digest") {
  std::string text(33, 'x');
  const Digest whole = keyed_digest(kKey, text);
  for (char& c : text) {
    c = 'y';
    CHECK(keyed_digest(kKey, text) != whole);
    c = 'x';
  }
  CHECK(keyed_digest(kKey, std::string(32, 'x')) != whole);
  CHECK(keyed_digest(kKey, text) == whole);
}

TEST_CASE("two processes have different keys") {
  CHECK(random_key() != random_key());
}

TEST_CASE("only what was verified is known") {
  Remembered remembered(10, kKey);
  remembered.remember("a", "secret", "$hash");
  CHECK(remembered.knows("a", "secret", "$hash"));
  CHECK_FALSE(remembered.knows("a", "Secret", "$hash"));
  CHECK_FALSE(remembered.knows("b", "secret", "$hash"));
}

TEST_CASE("a new hash in the file makes the old passcode unknown") {
  Remembered remembered(10, kKey);
  remembered.remember("a", "secret", "$hash");
  CHECK_FALSE(remembered.knows("a", "secret", "$other"));
}

TEST_CASE("name, hash and passcode do not run into one another") {
  Remembered remembered(10, kKey);
  remembered.remember("a", "bc", "$h");
  CHECK_FALSE(remembered.knows("ab", "c", "$h"));
  CHECK_FALSE(remembered.knows("a", "c", "$h\nb"));
}

TEST_CASE("the oldest credentials make room") {
  Remembered remembered(2, kKey);
  for (const char* name : {"a", "b", "a", "c"})
    remembered.remember(name, "secret", "$h");
  CHECK(remembered.count() == 2);
  CHECK_FALSE(remembered.knows("a", "secret", "$h"));
  CHECK(remembered.knows("b", "secret", "$h"));
  CHECK(remembered.knows("c", "secret", "$h"));
}

TEST_CASE("failures of an address are counted until it has been quiet for long") {
  Failures failures(10, seconds(60));
  const Failures::TimePoint start{};
  failures.add("a", start);
  failures.add("a", start + seconds(50));
  CHECK(failures.count("a", start + seconds(100)) == 2);
  CHECK(failures.count("b", start + seconds(100)) == 0);
  CHECK(failures.count("a", start + seconds(111)) == 0);
  failures.add("a", start + seconds(111));
  CHECK(failures.count("a", start + seconds(111)) == 1);
}

TEST_CASE("a right passcode clears the address") {
  Failures failures(10, seconds(60));
  failures.add("a", {});
  failures.clear("a");
  CHECK(failures.count("a", {}) == 0);
}

TEST_CASE("a full table forgets the address that has been quiet longest") {
  Failures failures(2, seconds(60));
  const Failures::TimePoint start{};
  failures.add("a", start);
  failures.add("b", start + seconds(1));
  failures.add("a", start + seconds(2));
  failures.add("c", start + seconds(3));
  CHECK(failures.addresses() == 2);
  CHECK(failures.count("a", start + seconds(3)) == 2);
  CHECK(failures.count("b", start + seconds(3)) == 0);
}

TEST_CASE("the hold doubles with each failure up to its bound") {
  const auto hold = [](std::uint32_t failures) {
    return hold_after(failures, milliseconds(1500), milliseconds(10'000));
  };
  CHECK(hold(0) == milliseconds(1500));
  CHECK(hold(1) == milliseconds(3000));
  CHECK(hold(2) == milliseconds(6000));
  CHECK(hold(3) == milliseconds(10'000));
  CHECK(hold(4'000'000'000U) == milliseconds(10'000));
  CHECK(hold_after(5, milliseconds(20'000), milliseconds(10'000)) == milliseconds(20'000));
  CHECK(hold_after(4'000'000'000U, milliseconds(0), milliseconds(10'000)) == milliseconds(0));
}

}  // namespace
}  // namespace stompbox::access
