#include "broker/expiry.h"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include "broker/expiry_watch.h"
#include "storage/catalog/catalog_place.h"
#include "storage/catalog/schema_time.h"
#include "tests/support/test_folder.h"

using namespace stompbox;
using namespace std::chrono_literals;

namespace {

using std::chrono::sys_seconds;

constexpr sys_seconds kNow{1'700'000'000s};
constexpr std::chrono::hours kDay{24};

// A database with two nodes, one of which was heard of years ago.
class Site {
 public:
  Site() {
    place.kind = catalog::PlaceKind::kSqlite;
    place.sqlite.path = folder.file("catalogs.sqlite3");
    catalog::Catalog fresh;
    fresh.node = "fresh";
    const std::vector<catalog::CatalogSave> saves{{&fresh, {}}};
    const auto store = catalog::make_catalog_store(place);
    REQUIRE(store->save(saves).at(0).status == catalog::SaveStatus::kStored);
    db = std::move(*catalog::open_catalog_connection(place, catalog::ConnectionUse::kWrite));
    add_silent("gone");
    hear(kNow);
    times.first = times.next = times.look = 1ms;
    times.every = 1ms;
    times.wall = [this] { return now; };
  }

  void add_silent(const std::string& name) {
    db->run("INSERT INTO hosts (name, last_compile) VALUES ('" + name +
            "', '2001-02-03 04:05:06')");
    REQUIRE_FALSE(db->failed());
  }
  // The newest catalog was stored then.
  void hear(sys_seconds time) {
    catalog::LocalTimestamps clock(0);
    db->run("UPDATE hosts SET last_compile = '" + clock.at(time) + "' WHERE name = 'fresh'");
    REQUIRE_FALSE(db->failed());
  }
  int nodes() {
    catalog::SqlStatement count(*db, "SELECT count(*) FROM hosts");
    REQUIRE(count.step());
    return static_cast<int>(count.integer(0));
  }
  // Since when the watch lasts, and its last catalog.
  void keep_watch(std::chrono::seconds since_ago, std::chrono::seconds last_ago) {
    REQUIRE(write_watch(watch_file, {kNow - since_ago, kNow - last_ago}));
  }
  const support::TestFolder folder;
  const std::string watch_file = folder.file("expiry-watch");
  catalog::CatalogPlace place;
  std::unique_ptr<catalog::SqlConnection> db;
  std::chrono::system_clock::time_point now = kNow;  // set while no Expiry is there
  ExpiryTimes times;
};

// A broker's life, with a loop of its own.
struct Life {
  explicit Life(Site& the_site, std::chrono::hours silent_for = 90 * kDay)
      : site(the_site), expiry(io, site.place, silent_for, site.watch_file, site.times) {
    expiry.start();
  }
  template <typename Reached>
  void run_until(Reached reached) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!reached() && std::chrono::steady_clock::now() < deadline)
      io.run_one_for(20s);
    CHECK(reached());
  }
  void run_until_nodes(int count) {
    run_until([this, count] { return site.nodes() == count; });
  }
  void run_until_noted(sys_seconds time) {
    run_until([this, time] {
      const auto watch = read_watch(site.watch_file);
      return watch && watch->last == time;
    });
  }

  Site& site;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running{io.get_executor()};
  Expiry expiry;
};

}  // namespace

TEST_CASE("a broker that is started anew each day forgets silent nodes soon after the start") {
  Site site;
  site.keep_watch(100 * kDay, 9h);
  site.hear(kNow - 60s);
  Life(site).run_until_nodes(1);
  CHECK(read_watch(site.watch_file) == ExpiryWatch{kNow - 100 * kDay, kNow - 60s});
}

TEST_CASE("after a long break nobody is forgotten until the whole time has passed once more") {
  Site site;
  site.keep_watch(400 * kDay, 23 * kDay);
  Life(site).run_until_noted(kNow);
  CHECK(site.nodes() == 2);
  for (int days = 20; days < 90; days += 20) {  // restarts in between are no matter
    site.now = kNow + days * kDay;
    site.hear(kNow + days * kDay);
    Life(site).run_until_noted(kNow + days * kDay);
    CHECK(site.nodes() == 2);
  }
  site.now = kNow + 90 * kDay;
  site.hear(kNow + 90 * kDay);
  Life(site).run_until_nodes(1);
}

TEST_CASE("a time without any catalog is no watch, though the broker was there") {
  Site site;
  site.keep_watch(100 * kDay, 20 * kDay);
  site.hear(kNow - 20 * kDay);
  Life life(site);
  for (int i = 0; i < 20; ++i)
    life.io.run_one_for(20s);
  CHECK(site.nodes() == 2);
  CHECK(read_watch(site.watch_file) == ExpiryWatch{kNow - 100 * kDay, kNow - 20 * kDay});
}

TEST_CASE("a short time of silence makes a short break") {
  Site site;
  site.keep_watch(30 * kDay, 4h);
  Life(site, 12h).run_until_noted(kNow);
  CHECK(site.nodes() == 2);
  CHECK(read_watch(site.watch_file)->since == kNow);
}

TEST_CASE("a pass ends with the last silent node, a few at a time, and comes again") {
  Site site;
  site.keep_watch(100 * kDay, 1h);
  for (int i = 0; i < 24; ++i)
    site.add_silent("gone" + std::to_string(i));
  Life life(site);
  life.run_until_nodes(1);
  site.add_silent("later");
  life.run_until_nodes(1);
}

TEST_CASE("a pass comes once a day, however often the watch is noted") {
  Site site;
  site.times.every = std::chrono::hours(24);
  site.keep_watch(100 * kDay, 1h);
  Life life(site);
  life.run_until_nodes(1);
  for (int i = 0; i < 4; ++i)
    life.io.run_one_for(20s);  // the end of that pass
  site.add_silent("later");
  for (int i = 0; i < 40; ++i)
    life.io.run_one_for(20s);
  CHECK(site.nodes() == 2);
}

TEST_CASE("a watch goes on over a short break, and begins anew after a long one") {
  const ExpiryWatch kept{kNow - 100h, kNow - 20h};
  CHECK(carried_on(kept, kNow, 24h) == ExpiryWatch{kNow - 100h, kNow});
  CHECK(carried_on(kept, kNow + 5h, 24h) == ExpiryWatch{kNow + 5h, kNow + 5h});
  CHECK(carried_on(kept, kNow - 21h, 24h) == ExpiryWatch{kNow - 21h, kNow - 21h});
  CHECK(carried_on(std::nullopt, kNow, 24h) == ExpiryWatch{kNow, kNow});
}

TEST_CASE("a watch that makes no sense is none") {
  const support::TestFolder folder;
  const std::string path = folder.file("watch");
  CHECK_FALSE(read_watch(path));
  for (const char* text : {"", "17", "x y", "20 10", "-5 10"}) {
    CAPTURE(text);
    std::ofstream(path) << text;
    CHECK_FALSE(read_watch(path));
  }
  REQUIRE(write_watch(path, {kNow - 5s, kNow}));
  CHECK(read_watch(path) == ExpiryWatch{kNow - 5s, kNow});
  CHECK_FALSE(write_watch(folder.file("nothing/watch"), {kNow, kNow}));
}
