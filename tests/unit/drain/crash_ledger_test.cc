#include "broker/drain/crash_ledger.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

using namespace stompbox;
using namespace stompbox::drain;

namespace {

struct TempFolder {
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/drain-ledger"; }
  std::string path;
};

Round round_of(std::initializer_list<std::uint64_t> ids) {
  Round round{1, {}};
  for (const std::uint64_t id : ids) {
    auto message = std::make_shared<queue::Message>();
    message->id = {id};
    round.items.push_back({id, MessageKind::kCatalog, message});
  }
  return round;
}

RoundResult all(const Round& round, ItemFate fate) {
  RoundResult result = retry_all(round, "reason");
  for (ItemResult& item : result.items)
    item.fate = fate;
  return result;
}

std::map<std::uint64_t, unsigned> suspects_after_start(const TempFolder& folder,
                                                       const std::string& store = "store-1") {
  CrashLedger ledger(folder.file(), store);
  CHECK(ledger.load());
  return ledger.suspects();
}

using Counts = std::map<std::uint64_t, unsigned>;

}  // namespace

TEST_CASE("messages of a round that was under way at the exit are suspects after it") {
  const TempFolder folder;
  CrashLedger ledger(folder.file(), "store-1");
  REQUIRE(ledger.load());
  CHECK(ledger.begin(round_of({5, 6})));
  CHECK(suspects_after_start(folder) == Counts{{5, 1}, {6, 1}});
}

TEST_CASE("a start without a round under way accuses nobody again") {
  const TempFolder folder;
  CrashLedger ledger(folder.file(), "store-1");
  CHECK(ledger.begin(round_of({5})));
  for (int start = 0; start < 3; ++start)
    CHECK(suspects_after_start(folder) == Counts{{5, 1}});
}

TEST_CASE("each exit with the message under way counts") {
  const TempFolder folder;
  for (unsigned exits = 1; exits <= 3; ++exits) {
    CrashLedger ledger(folder.file(), "store-1");
    REQUIRE(ledger.load());
    CHECK(ledger.begin(round_of({5})));
    CHECK(suspects_after_start(folder) == Counts{{5, exits}});
  }
}

TEST_CASE("a finished round leaves no trace") {
  const TempFolder folder;
  CrashLedger ledger(folder.file(), "store-1");
  const Round round = round_of({5, 6});
  CHECK(ledger.begin(round));
  CHECK(ledger.finish(round, all(round, ItemFate::kStored)));
  CHECK_FALSE(std::filesystem::exists(folder.file()));
  CHECK(suspects_after_start(folder).empty());
}

TEST_CASE("a suspect is cleared when it was settled, not when the database was in trouble") {
  const TempFolder folder;
  CHECK(CrashLedger(folder.file(), "store-1").begin(round_of({5})));
  CrashLedger ledger(folder.file(), "store-1");
  REQUIRE(ledger.load());
  const Round round = round_of({5});
  CHECK(ledger.begin(round));
  SUBCASE("trouble") {
    CHECK(ledger.finish(round, all(round, ItemFate::kRetry)));
    CHECK(suspects_after_start(folder) == Counts{{5, 1}});
  }
  SUBCASE("settled") {
    CHECK(ledger.finish(round, all(round, ItemFate::kDeadLetter)));
    CHECK(suspects_after_start(folder).empty());
  }
}

TEST_CASE("who has become a letter is accused no more, should the letter be revived") {
  const TempFolder folder;
  {
    CrashLedger ledger(folder.file(), "store-1");
    CHECK(ledger.begin(round_of({5, 6})));
  }
  CrashLedger ledger(folder.file(), "store-1");
  REQUIRE(ledger.load());
  Round round = round_of({7});
  round.cleared = {5};
  CHECK(ledger.begin(round));
  CHECK(ledger.finish(round, all(round, ItemFate::kStored)));
  CHECK(suspects_after_start(folder) == Counts{{6, 1}});
}

TEST_CASE("an end in order accuses nobody, and who was accused before stays so") {
  const TempFolder folder;
  CHECK(CrashLedger(folder.file(), "store-1").begin(round_of({5})));
  CrashLedger ledger(folder.file(), "store-1");
  REQUIRE(ledger.load());
  CHECK(ledger.begin(round_of({5, 6})));
  CHECK(ledger.end_in_order());
  CHECK(suspects_after_start(folder) == Counts{{5, 1}});
  SUBCASE("a round that begins later is not noted") {
    CHECK(ledger.begin(round_of({5, 7})));
    CHECK(suspects_after_start(folder) == Counts{{5, 1}});
  }
  SUBCASE("one that ends later clears its suspects") {
    const Round round = round_of({5, 6});
    CHECK(ledger.finish(round, all(round, ItemFate::kStored)));
    CHECK(suspects_after_start(folder).empty());
  }
}

TEST_CASE("a ledger of another store or of another program is disregarded") {
  const TempFolder folder;
  CHECK(CrashLedger(folder.file(), "store-1").begin(round_of({5})));
  CHECK(suspects_after_start(folder, "store-2").empty());
  std::ofstream(folder.file()) << "something else\nunder-way 5\n";
  CHECK(suspects_after_start(folder).empty());
}

TEST_CASE("damaged lines of a ledger are passed over") {
  const TempFolder folder;
  std::ofstream(folder.file()) << "stompbox-crash-ledger 1 store-1\nunder-way\nunder-way "
                                  "x\nnonsense\nunder-way 9\nsuspect 8 2";
  CHECK(suspects_after_start(folder) == Counts{{8, 2}, {9, 1}});
}

TEST_CASE("a ledger that cannot be written says where") {
  CrashLedger ledger("/nonexistent-folder/drain-ledger", "store-1");
  const auto status = ledger.begin(round_of({5}));
  REQUIRE_FALSE(status);
  CHECK(status.error().text.find("/nonexistent-folder/drain-ledger") != std::string::npos);
}

TEST_CASE("without a path nothing is kept") {
  CrashLedger ledger;
  CHECK(ledger.load());
  CHECK(ledger.begin(round_of({5})));
  CHECK(ledger.suspects().empty());
}

TEST_CASE("by bodies a message is known again under another number") {
  const TempFolder folder;
  const Round first = round_of({5});
  const std::uint64_t key = ledger_key(*first.items[0].message, LedgerKeys::kBodies);
  for (unsigned exits = 1; exits <= 3; ++exits) {
    CrashLedger ledger(folder.file(), "clock", LedgerKeys::kBodies);
    REQUIRE(ledger.load());
    CHECK(ledger.begin(round_of({100 + exits})));
    CrashLedger next(folder.file(), "clock", LedgerKeys::kBodies);
    // A look only: the file is put back as the exit left it.
    const auto copy = folder.file() + ".copy";
    std::filesystem::copy_file(folder.file(), copy);
    REQUIRE(next.load());
    CHECK(next.suspects() == Counts{{key, exits}});
    std::filesystem::rename(copy, folder.file());
  }
}

TEST_CASE("by bodies a suspect that was not under way at the last exit is none any more") {
  const TempFolder folder;
  CrashLedger ledger(folder.file(), "clock", LedgerKeys::kBodies);
  CHECK(ledger.begin(round_of({5})));
  CrashLedger second(folder.file(), "clock", LedgerKeys::kBodies);
  REQUIRE(second.load());
  CHECK(second.suspects().size() == 1);
  CrashLedger third(folder.file(), "clock", LedgerKeys::kBodies);
  REQUIRE(third.load());
  CHECK(third.suspects().empty());
}
