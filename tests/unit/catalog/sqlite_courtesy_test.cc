#include "storage/catalog/sqlite_courtesy.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "storage/catalog/sqlite_neighbours.h"
#include "tests/support/test_folder.h"

namespace stompbox::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = SqliteCourtesy::Clock::time_point;

constexpr Time kStart = Time(seconds(1000));

}  // namespace

TEST_CASE("nobody is waited for while nobody else writes") {
  SqliteCourtesy courtesy(milliseconds(50), SqliteCourtesy::Stops::kWriters);
  courtesy.note_held(kStart - milliseconds(50), kStart);
  courtesy.ask(kStart);
  CHECK(courtesy.wait_left(kStart) <= milliseconds(0));
  courtesy.note_others(kStart - seconds(11));
  CHECK(courtesy.wait_left(kStart) <= milliseconds(0));
}

TEST_CASE("while others write the lock stays free three times as long as it was held") {
  SqliteCourtesy courtesy(milliseconds(50), SqliteCourtesy::Stops::kWriters);
  courtesy.note_others(kStart - seconds(5));
  courtesy.note_held(kStart - milliseconds(40), kStart);
  courtesy.ask(kStart);
  CHECK(courtesy.wait_left(kStart) == milliseconds(120));
  CHECK(courtesy.wait_left(kStart + milliseconds(120)) == milliseconds(0));
  courtesy.note_held(kStart - seconds(60), kStart);
  CHECK(courtesy.wait_left(kStart) == seconds(1));
}

TEST_CASE("a burst of others is waited for, until it is silent or patience ends") {
  SqliteCourtesy courtesy(milliseconds(50), SqliteCourtesy::Stops::kWriters);
  courtesy.ask(kStart);
  courtesy.note_others(kStart + milliseconds(5));
  CHECK(courtesy.wait_left(kStart + milliseconds(5)) == milliseconds(50));
  CHECK(courtesy.wait_left(kStart + milliseconds(55)) == milliseconds(0));
  courtesy.note_others(kStart + milliseconds(995));
  CHECK(courtesy.wait_left(kStart + milliseconds(995)) == milliseconds(5));
}

TEST_CASE("where our lock stops readers too, others' bursts are waited for three times as long") {
  SqliteCourtesy courtesy(milliseconds(50), SqliteCourtesy::Stops::kReadersToo);
  courtesy.ask(kStart);
  courtesy.note_others(kStart + milliseconds(5));
  CHECK(courtesy.wait_left(kStart + milliseconds(5)) == milliseconds(25));
  courtesy.note_others(kStart + milliseconds(2980));
  CHECK(courtesy.wait_left(kStart + milliseconds(2980)) == milliseconds(20));
}

TEST_CASE("the kernel's list tells of locks that others hold on a file") {
  const std::string_view list =
      "1: FLOCK  ADVISORY  WRITE 7 fe:00:55 0 EOF\n"
      "2: POSIX  ADVISORY  READ 11788 fe:00:1095 1073741826 1073742335\n"
      "3: POSIX  ADVISORY  WRITE 42 fe:00:77 0 EOF\n"
      "3: -> POSIX  ADVISORY  WRITE 9 fe:00:78 0 EOF";
  const auto hold = [list](std::string_view file, int own) {
    return SqliteNeighbours::hold_locks(list, file, own);
  };
  CHECK(hold("fe:00:1095", 1));
  CHECK_FALSE(hold("fe:00:1095", 11788));  // ours
  CHECK(hold("fe:00:1095", 788));
  CHECK_FALSE(hold("fe:00:109", 1));
  CHECK_FALSE(hold("fe:00:55", 1));  // of another kind
  CHECK(hold("fe:00:77", 1));
  CHECK_FALSE(SqliteNeighbours::hold_locks("", "fe:00:77", 1));
}

TEST_CASE("another process that reads a database is seen, we ourselves are not") {
  const support::TestFolder folder;
  const std::string path = folder.file("db");
  std::ofstream(path) << "x";
  const SqliteNeighbours neighbours(path);
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(file >= 0);
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000002;
  lock.l_len = 510;
  std::array<int, 2> told{}, end{};
  REQUIRE((::pipe(told.data()) == 0 && ::pipe(end.data()) == 0));
  const pid_t child = ::fork();
  if (child == 0) {
    char word = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    static_cast<void>(::write(told[1], &word, 1) + ::read(end[0], &word, 1));
    ::_exit(0);
  }
  char word = 0;
  REQUIRE((::read(told[0], &word, 1) == 1 && word == 'y'));
  CHECK(neighbours.hold_locks());
  REQUIRE(::write(end[1], &word, 1) == 1);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(neighbours.hold_locks());
  CHECK(::fcntl(file, F_SETLK, &lock) == 0);
  CHECK_FALSE(neighbours.hold_locks());
  for (const int fd : {file, told[0], told[1], end[0], end[1]})
    ::close(fd);
}

}  // namespace stompbox::catalog
