#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"
#include "storage/catalog/care/check.h"
#include "storage/catalog/care/repair.h"
#include "storage/catalog/care/sqlite_backup.h"
#include "storage/catalog/care/store_figures.h"
#include "storage/catalog/care/transfer.h"

// `store …`: the care of the catalog database, whether a broker runs or not.
namespace stompbox::verbs {

struct StoreCheckOptions {
  std::size_t examples_max = 5;
  Output output = Output::kTable;
};
// kFailed when something breaks a rule.
[[nodiscard]] Exit store_check(const options::Options& options, const StoreCheckOptions& wanted);

struct StoreRepairOptions {
  catalog::care::RepairOptions repair;
  Output output = Output::kTable;
};
[[nodiscard]] Exit store_repair(const options::Options& options, const StoreRepairOptions& wanted);

[[nodiscard]] Exit store_stats(const options::Options& options, Output output);

struct StoreBackupOptions {
  std::string file;
  catalog::care::Existing existing = catalog::care::Existing::kKeep;
  Output output = Output::kTable;
};
// kMisuse for a server: it says which program makes its backups.
[[nodiscard]] Exit store_backup(const options::Options& options, const StoreBackupOptions& wanted);

// `file` "-": standard output or input.
[[nodiscard]] Exit store_export(const options::Options& options, const std::string& file);

struct StoreImportOptions {
  std::string file = "-";
  catalog::care::Newer newer = catalog::care::Newer::kKeep;
  Output output = Output::kTable;
};
// kFailed when a line was refused.
[[nodiscard]] Exit store_import(const options::Options& options, const StoreImportOptions& wanted);

[[nodiscard]] std::string show_check(const catalog::care::CheckReport& report);
[[nodiscard]] std::string check_json(const catalog::care::CheckReport& report);
[[nodiscard]] std::string show_repair(const catalog::care::RepairReport& report,
                                      const catalog::care::RepairOptions& options);
[[nodiscard]] std::string repair_json(const catalog::care::RepairReport& report,
                                      const catalog::care::RepairOptions& options);
[[nodiscard]] std::string show_stats(const catalog::care::StoreFigures& figures);
[[nodiscard]] std::string stats_json(const catalog::care::StoreFigures& figures);

}  // namespace stompbox::verbs
