#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What a queued catalog or facts message means to the storeconfigs tables, in stored form.
namespace stompbox::catalog {

// Values in the form of the tables: one row an array element, in order (rule 8 of facts 5.4);
// nested values as "--- " and a flow value (rule 9); texts that a reader would take for YAML quoted
// (rule 10).
struct Parameter {
  std::string name;
  std::vector<std::string> values;  // never empty: what has no row is left out

  friend bool operator==(const Parameter&, const Parameter&) = default;
};

struct Resource {
  std::string type;  // capitalised per segment (rule 2)
  std::string title;
  bool exported = false;
  std::optional<std::int64_t> line;
  std::optional<std::string> file;
  std::vector<Parameter> parameters;  // names unique
  std::vector<std::string> tags;      // lower case, unique (rule 12)

  friend bool operator==(const Resource&, const Resource&) = default;
};

struct Catalog {
  std::string node;                 // certname: hosts.name, exactly
  std::string environment;          // empty: the message has none
  std::vector<Resource> resources;  // (type, title) unique: the last of a pair has won (rule 5)
  // 16 bytes over the message's own resource bytes, reader version and options: equal digests mean
  // equal stored rows. Different digests mean nothing (Ruby 1.8 shuffles its hashes).
  std::string digest;
  std::vector<std::string> warnings;  // what was mended or left out, for the log; at most a few
};

struct Fact {
  std::string name;
  std::vector<std::string> values;
};

struct NodeFacts {
  std::string node;
  std::vector<Fact> facts;
  std::string timestamp;  // as in the message, may be empty
  std::vector<std::string> warnings;
};

}  // namespace stompbox::catalog
