#include "storage/catalog/sqlite_batch.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/catalog_work.h"
#include "storage/catalog/sqlite_file.h"
#include "storage/catalog/sqlite_schema.h"
#include "tests/support/test_folder.h"

namespace stompbox::catalog {
namespace {

using std::chrono::milliseconds;

// Writes a host and takes a given time over it, as a large catalog would.
class SlowWork final : public SaveWork {
 public:
  SlowWork(DatabaseSession& session, std::string node, milliseconds duration)
      : session_(session), node_(std::move(node)), duration_(duration) {}

  const std::string& node() const override { return node_; }
  void add_names(NameSets&) const override {}
  void plan() override {}
  bool is_current() override { return true; }
  bool writes() const override { return true; }
  std::size_t row_count() const override { return 1; }
  void apply(std::string_view now) override {
    static_cast<void>(session_.hosts.create(node_, now));
    const auto end = std::chrono::steady_clock::now() + duration_;
    while (std::chrono::steady_clock::now() < end) {
    }
  }
  SaveOutcome outcome() const override { return {}; }

 private:
  DatabaseSession& session_;
  const std::string node_;
  const milliseconds duration_;
};

// A catalog whose plan is made, and then somebody else writes before the lock is ours.
class InterruptedWork final : public SaveWork {
 public:
  InterruptedWork(DatabaseSession& session, const CatalogSave& save,
                  std::function<void()> interrupt)
      : work_(session, save), interrupt_(std::move(interrupt)) {}

  const std::string& node() const override { return work_.node(); }
  void add_names(NameSets& wanted) const override { work_.add_names(wanted); }
  void plan() override {
    ++plans;
    work_.plan();
  }
  bool is_current() override { return work_.is_current(); }
  bool writes() const override {
    if (plans == 1) std::exchange(interrupt_, [] {})();
    return work_.writes();
  }
  std::size_t row_count() const override { return work_.row_count(); }
  void apply(std::string_view now) override { work_.apply(now); }
  SaveOutcome outcome() const override { return work_.outcome(); }

  int plans = 0;

 private:
  CatalogWork work_;
  mutable std::function<void()> interrupt_;
};

// A database with one node stored, its session, and a connection of somebody else.
class Scene {
 public:
  Scene() {
    options_.path = folder_.file("db");
    REQUIRE(prepare_file(options_).has_value());
    auto connection = connect();
    REQUIRE(ensure_schema(*connection, options_.path).has_value());
    SqliteConnection& db = *connection;
    session_ = std::make_unique<DatabaseSession>(std::move(connection), SessionOptions{});
    batch_ = std::make_unique<SqliteBatch>(db, *session_, milliseconds(50));
    other_ = connect();
    catalog.node = "a";
    catalog.digest = "digest";
    catalog.resources.push_back(
        {"File", "/a", false, 1, "/site.pp", {{"mode", {"0644"}}, {"owner", {"root"}}}, {"t"}});
    CHECK(save({}).status == SaveStatus::kStored);
  }

  SaveOutcome save(const std::string& others_sql, const Arrival& arrival = {}) {
    std::vector<std::unique_ptr<SaveWork>> works;
    const CatalogSave save{&catalog, arrival};
    works.push_back(std::make_unique<InterruptedWork>(*session_, save, [this, &others_sql] {
      other_->run(others_sql);
      REQUIRE_FALSE(other_->failed());
    }));
    const auto outcomes = batch_->run(works);
    REQUIRE(outcomes.size() == 1);
    plans = static_cast<InterruptedWork&>(*works[0]).plans;
    return outcomes[0];
  }

  std::string values() {
    return text_of(*other_,
                   "SELECT group_concat(value, ' ') FROM (SELECT v.value FROM param_values"
                   " v JOIN resources r ON r.id = v.resource_id JOIN hosts h ON"
                   " h.id = r.host_id JOIN param_names n ON n.id = v.param_name_id"
                   " ORDER BY n.name)")
        .value_or("");
  }

