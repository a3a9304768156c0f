#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/conformance/case_file.h"
#include "tests/conformance/case_run.h"
#include "tests/conformance/daemon.h"
#include "tests/conformance/decisions.h"
#include "tests/conformance/transport.h"

// runner CASES [--daemon PROGRAM] [--only NUMBER] [--decisions README]
namespace stompbox::conformance {
namespace {

struct Section {
  char letter;
  int last;
};
// The numbered lines of the checklist (fact 1.2): each must have a case.
constexpr std::array kSections{Section{'A', 14}, Section{'B', 10}, Section{'C', 9},
                               Section{'D', 16}, Section{'E', 9},  Section{'F', 18},
                               Section{'G', 17}, Section{'H', 11}, Section{'L', 4}};
constexpr int kDecisionsMin = 22;  // the lines of fact 1.3
constexpr int kThreads = 16;       // most of a daemon's cases is waiting for it to close

struct Wish {
  std::string cases;
  std::string program;
  std::string only;
  std::string decisions;
};

class Tally {
 public:
  void note(const Case& played, const std::string& difference) {
    const std::lock_guard lock(mutex_);
    if (difference.empty()) {
      ++passed_;
      return;
    }
    ++failed_;
    std::cout << "FAILED " << played.number << " " << played.sentence << "\n  " << difference
              << "\n";
  }
  int end() {
    std::cout << passed_ << " passed, " << failed_ << " failed\n";
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  std::mutex mutex_;
  int passed_ = 0;
  int failed_ = 0;
};

void check_numbers(const std::vector<Case>& cases, Tally& tally) {
  std::set<std::string> numbers;
  for (const Case& found : cases)
    numbers.insert(found.number);
  for (const Section& section : kSections) {
    for (int line = 1; line <= section.last; ++line) {
      Case missing;
      missing.number = section.letter + std::to_string(line);
      missing.sentence = "(coverage)";
      if (!numbers.contains(missing.number)) tally.note(missing, "no case has this number");
    }
  }
}

// The table of decisions names the case that holds each: it has to be there, word for word.
void check_decisions(const std::vector<Case>& cases, const std::string& readme, Tally& tally) {
  std::set<std::string> names;
  for (const Case& found : cases)
    names.insert(found.number + " " + found.sentence);
  int rows = 0;
  for (const Decision& decision : read_decisions(readme)) {
    Case row;
    row.number = "1.3";
    row.sentence = decision.what;
    tally.note(row, names.contains(decision.held_by) ? "" : "no such case: " + decision.held_by);
    ++rows;
  }
  Case all;
  all.number = "1.3";
  all.sentence = "(coverage)";
  if (rows < kDecisionsMin) tally.note(all, "only " + std::to_string(rows) + " rows in the table");
}

void run_pure(const std::vector<Case>& cases, Tally& tally) {
  for (const Case& played : cases)
    tally.note(played, run_case(played, *make_pure_broker(played)));
}

void run_on_daemon(const std::vector<Case>& cases, const std::string& program, Tally& tally) {
  Daemon daemon(program);
  std::atomic<std::size_t> next = 0;
  const auto play = [&cases, &daemon, &next, &tally] {
    for (std::size_t i = next++; i < cases.size(); i = next++) {
      if (cases[i].is_pure_only) continue;
      tally.note(cases[i], run_case(cases[i], *make_socket_broker(daemon.port())));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back(play);
  }
  Case stop;
  stop.number = "H11";
  stop.sentence = "The daemon stops at SIGTERM with exit code 0.";
  const int status = daemon.stop();
  tally.note(stop, status == 0 ? "" : "wait status " + std::to_string(status));
}

int run(const Wish& wish) {
  std::vector<Case> cases = read_cases(wish.cases);
  Tally tally;
  if (!wish.decisions.empty()) {
    check_decisions(cases, wish.decisions, tally);
    return tally.end();
  }
  if (wish.only.empty()) {
    check_numbers(cases, tally);
  } else {
    std::erase_if(cases, [&wish](const Case& found) { return found.number != wish.only; });
  }
  if (wish.program.empty()) {
    run_pure(cases, tally);
  } else {
    run_on_daemon(cases, wish.program, tally);
  }
  return tally.end();
}

}  // namespace
}  // namespace stompbox::conformance

int main(int count, char** words) {
  stompbox::conformance::Wish wish;
  if (count > 1) wish.cases = words[1];
  for (int i = 2; i + 1 < count; i += 2) {
    if (std::string_view(words[i]) == "--daemon") wish.program = words[i + 1];
    if (std::string_view(words[i]) == "--only") wish.only = words[i + 1];
    if (std::string_view(words[i]) == "--decisions") wish.decisions = words[i + 1];
  }
  try {
    return stompbox::conformance::run(wish);
  } catch (const std::exception& error) {
    std::cout << error.what() << "\n0 passed, 1 failed\n";
    return 1;
  }
}
