#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include "tests/sim/history.h"

// sim [--seed N] [--histories N]        histories without a fault: none may violate a promise
// sim --faults [--histories N]          each planted fault has to be found within N histories
// sim --fault NAME --seed N             one history with a planted fault
namespace {

using stompbox::sim::Fault;
using stompbox::sim::run_history;

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t histories = 1000;
  std::string fault;
  bool all_faults = false;
};

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--seed") arguments.seed = std::stoull(value);
    if (name == "--histories") arguments.histories = std::stoull(value);
    if (name == "--fault") arguments.fault = value;
    if (name == "--faults") arguments.all_faults = true;
  }
  return arguments;
}

// The number of histories that violated a promise.
std::uint64_t run_many(const Arguments& arguments, Fault fault) {
  std::uint64_t failed = 0;
  std::uint64_t events = 0;
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.histories; ++seed) {
    const auto verdict = run_history(seed, fault);
    events += verdict.events;
    if (verdict.violations.empty()) continue;
    failed += 1;
    for (const std::string& text : verdict.violations) {
      std::cout << "seed " << seed << ": " << text << "\n";
    }
    if (failed == 10) break;
  }
  std::cout << "events checked: " << events << "\n";
  if (events == 0) failed += 1;  // a simulation in which nothing happens proves nothing
  return failed;
}

// 0: not found. The seed that found it is printed.
int look_for(const Arguments& arguments, const stompbox::sim::FaultName& planted) {
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.histories; ++seed) {
    const auto verdict = run_history(seed, planted.fault);
    if (verdict.violations.empty()) continue;
    std::cout << planted.name << ": found at seed " << seed << ": " << verdict.violations.front()
              << std::endl;
    return 1;
  }
  std::cout << planted.name << ": NOT FOUND in " << arguments.histories << " histories"
            << std::endl;
  return 0;
}

// In a process of its own: some faults are found by an assertion of the broker itself.
bool is_found(const Arguments& arguments, const stompbox::sim::FaultName& planted) {
  const pid_t child = fork();
  if (child == 0) _exit(look_for(arguments, planted));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  if (WIFSIGNALED(status)) {
    std::cout << planted.name << ": found by an assertion of the broker" << std::endl;
    return true;
  }
  return WEXITSTATUS(status) == 1;
}

int finish(std::uint64_t passed, std::uint64_t failed) {
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments(argc, argv);
  if (arguments.all_faults) {
    std::uint64_t found = 0;
    for (const auto& planted : stompbox::sim::kFaults)
      found += is_found(arguments, planted) ? 1 : 0;
    return finish(found, stompbox::sim::kFaults.size() - found);
  }
  Fault fault = Fault::kNone;
  for (const auto& planted : stompbox::sim::kFaults) {
    if (planted.name == arguments.fault) fault = planted.fault;
  }
  const std::uint64_t failed = run_many(arguments, fault);
  return finish(arguments.histories - failed, failed);
}
