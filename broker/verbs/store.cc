#include "broker/verbs/store.h"

#include <string_view>

#include "broker/control/json.h"
#include "broker/verbs/care_watch.h"
#include "broker/verbs/database.h"
#include "broker/verbs/json_texts.h"
#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

using catalog::care::Findings;
using catalog::care::Mending;
using control::Json;

std::string_view remedy_of(Mending mending) {
  switch (mending) {
    case Mending::kRepair: return "'stompbox store repair' mends it";
    case Mending::kMergeNames:
      return "'stompbox store repair --merge-names --apply' ends it, with all masters stopped";
    case Mending::kByHand: break;
  }
  return "to be mended by hand";
}

std::string_view word_of(Mending mending) {
  return mending == Mending::kRepair       ? "repair"
         : mending == Mending::kMergeNames ? "merge-names"
                                           : "by-hand";
}

enum class Remedies : std::uint8_t { kShown, kHidden };

std::string show_findings(const Findings& findings, Remedies remedies) {
  std::string text;
  for (const auto& [rule, finding] : findings.by_rule()) {
    const catalog::care::CheckRuleText& rule_text = catalog::care::text_of(rule);
    text += std::string(rule_text.name) + ": " + std::to_string(finding.count) + " " +
            std::string(rule_text.what) + "\n";
    if (remedies == Remedies::kShown) {
      text += "  (" + std::string(rule_text.breaks) + "; " +
              std::string(remedy_of(rule_text.mending)) + ")\n";
    }
    for (const std::string& example : finding.examples)
      text += "  " + printable(shorten(example, 110)) + "\n";
    if (finding.count > finding.examples.size() && !finding.examples.empty()) text += "  ...\n";
  }
  return text;
}

void write_findings(Json& json, const Findings& findings) {
  json.key("findings").begin_array();
  for (const auto& [rule, finding] : findings.by_rule()) {
    const catalog::care::CheckRuleText& text = catalog::care::text_of(rule);
    json.begin_object()
        .field("rule", text.name)
        .field("contract", text.contract)
        .field("count", finding.count)
        .field("what", text.what)
        .field("breaks", text.breaks)
        .field("mended_by", word_of(text.mending));
    json.key("examples").begin_array();
    for (const std::string& example : finding.examples)
      json.value(example);
    json.end_array().end_object();
  }
  json.end_array();
}

