#include "broker/routing/selector.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/selector_like.h"
#include "tests/support/thread_time.h"

using namespace stompbox;
using routing::find_header;
using routing::LikePattern;
using routing::Selector;

namespace {

std::shared_ptr<const Selector> parsed(std::string_view text) {
  const auto selector = Selector::parse(text);
  INFO(text, ": ", selector ? "" : selector.error().text);
  REQUIRE(selector);
  return *selector;
}

std::string refusal(std::string_view text) {
  const auto selector = Selector::parse(text);
  INFO(std::string(text));
  REQUIRE_FALSE(selector);
  CHECK(selector.error().code == storage::ErrorCode::kInvalid);
  return selector.error().text;
}

queue::Message message_of(std::string header_block) {
  queue::Message message;
  message.destination = "/queue/orders";
  message.header_block = std::move(header_block);
  message.block_is_plain = message.header_block.find('\\') == std::string::npos;
  return message;
}

// What all the truth tables below ask about.
queue::Message order() {
  auto message = message_of(
      "color:red\nweight:2500\nprice:1.50\nzero:0\nneg:-3\nempty:\nname:O'Reilly\nflag:true\n"
      "off:FALSE\nword:12abc\nmy-header:x\na.b:y\ncity:Z\xc3\xbcrich\nrate:5_%\ncolor:blue\n"
      "big:9007199254740993\ntype:note\ncorrelation-id:c1\nreply-to:/queue/r\npriority:7\n"
      "timestamp:1700000000000\nJMSXGroupID:g\nblank: 5\n$x_1:d\n");
  message.arrived_ms = 5;
  message.expires_ms = 1'800'000'000'000;
  return message;
}

// A condition is unknown when neither it nor its contrary holds.
std::string truth(const std::string& condition, const queue::Message& message = order()) {
  const bool holds = parsed(condition)->matches(message);
  const bool contrary_holds = parsed("NOT (" + condition + ")")->matches(message);
  CHECK_FALSE((holds && contrary_holds));
  return holds ? "true" : contrary_holds ? "false" : "unknown";
}

struct Case {
  const char* condition;
  const char* truth;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    INFO(std::string(one.condition));
    CHECK(truth(one.condition) == one.truth);
  }
}

}  // namespace

TEST_CASE("text is equal or not, letter by letter") {
  check_all({{"color = 'red'", "true"},
             {"'red' = color", "true"},
             {"color = 'Red'", "false"},
             {"color <> 'blue'", "true"},
             {"color <> 'red'", "false"},
             {"name = 'O''Reilly'", "true"},
             {"empty = ''", "true"},
             {"'' <> empty", "false"},
             {"'a' = 'a'", "true"},
             {"weight = '2500'", "true"},
             {"weight = '2500.0'", "false"},
             {"city = 'Z\xc3\xbcrich'", "true"}});
}

TEST_CASE("the first of repeated headers counts") {
  check_all({{"color = 'blue'", "false"}, {"color = 'red'", "true"}});
}

TEST_CASE("a missing header is unknown, and unknown is no match") {
  check_all({{"nothing = 'x'", "unknown"},
             {"nothing <> 'x'", "unknown"},
             {"nothing = 1", "unknown"},
             {"nothing > 1", "unknown"},
             {"nothing", "unknown"},
             {"nothing = nothing", "unknown"},
             {"nothing LIKE '%'", "unknown"},
             {"nothing NOT LIKE '%'", "unknown"},
             {"nothing IN ('a')", "unknown"},
             {"nothing NOT IN (1)", "unknown"},
             {"nothing BETWEEN 1 AND 2", "unknown"},
             {"nothing + 1 = 1", "unknown"},
             {"Color = 'red'", "unknown"}});
}

