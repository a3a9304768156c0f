#include "broker/verbs/nagios.h"

#include <doctest/doctest.h>

#include <string>

using namespace stompbox::verbs;

namespace {

Health with_depth(std::uint64_t depth) {
  Health health;
  health.catalogs_unstored = depth;
  return health;
}

Health with_age(std::uint64_t seconds) {
  Health health;
  health.oldest_seconds = seconds;
  return health;
}

}  // namespace

TEST_CASE("a broker that is well is OK, with its figures behind the bar") {
  const Verdict verdict = judge(with_depth(1), {});
  CHECK(verdict.state == NagiosState::kOk);
  CHECK(verdict.line ==
        "STOMPBOX OK - 1 catalog not stored yet | unstored=1;1000;10000;0 oldest=0s;600;3600;0 "
        "dead_letters=0;1;;0\n");
}

TEST_CASE("a threshold is met by its own value") {
  CHECK(judge(with_depth(999), {}).state == NagiosState::kOk);
  CHECK(judge(with_depth(1000), {}).state == NagiosState::kWarning);
  CHECK(judge(with_depth(9999), {}).state == NagiosState::kWarning);
  CHECK(judge(with_depth(10000), {}).state == NagiosState::kCritical);
  CHECK(judge(with_age(599), {}).state == NagiosState::kOk);
  CHECK(judge(with_age(600), {}).state == NagiosState::kWarning);
  CHECK(judge(with_age(3600), {}).state == NagiosState::kCritical);
}

TEST_CASE("without a threshold nothing is too much") {
  Thresholds thresholds;
  thresholds.depth = {};
  CHECK(judge(with_depth(1'000'000), thresholds).state == NagiosState::kOk);
}

TEST_CASE("a critical threshold below the warning one is critical") {
  Thresholds thresholds;
  thresholds.depth = {100, 10};
  CHECK(judge(with_depth(50), thresholds).state == NagiosState::kCritical);
}

TEST_CASE("a database in trouble and a full disk are critical") {
  Health health;
  health.database_in_trouble = true;
  health.last_error = "database is locked";
  const Verdict verdict = judge(health, {});
  CHECK(verdict.state == NagiosState::kCritical);
  CHECK(verdict.line.starts_with(
      "STOMPBOX CRITICAL - the database is in trouble: database is locked |"));
  Health full;
  full.disk_full = true;
  CHECK(judge(full, {}).state == NagiosState::kCritical);
}

TEST_CASE("dead letters and somebody else at the queue are warnings") {
  Health health;
  health.dead_letters = 1;
  CHECK(judge(health, {}).state == NagiosState::kWarning);
  Health contested;
  contested.contested = true;
  CHECK(judge(contested, {}).state == NagiosState::kWarning);
}

TEST_CASE("of several findings the worst stands first and makes the state") {
  Health health;
  health.dead_letters = 3;
  health.oldest_seconds = 7200;
  health.catalogs_unstored = 2000;
  const Verdict verdict = judge(health, {});
  CHECK(verdict.state == NagiosState::kCritical);
  CHECK(verdict.line.starts_with(
      "STOMPBOX CRITICAL - the oldest catalog waits for 2 h; 2000 catalogs not stored yet; "
      "3 dead letters |"));
}

TEST_CASE("a reason with a bar or a line's end stays one line of Nagios") {
  const Verdict verdict = judge_silence(NagiosState::kUnknown, "a|b\nc");
  CHECK(verdict.line == "STOMPBOX UNKNOWN - a/b c\n");
}
