#include "storage/catalog/node_changes.h"

#include <doctest/doctest.h>

#include <string>

namespace stompbox::catalog {
namespace {

using Kind = NodeChanges::Kind;

TEST_CASE("changes read back as they were written, whatever the characters") {
  NodeChanges changes;
  changes.added_count = 1;
  changes.removed_count = 2;
  changes.changed_count = 3;
  changes.changes = {{Kind::kRemoved, "File", "a\tb\nc%41", {}},
                     {Kind::kChanged, "Host", "b\xC3\xBC", {"\xFF", "mode"}, true, true},
                     {Kind::kChanged, "Host", "", {"mode"}},
                     {Kind::kAdded, "Apache::Vhost", "x", {}}};
  const std::string text = to_text(changes);
  for (const char c : text)
    CHECK((c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7F)));
  const NodeChanges read = changes_in(text);
  CHECK(read.added_count == 1);
  CHECK(read.removed_count == 2);
  CHECK(read.changed_count == 3);
  REQUIRE(read.changes.size() == changes.changes.size());
  for (std::size_t i = 0; i < read.changes.size(); ++i) {
    CHECK(read.changes[i].kind == changes.changes[i].kind);
    CHECK(read.changes[i].type == changes.changes[i].type);
    CHECK(read.changes[i].title == changes.changes[i].title);
    CHECK(read.changes[i].parameters == changes.changes[i].parameters);
    CHECK(read.changes[i].tags == changes.changes[i].tags);
    CHECK(read.changes[i].place == changes.changes[i].place);
  }
}

TEST_CASE("too many changes are counted, and as many kept as there is room for") {
  NodeChanges changes;
  changes.added_count = 5000;
  for (int i = 0; i < 5000; ++i)
    changes.changes.push_back({Kind::kAdded, "File", "/some/where/" + std::to_string(i), {}});
  const std::string text = to_text(changes);
  CHECK(text.size() <= kChangesBytesMax);
  CHECK(text.size() > kChangesBytesMax - 100);
  const NodeChanges read = changes_in(text);
  CHECK(read.added_count == 5000);
  CHECK(read.changes.size() > 500);
  CHECK(read.changes.back().title == "/some/where/" + std::to_string(read.changes.size() - 1));
}

TEST_CASE("a text of somebody else's is no changes") {
  for (const char* text : {"", "\n", "x y z", "1 2", "0 0 0\n?\tFile\ta\n+\tFile\n%", "%%%"}) {
    CHECK(changes_in(text).changes.empty());
    CHECK(changes_in(text).added_count <= 1);
  }
}

}  // namespace
}  // namespace stompbox::catalog