TEST_CASE("AND, OR and NOT have three values") {
  const std::vector<std::string> values = {"TRUE", "FALSE", "nothing = 1"};
  const std::vector<std::string> names = {"true", "false", "unknown"};
  const std::string both[3][3] = {
      {"true", "false", "unknown"}, {"false", "false", "false"}, {"unknown", "false", "unknown"}};
  const std::string either[3][3] = {
      {"true", "true", "true"}, {"true", "false", "unknown"}, {"true", "unknown", "unknown"}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(truth(values[i]) == names[i]);
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(truth(values[i] + " AND " + values[j]) == both[i][j]);
      CHECK(truth(values[i] + " OR " + values[j]) == either[i][j]);
    }
  }
  CHECK(truth("NOT nothing = 1") == "unknown");
  CHECK(truth("NOT NOT TRUE") == "true");
}

TEST_CASE("NOT binds closer than AND, AND closer than OR, comparisons closer than all") {
  check_all({{"TRUE OR TRUE AND FALSE", "true"},
             {"(TRUE OR TRUE) AND FALSE", "false"},
             {"NOT FALSE AND FALSE", "false"},
             {"NOT (FALSE AND FALSE)", "true"},
             {"NOT color = 'blue'", "true"},
             {"FALSE AND FALSE OR TRUE", "true"},
             {"1 + 2 * 3 = 7", "true"},
             {"(1 + 2) * 3 = 9", "true"},
             {"10 - 3 - 2 = 5", "true"},
             {"24 / 4 / 2 = 3", "true"},
             {"2 * -3 = -6", "true"}});
}

TEST_CASE("a header compared with a number is read as a number") {
  check_all({{"weight = 2500", "true"},
             {"weight = 2500.0", "true"},
             {"weight > 900", "true"},
             {"900 < weight", "true"},
             {"weight <= 2500", "true"},
             {"weight < 2500", "false"},
             {"weight <> 2", "true"},
             {"price = 1.5", "true"},
             {"price >= 1.51", "false"},
             {"neg < 0", "true"},
             {"neg = -3", "true"},
             {"weight > price", "true"},
             {"weight < neg", "false"}});
}

TEST_CASE("a header that is no number compared with one is unknown") {
  check_all({{"word = 12", "unknown"},
             {"word <> 12", "unknown"},
             {"color > 1", "unknown"},
             {"empty = 0", "unknown"},
             {"blank = 5", "unknown"},
             {"color < weight", "unknown"},
             {"word + 1 > 0", "unknown"},
             {"word IN (12)", "unknown"}});
  for (const char* text :
       {"inf", "nan", "-inf", "0x10", "1e", "--1", "+-1", "1 ", "1,5", "-", "."}) {
    INFO(std::string(text));
    CHECK(truth("x = 1 OR x <> 1", message_of(std::string("x:") + text + "\n")) == "unknown");
  }
}

TEST_CASE("numbers are written as in SQL and Java") {
  check_all({{"1.5e3 = 1500", "true"},
             {"1.5E+3 = 1500", "true"},
             {"15e-1 = 1.5", "true"},
             {".5 = 0.5", "true"},
             {"5. = 5", "true"},
             {"0x1f = 31", "true"},
             {"0XFF = 255", "true"},
             {"12L = 12", "true"},
             {"1.5f = 1.5d", "true"},
             {"0x10L = 16", "true"},
             {"+3 = 3", "true"},
             {"- - 3 = 3", "true"},
             {"-2147483649 < 0", "true"}});
}

TEST_CASE("whole numbers are exact beyond what a double holds") {
  check_all({{"big = 9007199254740993", "true"},
             {"big = 9007199254740992", "false"},
             {"big + 1 = 9007199254740994", "true"},
             {"9223372036854775807 + 1 > 9223372036854770000", "true"},
             {"9223372036854775807 * 2 > 9223372036854775807", "true"},
             {"(-9223372036854775807 - 1) / -1 > 0", "true"}});
}

