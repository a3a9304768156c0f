#include "broker/drain/round.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/catalog/reading/read_outline.h"
#include "tests/unit/drain/scripted_store.h"

using namespace stompbox;
using namespace stompbox::drain;
using catalog::SaveStatus;

namespace {

constexpr auto kCatalog = MessageKind::kCatalog;
constexpr auto kFacts = MessageKind::kFacts;

struct Bench {
  Round round{7, {}};
  ScriptedStore store;
  ChunkBounds bounds;
  catalog::reading::ReadOptions read;

  // Items are numbered from 1, and so are their messages.
  void add(MessageKind kind, std::string body) {
    auto message = std::make_shared<queue::Message>();
    const std::uint64_t number = round.items.size() + 1;
    message->id = {number};
    message->body = std::move(body);
    round.items.push_back({number, kind, std::move(message)});
  }
  void add_catalog(const std::string& node) { add(kCatalog, catalog_body(node)); }

  std::vector<ItemResult> run() {
    RoundResult result = run_round(round, store, read, "store-1", bounds);
    CHECK(result.number == 7);
    REQUIRE(result.items.size() == round.items.size());
    for (std::size_t i = 0; i < result.items.size(); ++i)
      CHECK(result.items[i].item == i + 1);
    return std::move(result.items);
  }
};

std::vector<ItemFate> fates(const std::vector<ItemResult>& items) {
  std::vector<ItemFate> all;
  for (const ItemResult& item : items)
    all.push_back(item.fate);
  return all;
}

using Fates = std::vector<ItemFate>;
using enum ItemFate;

}  // namespace

TEST_CASE("each catalog is saved under its node and its arrival") {
  Bench bench;
  bench.add_catalog("a.example.test");
  bench.add_catalog("b.example.test");
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kStored, kStored});
  CHECK(items[0].node == "a.example.test");
  CHECK(bench.store.catalogs ==
        std::vector<ScriptedStore::Saved>{{"a.example.test", 1, 0}, {"b.example.test", 2, 0}});
  CHECK(bench.store.arrival_stores == std::vector<std::string>{"store-1", "store-1"});
}

TEST_CASE("of one node only the newest catalog is saved, and the older ones count as superseded") {
  Bench bench;
  bench.add_catalog("a");
  bench.add_catalog("b");
  bench.add_catalog("a");
  bench.add_catalog("a");
  CHECK(fates(bench.run()) == Fates{kSuperseded, kStored, kSuperseded, kStored});
  CHECK(bench.store.catalogs == std::vector<ScriptedStore::Saved>{{"b", 2, 0}, {"a", 4, 0}});
}

TEST_CASE("a catalog that cannot be read supersedes nothing") {
  Bench bench;
  bench.add_catalog("a");
  const std::string whole = catalog_body("a");
  bench.add(kCatalog, whole.substr(0, whole.size() - 3));
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kStored, kDeadLetter});
  CHECK(items[1].kind == "unreadable");
  CHECK_FALSE(items[1].reason.empty());
}

TEST_CASE("a poison message among good ones harms none of them") {
  Bench bench;
  bench.add_catalog("a");
  bench.add(kCatalog, std::string("\0\xff garbage {", 12));
  bench.add(kCatalog, "");
  bench.add_catalog("b");
  CHECK(fates(bench.run()) == Fates{kStored, kDeadLetter, kDeadLetter, kStored});
}

TEST_CASE("a message beyond the limit is dead-lettered as too large") {
  Bench bench;
  bench.read.message_bytes_max = 10;
  bench.add_catalog("a");
  CHECK(bench.run()[0].kind == "too-large");
}

TEST_CASE("an older unreadable catalog is dead-lettered, not passed over") {
  Bench bench;
  bench.add(kCatalog, "{");
  bench.add_catalog("a");
  CHECK(fates(bench.run()) == Fates{kDeadLetter, kStored});
}

TEST_CASE("when the database refuses the newest for good the next older one is tried") {
  Bench bench;
  bench.add_catalog("a");
  bench.add_catalog("a");
  bench.add_catalog("a");
  bench.store.answer_with(3, SaveStatus::kPermanent, "value too long");
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kSuperseded, kStored, kDeadLetter});
  CHECK(items[2].kind == "rejected");
  CHECK(items[2].reason == "value too long");
  CHECK(bench.store.catalogs == std::vector<ScriptedStore::Saved>{{"a", 3, 0}, {"a", 2, 0}});
}

TEST_CASE("when the newest is refused after its chunk was saved an older one takes its place") {
  Bench bench;
  bench.bounds.count_max = 1;
  bench.add_catalog("a");
  bench.add_catalog("b");
  bench.add_catalog("a");
  bench.store.answer_with(3, SaveStatus::kPermanent, "no");
  CHECK(fates(bench.run()) == Fates{kStored, kStored, kDeadLetter});
}

