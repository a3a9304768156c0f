#include "storage/catalog/care/check.h"

#include <map>
#include <string_view>

#include "storage/catalog/care/host_image.h"
#include "storage/catalog/care/host_mend.h"
#include "storage/catalog/care/lost_rows.h"
#include "storage/catalog/care/name_image.h"
#include "storage/catalog/reading/pson_text.h"
#include "storage/utf8.h"

namespace stompbox::catalog::care {
namespace {

using storage::Result;

// What names and the rows of hosts say by themselves.
void check_names(NameImage& names, Findings& findings) {
  for (const NameImage::Twin& twin : names.twins()) {
    findings.add(CheckRule::kTwinNames, names.table() + ": " + twin.name + " (id " +
                                            std::to_string(twin.id) + " beside " +
                                            std::to_string(twin.oldest) + ")");
  }
  const bool nulls = names.table() != "source_files";  // there NULL stands for no file
  for (const auto& [id, row] : names.rows()) {
    const std::string where = names.table() + " id " + std::to_string(id);
    if (row.is_null && nulls) findings.add(CheckRule::kTwinNames, where + ": NULL");
    if (!storage::is_utf8(row.name)) {
      findings.add(CheckRule::kForeignBytesInNames, where);
    }
  }
}

void check_twin_hosts(const std::vector<HostName>& hosts, Findings& findings) {
  std::map<std::string_view, std::int64_t> first;
  for (const HostName& host : hosts) {
    const auto [at, fresh] = first.try_emplace(host.name, host.id);
    if (fresh) continue;
    findings.add(CheckRule::kTwinHosts, host.name + " (id " + std::to_string(host.id) + " beside " +
                                            std::to_string(at->second) + ")");
  }
}

void check_hosts(SqlConnection& db, const std::vector<HostName>& hosts, NameImages& names,
                 CheckReport& report, CareWatch& watch) {
  HostImages images(db);
  for (const HostName& host : hosts) {
    watch.on_progress("hosts", report.hosts, hosts.size());
    const auto image = images.load(host.id);
    if (!image) continue;
    ++report.hosts;
    report.resources += image->resources.size();
    report.findings.add(
        mend_host(*image, names, db.dialect(), report.findings.examples_max()).findings);
    if (db.failed()) return;
  }
}

}  // namespace

Result<CheckReport> check_database(SqlConnection& db, const CheckOptions& options,
                                   CareWatch& watch) {
  CheckReport report;
  report.findings = Findings(options.examples_max);
  check_setup(db, report);
  NameImages names(db);
  names.load();
  for (NameImage* image : {&names.parameters, &names.tags, &names.files, &names.facts})
    check_names(*image, report.findings);
  const std::vector<HostName> hosts = host_names(db);
  check_twin_hosts(hosts, report.findings);
  check_hosts(db, hosts, names, report, watch);
  for (const LostRows& lost : all_lost_rows())
    find_lost_rows(db, lost, report.findings, watch);
  if (const auto status = take_failure(db); !status) return status.error();
  return report;
}

}  // namespace stompbox::catalog::care
