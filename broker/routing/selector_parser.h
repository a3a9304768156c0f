#pragma once

#include <string_view>

#include "broker/routing/selector_tree.h"
#include "storage/result.h"

namespace stompbox::routing {

// Reads a selector and checks that texts, numbers and conditions stand where they may. kInvalid
// with a sentence that says where and what was expected.
//
//   condition   = conjunction *("OR" conjunction)
//   conjunction = negation *("AND" negation)
//   negation    = ["NOT"] predicate
//   predicate   = sum [("=" | "<>" | "<" | "<=" | ">" | ">=") sum
//                      | "IS" ["NOT"] "NULL"
//                      | ["NOT"] "BETWEEN" sum "AND" sum
//                      | ["NOT"] "IN" "(" literal *("," literal) ")"
//                      | ["NOT"] "LIKE" text ["ESCAPE" character]]
//   sum         = product *(("+" | "-") product)
//   product     = signed *(("*" | "/") signed)
//   signed      = *("+" | "-") (literal | name | "(" condition ")")
[[nodiscard]] storage::Result<SelectorTree> parse_selector(std::string_view text);

}  // namespace stompbox::routing
