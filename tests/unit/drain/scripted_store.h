#pragma once

#include <deque>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog/catalog_store.h"

namespace stompbox::drain {

// A catalog store that notes what it is given and answers as it is told.
class ScriptedStore final : public catalog::CatalogStore {
 public:
  struct Saved {
    std::string node;
    std::uint64_t number = 0;  // of the arrival
    std::size_t resource_count = 0;
    friend bool operator==(const Saved&, const Saved&) = default;
  };

  storage::Status open() override {
    ++opens;
    return open_status;
  }

  std::vector<catalog::SaveOutcome> save(std::span<const catalog::CatalogSave> saves) override {
    chunk_sizes.push_back(saves.size());
    std::vector<catalog::SaveOutcome> outcomes;
    for (const auto& one : saves) {
      outcomes.push_back(answer(one.arrival));
      arrival_stores.push_back(one.arrival.store);
      log.push_back("catalog " + one.catalog->node);
      catalogs.push_back({one.catalog->node, one.arrival.number, one.catalog->resources.size()});
    }
    return outcomes;
  }

  std::vector<catalog::SaveOutcome> save_facts(std::span<const catalog::FactsSave> saves) override {
    std::vector<catalog::SaveOutcome> outcomes;
    for (const auto& one : saves) {
      outcomes.push_back(answer(one.arrival));
      log.push_back("facts " + one.facts->node);
      facts.push_back({one.facts->node, one.arrival.number, one.facts->facts.size()});
    }
    return outcomes;
  }

  std::string description() const override { return "scripted store"; }

  void answer_with(std::uint64_t number, catalog::SaveStatus status, const std::string& text) {
    answers[number] = {status, {storage::ErrorCode::kBusy, text}, {}};
  }

  storage::Status open_status = storage::kOk;
  std::map<std::uint64_t, catalog::SaveOutcome> answers;  // by arrival; else kStored
  std::string throws;                                     // not empty: a save throws it

  int opens = 0;
  std::vector<Saved> catalogs, facts;  // in order of the calls
  std::vector<std::string> log;
  std::vector<std::string> arrival_stores;
  std::vector<std::size_t> chunk_sizes;

 private:
  catalog::SaveOutcome answer(const catalog::Arrival& arrival) {
    if (!throws.empty()) throw std::runtime_error(throws);
    const auto found = answers.find(arrival.number);
    if (found == answers.end()) return {};
    return found->second;
  }
};

inline std::string catalog_body(const std::string& node, const std::string& resources = "") {
  return R"({"document_type":"Catalog","data":{"name":")" + node +
         R"(","version":1,"environment":"production","resources":[)" + resources + "]}}";
}

inline std::string facts_body(const std::string& node) {
  return R"({"name":")" + node + R"(","values":{"kernel":"Linux"}})";
}

}  // namespace stompbox::drain
