#include "storage/catalog/care/twin_hosts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "storage/catalog/care/mend_writer.h"

namespace stompbox::catalog::care {
namespace {

std::int64_t newest_fact(const HostImage& host) {
  return host.facts.empty() ? kNoRow : host.facts.back().id;
}

// Whose catalog is the latest one; the oldest row where they are equal.
const HostImage& latest_catalog(const std::vector<HostImage>& hosts) {
  return *std::ranges::max_element(hosts, {}, [](const HostImage& host) {
    return std::tuple(host.last_compile.value_or(""), host.resources.size());
  });
}

const HostImage& latest_facts(const std::vector<HostImage>& hosts) {
  return *std::ranges::max_element(hosts, {}, newest_fact);
}

void give(SqlConnection& db, const std::string& table, std::int64_t from, std::int64_t to) {
  if (from == to) return;
  SqlStatement move(db, "UPDATE " + table + " SET host_id = ?2 WHERE host_id = ?1");
  move.bind(1, from).bind(2, to).run();
}

void keep_latest(SqlConnection& db, const std::vector<HostImage>& hosts, std::string_view now) {
  const HostImage& keeper = hosts.front();
  const HostImage& catalog = latest_catalog(hosts);
  const HostImage& facts = latest_facts(hosts);
  MendWriter writer(db);
  BulkDelete removed_facts(db, "fact_values", "host_id");
  for (const HostImage& host : hosts) {
    if (&host != &facts) removed_facts.add(host.id);
    if (&host == &catalog) continue;
    for (const HostImage::Resource& resource : host.resources)
      writer.remove_resource(resource.id);
  }
  writer.flush_removals();
  removed_facts.flush();
  give(db, "resources", catalog.id, keeper.id);
  give(db, "fact_values", facts.id, keeper.id);
  SqlStatement update(db,
                      "UPDATE hosts SET last_compile = ?2, ip = ?3, environment = ?4,"
                      " updated_at = ?5 WHERE id = ?1");
  update.bind(1, keeper.id)
      .bind_optional(2, catalog.last_compile)
      .bind_optional(3, catalog.ip ? catalog.ip : keeper.ip)
      .bind_optional(4, catalog.environment ? catalog.environment : keeper.environment)
      .bind(5, now)
      .run();
}

}  // namespace

std::vector<TwinIds> twin_hosts(const std::vector<HostName>& hosts) {
  std::map<std::string_view, TwinIds> by_name;
  for (const HostName& host : hosts)
    by_name[host.name].push_back(host.id);
  std::vector<TwinIds> twins;
  for (auto& [name, ids] : by_name) {
    if (ids.size() > 1) twins.push_back(std::move(ids));
  }
  return twins;
}

bool merge_twin_hosts(SqlConnection& db, HostImages& images, const TwinIds& ids,
                      std::string_view now) {
  std::vector<HostImage> hosts;
  for (const std::int64_t id : ids) {
    auto image = images.load(id);
    if (!image || (!hosts.empty() && image->name != hosts.front().name)) return false;
    hosts.push_back(std::move(*image));
  }
  keep_latest(db, hosts, now);
  BulkDelete removed(db, "hosts", "id");
  for (std::size_t i = 1; i < ids.size(); ++i)
    removed.add(ids[i]);
  removed.flush();
  return true;
}

}  // namespace stompbox::catalog::care