TEST_CASE("arithmetic is that of Java; a division by zero is unknown") {
  check_all({{"weight * 2 = 5000", "true"},
             {"weight - 500 = 2000", "true"},
             {"7 / 2 = 3", "true"},
             {"7.0 / 2 = 3.5", "true"},
             {"price * 2 = 3", "true"},
             {"weight / zero = 1", "unknown"},
             {"weight / 0.0 > 1", "unknown"},
             {"-weight < 0", "true"},
             {"weight + 1 BETWEEN 2501 AND 2501", "true"}});
}

TEST_CASE("BETWEEN includes both ends") {
  check_all({{"weight BETWEEN 2500 AND 2500", "true"},
             {"weight BETWEEN 2501 AND 3000", "false"},
             {"weight NOT BETWEEN 2501 AND 3000", "true"},
             {"weight BETWEEN 3000 AND 2000", "false"},
             {"weight BETWEEN neg AND 2500 AND color = 'red'", "true"},
             {"weight BETWEEN 3000 AND nothing", "false"},
             {"weight BETWEEN 2000 AND nothing", "unknown"},
             {"color BETWEEN 1 AND 2", "unknown"},
             {"NOT weight BETWEEN 1 AND 2", "true"}});
}

TEST_CASE("IN looks for one of a list of texts or numbers") {
  check_all({{"color IN ('blue', 'red')", "true"},
             {"color IN ('blue')", "false"},
             {"color NOT IN ('blue')", "true"},
             {"weight IN ('2500')", "true"},
             {"weight IN (1, 2500.0)", "true"},
             {"weight NOT IN (1, 2)", "true"},
             {"neg IN (-3)", "true"},
             {"name IN ('O''Reilly')", "true"},
             {"weight + 1 IN (2501)", "true"},
             {"'a' IN ('a', 'b')", "true"}});
}

TEST_CASE("LIKE: an underscore is one character, a per cent sign any number") {
  check_all({{"color LIKE 'red'", "true"},
             {"color LIKE 'r%'", "true"},
             {"color LIKE '%d'", "true"},
             {"color LIKE '%'", "true"},
             {"color LIKE 'r_d'", "true"},
             {"color LIKE 'r_'", "false"},
             {"color LIKE 'R%'", "false"},
             {"color LIKE 're'", "false"},
             {"color NOT LIKE 'b%'", "true"},
             {"empty LIKE '%'", "true"},
             {"empty LIKE '_'", "false"},
             {"empty LIKE ''", "true"},
             {"city LIKE 'Z_rich'", "true"},
             {"weight LIKE '25%'", "true"},
             {"name LIKE 'O''R%'", "true"}});
}

TEST_CASE("LIKE: after the escape character a sign is a letter") {
  check_all({{"rate LIKE '5!_!%' ESCAPE '!'", "true"},
             {"rate LIKE '5\\_%' ESCAPE '\\'", "true"},
             {"color LIKE 'r!_d' ESCAPE '!'", "false"},
             {"rate LIKE '5!__' ESCAPE '!'", "true"},
             {"name LIKE 'O%R!eilly' ESCAPE '!'", "true"},
             {"rate LIKE '5_%%' ESCAPE '%'", "true"}});
  CHECK(truth("x LIKE 'a!!b' ESCAPE '!'", message_of("x:a!b\n")) == "true");
}

TEST_CASE("LIKE matches what its definition says, at random") {
  struct Naive {
    static bool matches(std::string_view pattern, std::string_view text) {
      if (pattern.empty()) return text.empty();
      if (pattern.front() == '%')
        return matches(pattern.substr(1), text) ||
               (!text.empty() && matches(pattern, text.substr(1)));
      const bool fits =
          !text.empty() && (pattern.front() == '_' || pattern.front() == text.front());
      return fits && matches(pattern.substr(1), text.substr(1));
    }
  };
  std::mt19937 engine(3);
  const auto some = [&engine](std::string_view letters, std::size_t size_max) {
    std::string text(engine() % (size_max + 1), ' ');
    for (char& letter : text)
      letter = letters[engine() % letters.size()];
    return text;
  };
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string pattern = some("aab_%%", 7);
    const std::string text = some("ab", 8);
    const bool expected = Naive::matches(pattern, text);
    matched += expected ? 1 : 0;
    INFO(pattern, " against ", text);
    REQUIRE(LikePattern::make(pattern, "")->matches(text) == expected);
  }
  CHECK(matched > 1000);
}

