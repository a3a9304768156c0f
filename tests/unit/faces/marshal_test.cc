#include "broker/faces/marshal.h"

#include <string>

#include <doctest/doctest.h>

// The bytes are what Marshal.dump gave for the value that the test names.
namespace stompbox::faces {
namespace {

using namespace std::string_literals;
using storage::ErrorCode;

std::string dumped(const std::string& value) {
  return "\x04\x08"s + value;
}

// The document views the bytes: both are kept.
struct Read {
  explicit Read(const std::string& value) : bytes(dumped(value)), document(read_marshal(bytes)) {}
  const MarshalNode& root() const {
    REQUIRE_MESSAGE(document.has_value(), (document ? "" : document.error().text));
    return document->root();
  }
  const MarshalNode& child(std::size_t index) const {
    return document->at(root().children.at(index));
  }
  std::string bytes;
  storage::Result<MarshalDocument> document;
};

std::int64_t number_of(const std::string& value) {
  const Read read(value);
  REQUIRE(read.root().kind == MarshalKind::kInteger);
  return read.root().number;
}

TEST_CASE("small and packed integers are read at the borders of their forms") {
  CHECK(number_of("i\x00"s) == 0);
  CHECK(number_of("i\x06") == 1);
  CHECK(number_of("i\xfa") == -1);
  CHECK(number_of("i\x7f") == 122);
  CHECK(number_of("i\x01\x7b") == 123);
  CHECK(number_of("i\x80") == -123);
  CHECK(number_of("i\xff\x84") == -124);
  CHECK(number_of("i\x01\xff") == 255);
  CHECK(number_of("i\x02\x00\x01"s) == 256);
  CHECK(number_of("i\xff\x00"s) == -256);
  CHECK(number_of("i\xfe\xff\xfe") == -257);
  CHECK(number_of("i\x04\xff\xff\xff\x3f") == (1 << 30) - 1);
  CHECK(number_of("i\xfc\x00\x00\x00\xc0"s) == -(1 << 30));
}

TEST_CASE("a bignum that fits is a number, a larger one is read over") {
  CHECK(number_of("l+\x07\x00\x00\x00\x40"s) == std::int64_t{1} << 30);
  CHECK(number_of("l-\x08\x00\x00\x00\x00\x00\x01"s) == -(std::int64_t{1} << 40));
  CHECK(Read("l+\x0a\0\0\0\0\0\0\0\0\x01\0"s).root().kind == MarshalKind::kOther);
}

TEST_CASE("strings of 1.8 and of later Rubies are the same text") {
  CHECK(Read("\"\x06"
             "a")
            .root()
            .text == "a");
  const Read later(
      "I\"\x06"
      "a\x06:\x06"
      "ET");
  CHECK(later.root().kind == MarshalKind::kString);
  CHECK(later.root().text == "a");
  CHECK(Read("I\"\x06"
             "a\x06:\x0d"
             "encoding\"\x0fISO-8859-1")
            .root()
            .text == "a");
}

TEST_CASE("a link stands for the object that began earlier, numbers and symbols not counted") {
  // [:s, 1, "a", :s, link to "a"]: the array is object 0, the string object 1.
  const Read read(
      "[\x0a:\x06si\x06\"\x06"
      "a;\x00@\x06"s);
  REQUIRE(read.root().children.size() == 5);
  CHECK(read.child(0).text == "s");
  CHECK(read.child(3).text == "s");
  CHECK(read.child(4).text == "a");
  CHECK(read.root().children[2] == read.root().children[4]);
}

TEST_CASE("an array may hold itself") {
  const Read read("[\x06@\x00"s);
  REQUIRE(read.root().children.size() == 1);
  CHECK(&read.child(0) == &read.root());
}

TEST_CASE("hashes are found into by symbol and by string, with a default or without") {
  const Read plain(
      "{\x07:\x06"
      "ai\x06\"\x06"
      "bi\x07");
  REQUIRE(plain.document->find(plain.root(), "a") != nullptr);
  CHECK(plain.document->find(plain.root(), "a")->number == 1);
  CHECK(plain.document->find(plain.root(), "b")->number == 2);
  CHECK(plain.document->find(plain.root(), "c") == nullptr);
  CHECK(plain.document->find(*plain.document->find(plain.root(), "a"), "a") == nullptr);
  const Read with_default(
      "}\x06:\x06"
      "ai\x06i\x0a");
  CHECK(with_default.document->find(with_default.root(), "a")->number == 1);
}

TEST_CASE("an object has its class and its instance variables") {
  const Read object(
      "o:\x0d"
      "A::Thing\x06:\x08@abT"s);
  CHECK(object.root().kind == MarshalKind::kObject);
  CHECK(object.root().text == "A::Thing");
  REQUIRE(object.document->find(object.root(), "@ab") != nullptr);
  CHECK(object.document->find(object.root(), "@ab")->kind == MarshalKind::kTrue);
}

TEST_CASE("what dumped itself is read over and counts once, after its own variables") {
  // [Dated with a variable "v", "after", link to 1, link to 2]: "v" is 1, Dated 2, "after" 3.
  const Read read(
      "[\x0aIu:\x0a"
      "Dated\x06"
      "d\x06:\x06"
      "x\"\x06v\"\x0a"
      "after@\x06@\x07@\x08"s);
  REQUIRE(read.root().children.size() == 5);
  CHECK(read.child(0).kind == MarshalKind::kOther);
  CHECK(read.child(2).text == "v");
  CHECK(read.root().children[3] == read.root().children[0]);
  CHECK(read.child(4).text == "after");
}

TEST_CASE("data cut at every byte is refused and never read beyond") {
  const std::string whole = dumped(
      "{\x07:\x06"
      "a[\x07i\x06I\"\x06"
      "a\x06:\x06"
      "ET\"\x06"
      "bo:\x06"
      "C\x06:\x07@vl+\x07\x00\x00\x00\x40"s);
  CHECK(read_marshal(whole).has_value());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const auto document = read_marshal(std::string_view(whole).substr(0, length));
    REQUIRE_FALSE(document.has_value());
    CHECK(document.error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE("counts beyond the end are refused before anything is made of them") {
  for (const char type : {'[', '{', '"', ':', 'l'}) {
    CAPTURE(type);
    CHECK_FALSE(read_marshal(dumped(std::string(1, type) + "\x04\xff\xff\xff\x7f")).has_value());
    CHECK_FALSE(read_marshal(dumped(std::string(1, type) + "\xfa")).has_value());
  }
}

TEST_CASE("nesting and number of values are bounded") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "[\x06";
  const auto nested = read_marshal(dumped(deep + "0"));
  REQUIRE_FALSE(nested.has_value());
  CHECK(nested.error().code == ErrorCode::kTooLarge);
  const auto wide =
      read_marshal(dumped("[\x0f" + std::string(10, '0')), {.node_count_max = 10, .depth_max = 4});
  REQUIRE_FALSE(wide.has_value());
  CHECK(wide.error().code == ErrorCode::kTooLarge);
  CHECK(read_marshal(dumped("[\x0f" + std::string(10, '0')), {.node_count_max = 11, .depth_max = 4})
            .has_value());
}

TEST_CASE("other formats, unknown types and links to nothing are refused with the place") {
  for (const std::string& bytes :
       {"\x04\x09"
        "0"s,
        "\x03\x00"
        "0"s,
        "\x04\x08?"s, "\x04\x08@\x00"s, "\x04\x08;\x06"s, "\x04\x08oi\x06"s}) {
    const auto document = read_marshal(bytes);
    REQUIRE_FALSE(document.has_value());
    CHECK(document.error().code == ErrorCode::kInvalid);
    CHECK(document.error().text.find("at byte ") != std::string::npos);
  }
}

}  // namespace
}  // namespace stompbox::faces
