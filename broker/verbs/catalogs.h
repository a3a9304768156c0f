#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"
#include "storage/catalog/catalog_reader.h"

// Verbs that read the catalog database, whether a broker runs or not.
namespace stompbox::verbs {

// The table ends with what waits at the broker, if one runs.
[[nodiscard]] Exit nodes(const options::Options& options, Output output);
// The type in `query` may be written in lower case.
[[nodiscard]] Exit resources(const options::Options& options, catalog::ResourceQuery query,
                             Output output);
[[nodiscard]] Exit facts(const options::Options& options, const std::string& node, Output output);
// Who has this fact; `wanted` is NAME or NAME=VALUE.
[[nodiscard]] Exit find_facts(const options::Options& options, const std::string& wanted,
                              Output output);
[[nodiscard]] Exit diff(const options::Options& options, const std::string& node, Output output);

// Ages are those at `now_ms`, of the wall clock.
[[nodiscard]] std::string show_nodes(const std::vector<catalog::NodeRow>& rows,
                                     std::int64_t now_ms);
[[nodiscard]] std::string nodes_json(const std::vector<catalog::NodeRow>& rows,
                                     std::int64_t now_ms);
[[nodiscard]] std::string show_resources(const std::vector<catalog::ResourceRow>& rows);
[[nodiscard]] std::string resources_json(const std::vector<catalog::ResourceRow>& rows);
[[nodiscard]] std::string show_facts(const std::vector<catalog::FactRow>& rows);
[[nodiscard]] std::string facts_json(const std::vector<catalog::FactRow>& rows);
[[nodiscard]] std::string show_found_facts(const std::vector<catalog::NodeFactRow>& rows);
[[nodiscard]] std::string found_facts_json(const std::vector<catalog::NodeFactRow>& rows);
[[nodiscard]] std::string show_changes(const std::string& node, const catalog::ChangesRow& row,
                                       std::int64_t now_ms);
[[nodiscard]] std::string changes_json(const std::string& node, const catalog::ChangesRow& row);

// "apache::vhost" as the database has it: "Apache::Vhost" (rule 2).
[[nodiscard]] std::string capitalise_type(std::string type);
// "name=value" or "name!=value"; kInvalid without an equals sign or a name.
[[nodiscard]] storage::Result<catalog::ParameterTest> parse_parameter(const std::string& text);
// Of "2026-01-31 14:05:09" in local time, as the tables have it; nothing of any other text.
[[nodiscard]] std::optional<std::int64_t> unix_ms_of(const std::string& stored_time);

}  // namespace stompbox::verbs
