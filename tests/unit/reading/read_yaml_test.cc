#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include "storage/catalog/reading/stored_value.h"
#include "tests/unit/reading/read_support.h"

// A master unserialises with Ruby's YAML: what it gets is what the message said.
namespace stompbox::catalog::reading::test {
namespace {

// Reads pairs of lines: the value as JSON, the stored row as a JSON string.
constexpr const char* kRuby = R"(
  bad = 0; count = 0
  File.foreach(ARGV[0], encoding: 'UTF-8').each_slice(2) do |value, row|
    row = JSON.parse('[' + row + ']')[0]
    got = row =~ /^--- / ? YAML.load(row) : row
    want = JSON.parse('[' + value + ']')[0]
    count += 1
    next if got.inspect == want.inspect
    bad += 1
    puts 'stored %p, wanted %p, got %p' % [row, want, got] if bad < 5
  end
  puts '%d of %d differ' % [bad, count]
)";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "stompbox-yaml-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string output_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> block{};
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe)) {
    out.append(block.data(), size);
  }
  CHECK(pclose(pipe) == 0);
  return out;
}

// What Ruby says of these values, each as it is stored.
std::string ruby_verdict(const std::vector<std::string>& values) {
  const Folder folder;
  const auto pairs = folder.path() / "pairs";
  const auto script = folder.path() / "check.rb";
  std::ofstream out(pairs, std::ios::binary);
  for (const std::string& value : values) {
    const Rows stored = rows(value);
    REQUIRE(stored.size() == 1);
    std::string row;
    append_quoted(row, stored.front());
    out << value << '\n' << row << '\n';
  }
  out.close();
  std::ofstream(script) << kRuby;
  return output_of("ruby -W0 -ryaml -rjson " + script.string() + " " + pairs.string());
}

// Seeded nested values full of what YAML stumbles over.
class Values {
 public:
  explicit Values(std::uint32_t seed) : random_(seed) {}

  std::string structure(int depth) {
    std::string out = "{";
    const int count = pick(4);
    for (int i = 0; i < count; ++i) {
      if (i > 0) out += ",";
      out += "\"" + std::to_string(i) + text().substr(1) + ":" + value(depth);
    }
    return out + "}";
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  std::string value(int depth) {
    switch (pick(depth > 0 ? 8 : 6)) {
      case 0: return "null";
      case 1: return pick(2) == 0 ? "true" : "false";
      case 2: return std::to_string(static_cast<std::int32_t>(random_()));
      case 3: return number();
      case 6: return structure(depth - 1);
      case 7: return "[" + value(depth - 1) + "," + value(depth - 1) + "]";
      default: return text();
    }
  }

  std::string number() {
    constexpr std::array kNumbers = {"0.5",
                                     "1e3",
                                     "1.0e+20",
                                     "1E-9",
                                     "-12.75",
                                     "1e16",
                                     "1.5e7",
                                     "3e-5",
                                     "-0.0",
                                     "2e22",
                                     "123456789012345678901",
                                     "100.0",
                                     "1e-10",
                                     "-1.25E2"};
    return kNumbers[random_() % kNumbers.size()];
  }

  // A JSON string; everything beyond plain ASCII as escapes, so that Ruby's JSON makes the text.
  std::string text() {
    constexpr std::array kPieces = {"---",
                                    "--- ",
                                    ": ",
                                    " #",
                                    "- ",
                                    "? ",
                                    "!ruby/object:X",
                                    "&a",
                                    "*a",
                                    "%TAG",
                                    "@",
                                    "`",
                                    "'",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    "|",
                                    ">",
                                    "~",
                                    "=",
                                    "<<",
                                    "y",
                                    "no",
                                    "0x1F",
                                    "1_000",
                                    "12:30",
                                    "2001-01-01",
                                    " ",
                                    "a",
                                    "\\\\",
                                    "\\\"",
                                    "\\n",
                                    "\\t",
                                    "\\r",
                                    "\\u0000",
                                    "\\u0007",
                                    "\\u001b",
                                    "\\u007f",
                                    "\\u0085",
                                    "\\u009f",
                                    "\\u00a0",
                                    "\\u00e9",
                                    "\\u2028",
                                    "\\u2029",
                                    "\\ufeff",
                                    "\\ufffe",
                                    "\\uffff",
                                    "\\ufffd",
                                    "\\ue000",
                                    "\\ud83d\\ude00",
                                    "\\udbff\\udfff",
                                    "\\u20ac",
                                    "\\n--- ",
                                    "\\/",
                                    "x"};
    std::string out = "\"";
    for (int left = pick(6); left > 0; --left)
      out += kPieces[random_() % kPieces.size()];
    return out + "\"";
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("Ruby reads every stored structure as it was in the message") {
  Values values(20111212);
  std::vector<std::string> list;
  for (int i = 0; i < 3000; ++i)
    list.push_back(values.structure(4));
  CHECK(ruby_verdict(list) == "0 of 3000 differ\n");
}

TEST_CASE("Ruby reads quoted strings and long keys as they were in the message") {
  const std::string long_key(1100, 'k');
  CHECK(ruby_verdict({R"("--- a")", R"("x\n--- y\nz\n")", R"("a\u0000b")", R"("--- \u2028 \\ \"")",
                      "{\"" + long_key + "\":{\"" + long_key + "\":[1]},\"short\":1}",
                      "{\"" + std::string(998, 'k') + "\":1}",
                      "{\"a\":\"" + std::string(5000, 'v') + "\",\"b\":1}"}) == "0 of 7 differ\n");
}

}  // namespace stompbox::catalog::reading::test