TEST_CASE("when the database is in trouble all of the node go back to the queue") {
  Bench bench;
  bench.add_catalog("a");
  bench.add_catalog("a");
  bench.store.answer_with(2, SaveStatus::kTransient, "locked");
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kRetry, kRetry});
  CHECK(items[0].reason == "locked");
  CHECK(items[1].reason == "locked");
}

TEST_CASE("what was stored before the trouble stays stored, the rest is not tried") {
  Bench bench;
  bench.bounds.count_max = 1;
  for (const char* node : {"a", "b", "c", "d"})
    bench.add_catalog(node);
  bench.store.answer_with(3, SaveStatus::kTransient, "locked");
  CHECK(fates(bench.run()) == Fates{kRetry, kRetry, kRetry, kStored});
  CHECK(bench.store.catalogs.size() == 2);
}

TEST_CASE("an older catalog whose outline alone can be read is dead-lettered, not passed over") {
  Bench bench;
  bench.add(kCatalog,
            R"({"document_type":"Catalog","data":{"name":"a","resources":[{"type":"File",)"
            R"("exported":false}],"edges":[],"classes":[]},"metadata":{"api_version":1}})");
  bench.add_catalog("a");
  REQUIRE(
      catalog::reading::read_outline(bench.round.items[0].message->body, bench.read).has_value());
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kDeadLetter, kStored});
  CHECK(items[0].kind == "unreadable");
}

TEST_CASE("an older catalog is superseded although the store already had a later one") {
  Bench bench;
  bench.add_catalog("a");
  bench.add_catalog("a");
  bench.store.answer_with(2, SaveStatus::kSuperseded, "");
  CHECK(fates(bench.run()) == Fates{kSuperseded, kSuperseded});
}

TEST_CASE("facts are stored before catalogs, newest of a node only") {
  Bench bench;
  bench.add_catalog("a");
  bench.add(kFacts, facts_body("a"));
  bench.add(kFacts, facts_body("a"));
  bench.store.answers[3].status = SaveStatus::kSkipped;
  bench.store.answers[3].warnings = {"somebody else writes them"};
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kStored, kSuperseded, kSkipped});
  CHECK(items[2].warnings == std::vector<std::string>{"somebody else writes them"});
  CHECK(bench.store.log == std::vector<std::string>{"facts a", "catalog a"});
}

TEST_CASE("trouble with facts leaves the catalogs of the round for later") {
  Bench bench;
  bench.add_catalog("a");
  bench.add(kFacts, facts_body("a"));
  bench.store.answer_with(2, SaveStatus::kTransient, "locked");
  CHECK(fates(bench.run()) == Fates{kRetry, kRetry});
  CHECK(bench.store.catalogs.empty());
}

TEST_CASE("no chunk is larger than its bounds, and one message always fits") {
  Bench bench;
  for (int i = 0; i < 7; ++i)
    bench.add_catalog("node" + std::to_string(i));
  SUBCASE("by count") {
    bench.bounds.count_max = 3;
    bench.run();
    CHECK(bench.store.chunk_sizes == std::vector<std::size_t>{3, 3, 1});
  }
  SUBCASE("by bytes") {
    bench.bounds.bytes_max = 1;
    bench.run();
    CHECK(bench.store.chunk_sizes == std::vector<std::size_t>(7, 1));
  }
}

TEST_CASE("an exception of the store leaves the round as trouble") {
  Bench bench;
  bench.add_catalog("a");
  bench.store.throws = "out of something";
  const auto items = bench.run();
  CHECK(fates(items) == Fates{kRetry});
  CHECK(items[0].reason == "saving failed: out of something");
}

TEST_CASE("retry_all sends each item back for the one reason") {
  Bench bench;
  bench.add_catalog("a");
  bench.add(kFacts, "");
  const auto result = retry_all(bench.round, "not there");
  CHECK(fates(result.items) == Fates{kRetry, kRetry});
  CHECK(result.items[1].reason == "not there");
}

TEST_CASE("what is read at a time follows the window, up to sixteen MiB, and is never nothing") {
  constexpr std::size_t kMib = 1024 * 1024;
  CHECK(chunk_of(16 * kMib).bytes_max == 4 * kMib);
  CHECK(chunk_of(1024 * kMib).bytes_max == 16 * kMib);
  CHECK(chunk_of(1).bytes_max == 1);
  CHECK(chunk_of(16 * kMib).count_max == ChunkBounds{}.count_max);
}
