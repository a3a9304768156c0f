#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/control/json.h"

namespace stompbox::verbs {

// A member that is a list of texts.
inline void write_texts(control::Json& json, std::string_view name,
                        const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts)
    json.value(text);
  json.end_array();
}

}  // namespace stompbox::verbs
