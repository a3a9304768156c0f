#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/catalog/catalog.h"
#include "storage/result.h"

namespace stompbox::catalog::care {

// Everything that is kept of a node, as one line of JSON: what `store export` writes and `store
// import` reads. README.md has the form.
struct NodeLine {
  bool compiled = false;  // false: only facts have come of it
  Catalog catalog;        // texts in stored form; `environment` is empty where there is none
  NodeFacts facts;        // a master's own `_timestamp` is among them
  std::optional<std::string> ip, environment, last_compile;  // of `hosts`, as stored
};

// Without its newline. A text that is not UTF-8 stands as {"base64": "…"}.
[[nodiscard]] std::string to_json(const NodeLine& node);
// kInvalid with what is wrong: no JSON, another form, a member that is missing or of another kind.
[[nodiscard]] storage::Result<NodeLine> parse_node_line(std::string_view json);

}  // namespace stompbox::catalog::care
