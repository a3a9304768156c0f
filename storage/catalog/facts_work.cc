#include "storage/catalog/facts_work.h"

#include <algorithm>
#include <string_view>

namespace stompbox::catalog {
namespace {

// Facts 4.5: the name is a Ruby Symbol, which ActiveRecord 2 stores as YAML.
bool is_masters_own(std::string_view name) {
  return name == "_timestamp" || name == "--- :_timestamp\n" || name == "--- :_timestamp";
}

}  // namespace

FactsWork::FactsWork(DatabaseSession& session, const FactsSave& save)
    : session_(session), facts_(*save.facts), arrival_(save.arrival), load_(session.load_facts) {}

void FactsWork::add_names(NameSets& wanted) const {
  for (const Fact& fact : facts_.facts) {
    if (!is_masters_own(fact.name) && !fact.values.empty()) wanted.facts.insert(fact.name);
  }
}

void FactsWork::plan() {
  epoch_ = session_.epoch();
  host_ = session_.hosts.find(node());
  stored_.clear();
  removed_.clear();
  new_.clear();
  const auto record = session_.nodes.find(node());
  if (record && is_superseded(arrival_, record->facts_arrival)) {
    status_ = SaveStatus::kSuperseded;
  } else if (!load()) {
    status_ = SaveStatus::kSkipped;
  } else {
    compare();
    const bool same = removed_.empty() && new_.empty();
    status_ = same ? SaveStatus::kUnchanged : SaveStatus::kStored;
  }
}

bool FactsWork::load() {
  if (host_.id == kNoRow) return true;
  bool ours = true;
  load_.bind(1, host_.id);
  while (load_.step()) {
    const std::int64_t id = load_.integer(0);
    const std::int64_t name_id = load_.integer(1);
    const auto name = session_.fact_names.name_of(name_id);
    if (name && is_masters_own(*name)) ours = false;
    if (session_.fact_names.standing(name_id) == kNoRow) {
      removed_.push_back(id);
    } else {
      stored_[name_id].push_back({id, std::string(load_.text(2))});
    }
  }
  return ours;
}

void FactsWork::compare() {
  for (const Fact& fact : facts_.facts) {
    if (is_masters_own(fact.name) || fact.values.empty()) continue;
    const auto at = stored_.find(session_.fact_names.id_of(fact.name));
    if (at == stored_.end()) {
      new_.push_back(&fact);
      continue;
    }
    if (std::ranges::equal(at->second, fact.values, {}, &Stored::value)) {
      stored_.erase(at);
    } else {
      new_.push_back(&fact);  // the stored rows go below
    }
  }
  for (const auto& [name_id, rows] : stored_) {
    for (const Stored& row : rows)
      removed_.push_back(row.id);
  }
}

void FactsWork::apply(std::string_view now) {
  if (host_.id == kNoRow) host_.id = session_.hosts.create(node(), now);
  NameSets names;
  for (const Fact* fact : new_)
    names.facts.insert(fact->name);
  session_.create_names(names, now);
  for (const std::int64_t id : removed_)
    session_.writer.remove_fact(id);
  for (const Fact* fact : new_)
    session_.writer.insert_fact(host_.id, *fact, now);
  session_.writer.flush(now);
  for (const Fact& fact : facts_.facts) {
    if (fact.name == "ipaddress" && !fact.values.empty() && host_.ip != fact.values.front()) {
      session_.hosts.set_ip(host_.id, now, fact.values.front());
    }
  }
  session_.nodes.put_facts(node(), arrival_, now);
  session_.set_unknown(node());  // the next catalog takes ip and environment from these
}

SaveOutcome FactsWork::outcome() const {
  SaveOutcome outcome;
  outcome.status = status_;
  if (status_ == SaveStatus::kSkipped) {
    outcome.warnings.push_back("the facts of " + node() +
                               " are written by a master itself (fact _timestamp): left alone");
  }
  return outcome;
}

}  // namespace stompbox::catalog