TEST_CASE("IS NULL asks whether a header is missing, an empty one is not") {
  check_all({{"nothing IS NULL", "true"},
             {"nothing IS NOT NULL", "false"},
             {"color IS NULL", "false"},
             {"empty IS NULL", "false"},
             {"empty IS NOT NULL", "true"},
             {"x_path IS NULL OR x_path NOT LIKE '%own%'", "true"}});
}

TEST_CASE("a header compared with TRUE or FALSE, or alone, is read as a truth") {
  check_all({{"flag", "true"},
             {"off", "false"},
             {"flag = TRUE", "true"},
             {"flag = false", "false"},
             {"flag <> FALSE", "true"},
             {"off = FALSE", "true"},
             {"TRUE = flag", "true"},
             {"NOT off", "true"},
             {"color", "unknown"},
             {"color = TRUE", "unknown"},
             {"flag AND color = 'red'", "true"},
             {"(color = 'red') = TRUE", "true"},
             {"flag = 'true'", "true"}});
}

TEST_CASE("words of the language are so in any case, and need blanks or signs around them") {
  check_all({{"color='red'aNd weight>1", "true"},
             {"weight Between 1 and 2", "false"},
             {"color In('red')", "true"},
             {"nothing is Null", "true"},
             {"not(color like'x%')", "true"},
             {" \t\n color = 'red' \r\n", "true"}});
  CHECK(truth("android = '1'", message_of("android:1\n")) == "true");
  CHECK(truth("inn = '1'", message_of("inn:1\n")) == "true");
}

TEST_CASE("a name may hold hyphens and dots; a subtraction needs blanks") {
  check_all({{"my-header = 'x'", "true"},
             {"a.b = 'y'", "true"},
             {"$x_1 = 'd'", "true"},
             {"weight - 1 = 2499", "true"},
             {"weight-1 = 2499", "unknown"},
             {"weight -1 = 2499", "true"},
             {"1-1 = 0", "true"}});
}

TEST_CASE("the names of JMS are the headers and the message that they mean") {
  check_all({{"JMSType = 'note'", "true"},
             {"JMSCorrelationID = 'c1'", "true"},
             {"JMSReplyTo = '/queue/r'", "true"},
             {"JMSPriority = 7", "true"},
             {"JMSPriority > 4", "true"},
             {"JMSTimestamp = 1700000000000", "true"},
             {"JMSExpiration = 1800000000000", "true"},
             {"JMSDeliveryMode = 'PERSISTENT'", "true"},
             {"JMSDestination = '/queue/orders'", "true"},
             {"JMSDestination LIKE '/queue/%'", "true"},
             {"JMSXGroupID = 'g'", "true"},
             {"JMSMessageID = 'x'", "unknown"},
             {"JMSMessageID IS NULL", "true"},
             {"JMSPriority IS NULL", "false"}});
  auto bare = message_of("");
  bare.arrived_ms = 9;
  bare.persistence = queue::Persistence::kVolatile;
  CHECK(truth("JMSPriority = 4", bare) == "true");
  CHECK(truth("JMSTimestamp = 9", bare) == "true");
  CHECK(truth("JMSExpiration = 0", bare) == "true");
  CHECK(truth("JMSDeliveryMode = 'NON_PERSISTENT'", bare) == "true");
  CHECK(truth("JMSType IS NULL", bare) == "true");
}

