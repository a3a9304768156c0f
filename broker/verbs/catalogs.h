#pragma once

#include <string>
#include <vector>

#include "broker/options/options.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"
#include "storage/catalog/catalog_reader.h"

// Verbs that read the catalog database, whether a broker runs or not.
namespace stompbox::verbs {

[[nodiscard]] Exit nodes(const options::Options& options, Output output);
// The type in `query` may be written in lower case.
[[nodiscard]] Exit resources(const options::Options& options, catalog::ResourceQuery query,
                             Output output);
[[nodiscard]] Exit facts(const options::Options& options, const std::string& node, Output output);

[[nodiscard]] std::string show_nodes(const std::vector<catalog::NodeRow>& rows);
[[nodiscard]] std::string nodes_json(const std::vector<catalog::NodeRow>& rows);
[[nodiscard]] std::string show_resources(const std::vector<catalog::ResourceRow>& rows);
[[nodiscard]] std::string resources_json(const std::vector<catalog::ResourceRow>& rows);
[[nodiscard]] std::string show_facts(const std::vector<catalog::FactRow>& rows);
[[nodiscard]] std::string facts_json(const std::vector<catalog::FactRow>& rows);

// "apache::vhost" as the database has it: "Apache::Vhost" (rule 2).
[[nodiscard]] std::string capitalise_type(std::string type);
// "name=value"; kInvalid without an equals sign or a name.
[[nodiscard]] storage::Result<std::pair<std::string, std::string>> parse_parameter(
    const std::string& text);

}  // namespace stompbox::verbs
