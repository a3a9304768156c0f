#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace stompbox::sim {

// Bugs that are planted at the borders of the real code, one at a time, to show that the checker
// finds them. Each stands for a mistake that a later change could really make.
enum class Fault {
  kNone,
  kReportBeforeSync,    // a batch is reported when it is written, not when it is synced
  kWithdrawnIsWritten,  // a withdrawn append reaches the disk all the same
  kWithdrawTooLate,     // a committed append is said to be withdrawn: its erase never happens
  kEraseForgotten,      // an erase is reported and not done
  kGroupSplit,          // a group is not one batch: a crash in between loses half of it
  kGroupForgetsErases,  // of a group that appends and erases, the erases are not done
  kAbortCommits,        // an aborted transaction happens
  kPageSkipsOne,        // a page leaves a message out
  kPageOutOfOrder,      // a page is not in order of places
  kPageTwice,           // a page brings a message that an earlier one brought
  kStoreCountsLess,     // after a start the last message of a queue is not counted
  kRedeliveredDropped,  // a MESSAGE that was seen before does not say so
  kDatabaseForgets,     // the database says stored before its commit is durable
  kOlderCatalogWins,    // the database takes an older arrival over a newer one
  kRoundAnswersEarly,   // a round's results are posted before its saves
};

struct FaultName {
  Fault fault;
  std::string_view name;
};

inline constexpr std::array kFaults = {
    FaultName{Fault::kReportBeforeSync, "report-before-sync"},
    FaultName{Fault::kWithdrawnIsWritten, "withdrawn-is-written"},
    FaultName{Fault::kWithdrawTooLate, "withdraw-too-late"},
    FaultName{Fault::kEraseForgotten, "erase-forgotten"},
    FaultName{Fault::kGroupSplit, "group-split"},
    FaultName{Fault::kGroupForgetsErases, "group-forgets-erases"},
    FaultName{Fault::kAbortCommits, "abort-commits"},
    FaultName{Fault::kPageSkipsOne, "page-skips-one"},
    FaultName{Fault::kPageOutOfOrder, "page-out-of-order"},
    FaultName{Fault::kPageTwice, "page-twice"},
    FaultName{Fault::kStoreCountsLess, "store-counts-less"},
    FaultName{Fault::kRedeliveredDropped, "redelivered-dropped"},
    FaultName{Fault::kDatabaseForgets, "database-forgets"},
    FaultName{Fault::kOlderCatalogWins, "older-catalog-wins"},
    FaultName{Fault::kRoundAnswersEarly, "round-answers-early"},
};

}  // namespace stompbox::sim