TEST_CASE("the prefixes of ActiveMQ and Artemis are passed over") {
  CHECK(parsed("convert_string_expressions:weight > 5")->matches(order()));
  CHECK(parsed("hyphenated_props:my-header = 'x'")->matches(order()));
  CHECK(parsed("convert_string_expressions: hyphenated_props:weight > 5")->matches(order()));
  CHECK(parsed("hyphenated_props:color = 'red'")->equality());
  CHECK(parsed("hyphenated_props:color = 'red'")->text() == "hyphenated_props:color = 'red'");
  CHECK(refusal("hyphenated_props:=").find("character 18") != std::string::npos);
}

TEST_CASE("an empty selector matches everything") {
  CHECK(parsed("")->matches(order()));
  CHECK(parsed(" ")->matches(message_of("")));
  CHECK_FALSE(parsed("")->equality());
}

TEST_CASE("a selector knows when it is one header equal to one text") {
  for (const char* text : {"mc_identity = 'a.b'", "'a.b' = mc_identity", "((mc_identity='a.b'))",
                           "(mc_identity) = ('a.b')"}) {
    const auto equality = parsed(text)->equality();
    INFO(std::string(text));
    REQUIRE(equality);
    CHECK(equality->header == "mc_identity");
    CHECK(equality->value == "a.b");
  }
  CHECK(parsed("JMSType = 'a'")->equality()->header == "type");
  CHECK(parsed("name = 'O''Reilly'")->equality()->value == "O'Reilly");
  for (const char* text :
       {"a <> 'x'", "a = 1", "a = b", "'a' = 'a'", "a = 'x' AND b = 'y'", "NOT a = 'x'", "a = TRUE",
        "JMSDestination = 'x'", "JMSMessageID = 'x'", "a LIKE 'x'", "a IN ('x')", "a"})
    CHECK_FALSE(parsed(text)->equality());
}

TEST_CASE("a refusal says where the selector stops to make sense and what was expected") {
  const auto says = [](const char* text, const char* expected) {
    CHECK(refusal(text) == std::string("the selector makes no sense at character ") + expected);
  };
  says("color =", "8: expected a header, a value or '(', found the end");
  says("color 'red'", "7: expected AND, OR or the end, found 'red'");
  says("color = 'red", "9: the text that begins here has no end");
  says("color == 'red'", "8: expected a header, a value or '(', found '='");
  says("color != 'red'", "7: write <> for unequal");
  says("color = \"red\"", "9: text stands in single quotes");
  says("(color = 'red'", "15: expected ')', found the end");
  says("color = 'red')", "14: expected AND, OR or the end, found ')'");
  says("color IS 'red'", "10: expected NULL or NOT NULL, found 'red'");
  says("color NOT 'red'", "11: expected BETWEEN, IN or LIKE, found 'red'");
  says("weight BETWEEN 1", "17: expected AND, found the end");
  says("color IN 'red'", "10: expected '(', found 'red'");
  says("color IN ()", "11: expected a text in quotes or a number, found ')'");
  says("color IN ('a' 'b')", "15: expected ',' or ')', found 'b'");
  says("color IN ('a', 1)", "16: all values of IN have to be of one kind");
  says("color LIKE x", "12: expected a text in quotes, found 'x'");
  says("color LIKE 'a!' ESCAPE '!'", "12: the pattern ends with its escape character");
  says("color LIKE 'a' ESCAPE '!!'", "23: ESCAPE wants one character");
  says("1 = 'a'", "5: a number cannot be compared with a text");
  says("'a' = TRUE", "7: a text cannot be compared with a condition");
  says("color > 'red'", "9: only numbers can be compared with '>'");
  says("color < TRUE", "9: only numbers can be compared with '<'");
  says("1 + 1", "1: expected a condition, found a number");
  says("'a'", "1: expected a condition, found a text");
  says("color = 'a' AND 1", "17: expected a condition, found a number");
  says("'a' + 1 = 2", "1: expected a number, found a text");
  says("1 IS NULL", "1: only a header can be NULL");
  says("12abc = 1", "1: the number that begins here ends in letters");
  says("1.5.2 = 1", "1: the number that begins here ends in letters");
  says("1e999 = 1", "1: the number that begins here is too large");
  says("0xfffffffffffffffff = 1", "1: the number that begins here is too large");
  says("color = #1", "9: '#' has no meaning here");
  says("color. = 1", "6: '.' has no meaning here");
  says("a = 1 AND", "10: expected a header, a value or '(', found the end");
  says("NOT", "4: expected a header, a value or '(', found the end");
  says("AND = 1", "1: expected a header, a value or '(', found 'AND'");
}

