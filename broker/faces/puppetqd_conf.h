#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "storage/result.h"

// puppet.conf as puppetqd reads it (facts 6.1, 6.2), and the values of its settings.
namespace stompbox::faces {

// Section, then setting. What stands before the first section is of [main].
using PuppetConf = std::map<std::string, std::map<std::string, std::string>, std::less<>>;

// `#` begins a comment at the begin of a line; lines may be indented; what Puppet says of a file in
// braces behind its path, `{owner = root}`, is left out. kInvalid names the line.
[[nodiscard]] storage::Result<PuppetConf> read_puppet_conf(std::string_view text,
                                                           const std::string& source);

// A setting's value: the command line's, that of [puppetqd], [user] or [main], or the default.
// `$name` and `${name}` in it are values of other settings.
class PuppetSettings {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;

  PuppetSettings(Values defaults, Values command_line);
  void take_conf(PuppetConf conf) { conf_ = std::move(conf); }

  // Empty if nobody says anything. kInvalid for a name in it that is no setting, or a circle.
  [[nodiscard]] storage::Result<std::string> value(std::string_view name) const;
  // Whether anything but the default says it.
  [[nodiscard]] bool is_set(std::string_view name) const;
  // Settings of those that a section has and that puppetqd does not see.
  [[nodiscard]] std::set<std::string> hidden_in(std::string_view section,
                                                const std::set<std::string>& names) const;

 private:
  [[nodiscard]] const std::string* find_said(std::string_view name) const;
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] storage::Result<std::string> filled(std::string_view text, int depth) const;

  const Values defaults_;
  const Values command_line_;
  PuppetConf conf_;
};

}  // namespace stompbox::faces
