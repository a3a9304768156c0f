#include "storage/catalog/sqlite_courtesy.h"

#include <doctest/doctest.h>

namespace stompbox::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = SqliteCourtesy::Clock::time_point;

constexpr Time kStart = Time(seconds(1000));

}  // namespace

TEST_CASE("nobody is waited for while nobody else writes") {
  SqliteCourtesy courtesy(milliseconds(50));
  courtesy.note_held(kStart - milliseconds(50), kStart);
  courtesy.ask(kStart);
  CHECK(courtesy.wait_left(kStart) <= milliseconds(0));
  courtesy.note_others(kStart - seconds(11));
  CHECK(courtesy.wait_left(kStart) <= milliseconds(0));
}

TEST_CASE("while others write the lock stays free three times as long as it was held") {
  SqliteCourtesy courtesy(milliseconds(50));
  courtesy.note_others(kStart - seconds(5));
  courtesy.note_held(kStart - milliseconds(40), kStart);
  courtesy.ask(kStart);
  CHECK(courtesy.wait_left(kStart) == milliseconds(120));
  CHECK(courtesy.wait_left(kStart + milliseconds(120)) == milliseconds(0));
  courtesy.note_held(kStart - seconds(60), kStart);
  CHECK(courtesy.wait_left(kStart) == seconds(1));
}

TEST_CASE("a burst of others is waited for, until it is silent or patience ends") {
  SqliteCourtesy courtesy(milliseconds(50));
  courtesy.ask(kStart);
  courtesy.note_others(kStart + milliseconds(5));
  CHECK(courtesy.wait_left(kStart + milliseconds(5)) == milliseconds(50));
  CHECK(courtesy.wait_left(kStart + milliseconds(55)) == milliseconds(0));
  courtesy.note_others(kStart + milliseconds(995));
  CHECK(courtesy.wait_left(kStart + milliseconds(995)) == milliseconds(5));
}

}  // namespace stompbox::catalog