  Catalog catalog;
  int plans = 0;

 private:
  std::unique_ptr<SqliteConnection> connect() {
    auto connection =
        SqliteConnection::open(options_.path, SqliteAccess::kReadWrite, milliseconds(100));
    REQUIRE(connection.has_value());
    return std::move(*connection);
  }

  const support::TestFolder folder_;
  SqliteOptions options_;
  std::unique_ptr<DatabaseSession> session_;
  std::unique_ptr<SqliteBatch> batch_;
  std::unique_ptr<SqliteConnection> other_;
};

int commits = 0;

int count_commit(void*) {
  ++commits;
  return 0;
}

int commits_of(milliseconds lock_max, milliseconds duration) {
  const support::TestFolder folder;
  SqliteOptions options;
  options.path = folder.file("db");
  REQUIRE(prepare_file(options).has_value());
  auto connection =
      SqliteConnection::open(options.path, SqliteAccess::kReadWrite, milliseconds(100));
  REQUIRE(connection.has_value());
  REQUIRE(ensure_schema(**connection, options.path).has_value());
  SqliteConnection& db = **connection;
  DatabaseSession session(std::move(*connection), {});
  SqliteBatch batch(db, session, lock_max);
  std::vector<std::unique_ptr<SaveWork>> works;
  for (int i = 0; i < 8; ++i) {
    works.push_back(std::make_unique<SlowWork>(session, "node" + std::to_string(i), duration));
  }
  commits = 0;
  sqlite3_commit_hook(db.raw(), count_commit, nullptr);
  CHECK(batch.run(works).size() == works.size());
  return commits;
}

}  // namespace

TEST_CASE("saves share a transaction as long as the lock may be held") {
  CHECK(commits_of(std::chrono::minutes(1), milliseconds(0)) == 1);
}

TEST_CASE("a save begins a transaction of its own when the lock would be held too long") {
  CHECK(commits_of(milliseconds(0), milliseconds(0)) == 8);
  // No two saves of 30 ms fit into 50 ms once their cost is known, and at most two before.
  CHECK(commits_of(milliseconds(50), milliseconds(30)) >= 7);
}

TEST_CASE("a plan that another connection has overtaken is made anew under the lock") {
  Scene scene;
  bool changed = true;
  std::string sql;
  SUBCASE("a value went") {
    sql = "DELETE FROM param_values WHERE value = '0644'";
  }
  SUBCASE("the resource went") {
    sql = "DELETE FROM resources";
  }
  SUBCASE("the host went") {
    sql = "DELETE FROM hosts";
  }
  SUBCASE("the host was cleaned and came back") {
    sql = "DELETE FROM resources; DELETE FROM hosts; INSERT INTO hosts (name) VALUES ('a')";
  }
  SUBCASE("a twin came") {
    sql = "INSERT INTO hosts (name) VALUES ('a')";
  }
  SUBCASE("something else was written") {
    sql = "INSERT INTO hosts (name) VALUES ('b')";
    changed = false;
  }
  // First where the plan is to touch, then where it is to write.
  CHECK(scene.save(sql).error.text.empty());
  CHECK(scene.plans == (changed ? 2 : 1));
  CHECK(scene.values() == "0644 root");
  scene.catalog.digest = "second";
  scene.catalog.resources[0].parameters[1].values = {"daemon"};
  CHECK(scene.save(sql).error.text.empty());
  CHECK(scene.values() == "0644 daemon");
}

TEST_CASE("a later arrival that another process stored meanwhile is not overwritten") {
  Scene scene;
  scene.catalog.resources[0].parameters[0].values = {"0600"};
  scene.catalog.digest = "second";
  const std::string others = "UPDATE stompbox_nodes SET store = 'q', arrival = 9";
  CHECK(scene.save(others, {"q", 8}).status == SaveStatus::kSuperseded);
  CHECK(scene.plans == 2);
  CHECK(scene.values() == "0644 root");
}

}  // namespace stompbox::catalog