TEST_CASE("a selector is bounded in length") {
  const std::string text = "a = '" + std::string(Selector::kTextBytesMax - 6, 'x') + "'";
  CHECK(text.size() == Selector::kTextBytesMax);
  CHECK(Selector::parse(text));
  CHECK(refusal(text + " ").find("8192") != std::string::npos);
}

TEST_CASE("a selector is bounded in depth, a long list of alternatives is not deep") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "a = 1" + std::string(depth, ')');
  };
  CHECK(Selector::parse(nested(Selector::kDepthMax)));
  CHECK(refusal(nested(Selector::kDepthMax + 1)).find("too deep") != std::string::npos);
  CHECK(refusal(std::string(4000, '(')).find("too deep") != std::string::npos);
  CHECK(refusal("a = " + std::string(4000, '-') + "1").find("too deep") != std::string::npos);
  std::string nots;
  std::string sum = "1";
  std::string alternatives = "a = 'x'";
  for (int i = 0; i < 500; ++i) {
    nots += "NOT ";
    sum += "+1";
    alternatives += " OR a = 'y'";
  }
  CHECK(refusal(nots + "TRUE").find("too deep") != std::string::npos);
  CHECK(refusal(sum + " = 1").find("too deep") != std::string::npos);
  CHECK(parsed(alternatives)->matches(message_of("a:y\n")));
}

TEST_CASE("many per cent signs do not make LIKE slow") {
  std::string pattern;
  for (int i = 0; i < 1000; ++i)
    pattern += "%a";
  const auto selector = parsed("x LIKE '" + pattern + "b'");
  const auto message = message_of("x:" + std::string(20'000, 'a') + "\n");
  const double start = support::thread_seconds();
  CHECK_FALSE(selector->matches(message));
  CHECK(support::thread_seconds() - start < 2);
}

TEST_CASE("a header is found by its whole name, the first of that name") {
  const auto message = message_of("ab:1\na:2\na:3\nb:x:y\nempty:\nno colon\nlast:z");
  std::string scratch;
  CHECK(find_header(message, "a", scratch) == "2");
  CHECK(find_header(message, "ab", scratch) == "1");
  CHECK(find_header(message, "b", scratch) == "x:y");
  CHECK(find_header(message, "empty", scratch) == "");
  CHECK(find_header(message, "last", scratch) == "z");
  for (const char* name : {"", "A", "abc", "x", "2", "b:x", "no colon", "las"})
    CHECK_FALSE(find_header(message, name, scratch));
  CHECK(find_header(message, "a", scratch)->data() == message.header_block.data() + 7);
}

TEST_CASE("an escaped header is found by what it stands for") {
  const auto message = message_of("plain:1\nna\\cme:li\\nne\\\\\nother:\\c\n");
  std::string scratch;
  REQUIRE_FALSE(message.block_is_plain);
  CHECK(find_header(message, "plain", scratch) == "1");
  CHECK(find_header(message, "na:me", scratch) == "li\nne\\");
  CHECK(find_header(message, "other", scratch) == ":");
  CHECK_FALSE(find_header(message, "na\\cme", scratch));
  CHECK(truth("other = ':'", message) == "true");
  CHECK(truth("other = plain", message) == "false");
  CHECK(truth("other = other", message) == "true");
}