std::string average(std::uint64_t sum, std::uint64_t count) {
  if (count == 0) return "-";
  const std::uint64_t tenths = sum * 10 / count;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

std::string show_check(const catalog::care::CheckReport& report) {
  std::string text = show_findings(report.findings, Remedies::kShown);
  for (const std::string& remark : report.remarks)
    text += "remark: " + remark + "\n";
  text += counted(report.hosts, "node") + " with " + counted(report.resources, "resource") + ": ";
  const std::size_t broken = report.findings.by_rule().size();
  return text + (broken == 0
                     ? "all rules hold\n"
                     : counted(broken, "rule") + (broken == 1 ? " is" : " are") + " broken\n");
}

std::string check_json(const catalog::care::CheckReport& report) {
  Json json;
  json.begin_object().field("nodes", report.hosts).field("resources", report.resources);
  write_findings(json, report.findings);
  write_texts(json, "remarks", report.remarks);
  return json.end_object().text() + "\n";
}

Exit store_check(const options::Options& options, const StoreCheckOptions& wanted) {
  const auto db = connect_database(options, catalog::ConnectionUse::kRead);
  if (!db) return fail(db.error());
  const auto report = [&] {
    CareProgress progress("checking", wanted.output);
    return catalog::care::check_database(**db, {wanted.examples_max}, progress);
  }();
  if (!report) return fail(report.error());
  print(wanted.output == Output::kJson ? check_json(*report) : show_check(*report));
  return report->findings.empty() ? Exit::kDone : Exit::kFailed;
}

std::string show_repair(const catalog::care::RepairReport& report,
                        const catalog::care::RepairOptions& options) {
  const bool applied = options.mode == catalog::care::RepairMode::kApply;
  std::string text = show_findings(report.findings, Remedies::kHidden);
  for (const std::string& statement : report.widenings)
    text += (applied ? "done: " : "would be done: ") + statement + "\n";
  if (options.thin) {
    text += counted(report.thinned, "resource") + " that " + (report.thinned == 1 ? "is" : "are") +
            " not exported " + (applied ? "deleted\n" : "would be deleted\n");
  }
  if (report.names_deleted > 0) {
    text += counted(report.names_deleted, "row") + " of names deleted\n";
  }
  if (report.names_left > 0) {
    text += counted(report.names_left, "row") +
            " of names left: with all masters stopped, 'stompbox store repair --merge-names "
            "--apply' deletes what nothing uses\n";
  }
  const bool nothing = report.findings.empty() && report.thinned == 0 && report.widenings.empty();
  if (nothing) return text + "Nothing is to be mended.\n";
  if (!report.findings.empty()) {
    text += counted(report.rows, "row") + " of " + counted(report.hosts, "node") +
            (applied ? " mended" : " would be mended") + ", beside lost rows\n";
  }
  return text +
         (applied ? "The longest lock was " + std::to_string(report.longest_lock.count()) + " ms.\n"
                  : "Say --apply to do it.\n");
}

std::string repair_json(const catalog::care::RepairReport& report,
                        const catalog::care::RepairOptions& options) {
  Json json;
  json.begin_object()
      .field("applied", options.mode == catalog::care::RepairMode::kApply)
      .field("nodes", report.hosts)
      .field("rows", report.rows)
      .field("thinned", report.thinned)
      .field("names_left", report.names_left)
      .field("names_deleted", report.names_deleted)
      .field("longest_lock_ms", report.longest_lock.count());
  write_findings(json, report.findings);
  write_texts(json, "widenings", report.widenings);
  return json.end_object().text() + "\n";
}

Exit store_repair(const options::Options& options, const StoreRepairOptions& wanted) {
  const bool dry = wanted.repair.mode == catalog::care::RepairMode::kDryRun;
  const auto db = connect_database(
      options, dry ? catalog::ConnectionUse::kRead : catalog::ConnectionUse::kWrite);
  if (!db) return fail(db.error());
  if (wanted.repair.widen && (*db)->dialect().kind == catalog::SqlKind::kSqlite) {
    return fail({storage::ErrorCode::kInvalid,
                 "--widen is for MySQL and MariaDB: texts of SQLite have no limit"});
  }
  const auto report = [&] {
    CareProgress progress(dry ? "checking" : "repairing", wanted.output);
    return catalog::care::repair_database(**db, wanted.repair, progress);
  }();
  if (!report) return fail(report.error());
  print(wanted.output == Output::kJson ? repair_json(*report, wanted.repair)
                                       : show_repair(*report, wanted.repair));
  return Exit::kDone;
}

std::string show_stats(const catalog::care::StoreFigures& figures) {
  Table tables({{"TABLE"},
                {"ROWS", Align::kRight},
                {"A NODE", Align::kRight},
                {"BYTES", Align::kRight},
                {"IN USE BY NOTHING", Align::kRight}});
  for (const catalog::care::TableFigures& table : figures.tables) {
    tables.add({table.name, std::to_string(table.rows), average(table.rows, figures.nodes),
                table.bytes ? show_bytes(*table.bytes) : "-",
                table.unused ? std::to_string(*table.unused) : "-"});
  }
  Table biggest({{"NODE"}, {"RESOURCES", Align::kRight}, {"VALUES", Align::kRight}});
  for (const catalog::care::NodeFigures& node : figures.biggest)
    biggest.add({node.name, std::to_string(node.resources), std::to_string(node.values)});
  std::string text = tables.text() + "\n" + counted(figures.nodes, "node") + ", " +
                     show_bytes(figures.bytes) + " (" + show_bytes(figures.free_bytes) + " free)";
  if (figures.nodes > 0) text += ", " + show_bytes(figures.bytes / figures.nodes) + " a node";
  text += "\n";
  return biggest.empty() ? text : text + "\n" + biggest.text();
}

std::string stats_json(const catalog::care::StoreFigures& figures) {
  Json json;
  json.begin_object()
      .field("nodes", figures.nodes)
      .field("bytes", figures.bytes)
      .field("free_bytes", figures.free_bytes);
  json.key("tables").begin_array();
  for (const catalog::care::TableFigures& table : figures.tables) {
    json.begin_object()
        .field("name", table.name)
        .field("rows", table.rows)
        .field("bytes", table.bytes)
        .field("unused", table.unused)
        .end_object();
  }
  json.end_array().key("biggest").begin_array();
  for (const catalog::care::NodeFigures& node : figures.biggest) {
    json.begin_object()
        .field("name", node.name)
        .field("resources", node.resources)
        .field("values", node.values)
        .end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

Exit store_stats(const options::Options& options, Output output) {
  constexpr std::size_t kBiggest = 10;
  const auto db = connect_database(options, catalog::ConnectionUse::kRead);
  if (!db) return fail(db.error());
  const auto figures = [&] {
    CareProgress progress("counting", output);
    return catalog::care::figures_of(**db, kBiggest, progress);
  }();
  if (!figures) return fail(figures.error());
  print(output == Output::kJson ? stats_json(*figures) : show_stats(*figures));
  return Exit::kDone;
}

}  // namespace stompbox::verbs
