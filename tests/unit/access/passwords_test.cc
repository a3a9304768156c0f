#include "broker/access/passwords.h"

#include <string>

#include <doctest/doctest.h>

namespace stompbox::access {
namespace {

TEST_CASE("the right passcode matches its hash and no other does") {
  const auto hash = hash_password("secret");
  REQUIRE(hash.has_value());
  CHECK(hash->starts_with("$y$"));
  CHECK(is_password_hash(*hash));
  CHECK(verify_password("secret", *hash) == Verdict::kRight);
  CHECK(verify_password("Secret", *hash) == Verdict::kWrong);
  CHECK(verify_password("secret ", *hash) == Verdict::kWrong);
  CHECK(verify_password("", *hash) == Verdict::kWrong);
}

TEST_CASE("two hashes of one passcode differ") {
  CHECK(*hash_password("secret") != *hash_password("secret"));
}

TEST_CASE("a NUL in a passcode does not end the comparison") {
  const auto hash = hash_password("secret");
  REQUIRE(hash.has_value());
  CHECK(verify_password(std::string_view("secret\0more", 11), *hash) == Verdict::kWrong);
  CHECK(verify_password(std::string_view("secret\0", 7), *hash) == Verdict::kWrong);
}

TEST_CASE("passcodes that the hash function would cut are refused") {
  CHECK_FALSE(hash_password("").has_value());
  CHECK_FALSE(hash_password(std::string_view("a\0b", 3)).has_value());
  CHECK_FALSE(hash_password(std::string(kPasscodeBytesMax + 1, 'x')).has_value());
  const std::string longest(kPasscodeBytesMax, 'x');
  const auto hash = hash_password(longest);
  REQUIRE(hash.has_value());
  CHECK(verify_password(longest, *hash) == Verdict::kRight);
  CHECK(verify_password(longest + "x", *hash) == Verdict::kWrong);
}

TEST_CASE("a text that is no hash matches nothing") {
  for (const char* text : {"", "*", "!", "secret", "$y$", "$y$j9T$", "$9$abcdefghijklmnopqrst"}) {
    CAPTURE(text);
    CHECK_FALSE(is_password_hash(text));
    CHECK(verify_password("secret", text) == Verdict::kWrong);
  }
}

TEST_CASE("a user that does not exist is wrong whatever the passcode") {
  CHECK(verify_nobody("secret") == Verdict::kWrong);
  CHECK(verify_nobody("") == Verdict::kWrong);
}

}  // namespace
}  // namespace stompbox::access
