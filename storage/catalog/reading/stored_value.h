#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/reading/pson_node.h"
#include "storage/catalog/reading/pson_text.h"

namespace stompbox::catalog::reading {

enum class SensitivePolicy { kWithhold, kStore };

// Who reads the text back: for parameters a reader takes a line that starts with "--- " for YAML
// (facts 5.1), for facts nothing is looked into.
enum class TextRule { kParameter, kFact };

// What stands in a structure where a nested Sensitive was.
inline constexpr std::string_view kWithheld = "Sensitive [value redacted]";

// A number as Ruby prints it: integers digit by digit, floats shortest ("1.5", "1000.0",
// "1.0e+20").
[[nodiscard]] std::string number_text(std::string_view number);

// Whether a reader would take the text for YAML, or no text column can be trusted with it (NUL).
[[nodiscard]] bool needs_yaml(std::string_view text);

// A double-quoted scalar on one line that YAML 1.1 readers and JSON readers read alike.
void append_quoted(std::string& out, std::string_view text);

// Values of messages in the form of the tables (facts 4.3 "Our writer", rich data of 8.4).
class StoredValues {
 public:
  StoredValues(PsonText& text, SensitivePolicy sensitive) : text_(text), sensitive_(sensitive) {}

  // The rows of one parameter or fact, in order; none where nothing is to be stored.
  [[nodiscard]] std::vector<std::string> rows(const PsonNode& value, TextRule rule);
  // A scalar as text. Not for containers.
  [[nodiscard]] std::string scalar(const PsonNode& value);

 private:
  void add_row(const PsonNode& value, TextRule rule, std::vector<std::string>& rows);
  void append_flow(std::string& out, const PsonNode& value);
  void append_array(std::string& out, const PsonNode& array);
  void append_object(std::string& out, const PsonNode& object);
  void append_pairs(std::string& out, const PsonNode& pairs);
  void append_key(std::string& out, const PsonNode& key);
  std::string key_text(const PsonNode& key);

  PsonText& text_;
  const SensitivePolicy sensitive_;
};

}  // namespace stompbox::catalog::reading
