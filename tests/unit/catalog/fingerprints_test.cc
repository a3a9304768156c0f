#include "storage/catalog/fingerprints.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "storage/catalog/witness.h"

namespace stompbox::catalog {
namespace {

Resource motd() {
  Resource resource;
  resource.type = "File";
  resource.title = "/etc/motd";
  resource.parameters = {{"mode", {"0644"}}, {"alias", {"a", "b"}}};
  resource.tags = {"file", "base"};
  return resource;
}

constexpr std::int64_t kIds[] = {1, 2, 1, 2};  // of mode and alias, of file and base

std::uint64_t of(const Resource& resource) {
  return fingerprint_of(resource, 3, kIds);
}

const std::vector<Fingerprint> kSome = {{1, 2}, {3, ~0ULL}, {1LL << 40, 0}, {(1LL << 40) + 1, 7}};

}  // namespace

TEST_CASE("whatever a save writes of a resource is in its fingerprint") {
  std::vector<Resource> all(12, motd());
  all[1].type = "Host";
  all[2].title = "/etc/motd2";
  all[3].exported = true;
  all[4].line = 0;
  all[5].line = 1;
  all[6].file = "/site.pp";
  all[7].parameters[0].values = {"0645"};
  all[8].parameters[1].values = {"b", "a"};
  all[9].parameters[1].values = {"ab", ""};
  all[10].parameters[1].values = {"a"};
  all[11].parameters[1].values = {"a", "b", ""};
  std::vector<std::uint64_t> hashes;
  for (const Resource& resource : all)
    hashes.push_back(of(resource));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      CHECK(hashes[i] != hashes[j]);
  }
}

TEST_CASE("the ids of names and of the file are in it, each in its own role") {
  Resource resource = motd();
  const auto with = [&resource](std::int64_t file, std::vector<std::int64_t> ids) {
    return fingerprint_of(resource, file, ids);
  };
  CHECK(with(3, {1, 2, 1, 2}) != with(3, {2, 1, 1, 2}));
  CHECK(with(3, {1, 2, 1, 2}) != with(3, {1, 2, 1, 4}));
  CHECK(with(3, {1, 2, 5, 6}) != with(3, {5, 6, 1, 2}));
  CHECK(with(3, {1, 2, 1, 2}) == with(4, {1, 2, 1, 2}));  // no file: its row does not matter
  const std::uint64_t no_file = with(0, {1, 2, 1, 2});
  resource.file = "/site.pp";
  CHECK(with(0, {1, 2, 1, 2}) != no_file);  // a name without a row is another one, too
  CHECK(with(3, {1, 2, 1, 2}) != with(4, {1, 2, 1, 2}));
}

TEST_CASE("the order of parameters and of tags is not in it") {
  Resource turned = motd();
  std::swap(turned.parameters[0], turned.parameters[1]);
  std::swap(turned.tags[0], turned.tags[1]);
  CHECK(fingerprint_of(turned, 3, std::vector<std::int64_t>{2, 1, 2, 1}) == of(motd()));
}

TEST_CASE("fingerprints read back as they were written, by ascending id, in ASCII") {
  const std::string text = to_text({kSome[2], kSome[0], kSome[3], kSome[1]}, 4711);
  for (const char c : text)
    CHECK((c > 0x20 && c < 0x7F && c != '\'' && c != '\\'));
  CHECK(fingerprints_in(text, 4711) == kSome);
  CHECK(fingerprints_in(to_text({}, 1), 1) == std::vector<Fingerprint>());
}

TEST_CASE("fingerprints of another bond, and a text that was cut or changed, are none") {
  const std::string text = to_text(kSome, 4711);
  CHECK_FALSE(fingerprints_in(text, 4712).has_value());
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(fingerprints_in(text.substr(0, size), 4711).has_value());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    CHECK_FALSE(fingerprints_in(changed, 4711).has_value());
  }
  CHECK_FALSE(fingerprints_in(text + "0", 4711).has_value());
}

TEST_CASE("two hundred resources take less than 13 bytes each; too many are not written at all") {
  std::vector<Fingerprint> all;
  for (std::int64_t i = 0; i < 200; ++i)
    all.push_back({1'000'000 + i, ~0ULL - static_cast<std::uint64_t>(i)});
  CHECK(to_text(all, 1).size() < 200 * 13);
  all.assign(50'000, {1, 1});
  CHECK(to_text(all, 1).empty());
}

TEST_CASE("the bond is of host, digest and witness") {
  const auto bond = fingerprint_bond(1, "all:ab", "1/1/;");
  CHECK(bond != fingerprint_bond(2, "all:ab", "1/1/;"));
  CHECK(bond != fingerprint_bond(1, "all:a", "b1/1/;"));
  CHECK(bond != fingerprint_bond(1, "all:ab", "1/2/;"));
}

TEST_CASE("a witness reads back as it was written, and nothing else is one") {
  Witness witness;
  witness.resources = {3, 17, "2026-11-22 10:00:00"};
  witness.tags = {1, 4, ""};
  CHECK(witness_in(witness.text()) == witness);
  for (const char* text :
       {"", "1/2/;", "1/2/;3/4/;5/6/", "1/2/;3/4/;5/6/;x", "a/2/;3/4/;5/6/;", "1//;3/4/;5/6/;"}) {
    CHECK_FALSE(witness_in(text).has_value());
  }
}

TEST_CASE("a witness follows a save that looked at some rows, or says that it cannot") {
  Witness before, looked_at, kept;
  before.parameters = {10, 50, "2026"};
  looked_at.parameters = {4, 20, "2025"};
  kept.parameters = {1, 12, ""};
  Witness after = rest_of(before, looked_at, kept);
  CHECK(after.parameters == Witness::Table{7, 50, "2026"});
  CHECK(is_as_high(after, before));

  looked_at.parameters = {4, 50, "2026"};  // the highest are among the rows that go
  after = rest_of(before, looked_at, kept);
  CHECK_FALSE(is_as_high(after, before));
  after.parameters.add(51, "2027");
  CHECK(is_as_high(after, before));
  CHECK(after.parameters == Witness::Table{8, 51, "2027"});
}

}  // namespace stompbox::catalog
