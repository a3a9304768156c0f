#pragma once

#include <span>
#include <string>

#include "broker/faces/plan.h"

namespace stompbox::faces {

// Who runs it: decides where Puppet's files are.
struct PuppetUser {
  bool root = false;
  std::string home;     // of anybody else
  bool syslog = false;  // this machine has a system log
};
[[nodiscard]] PuppetUser this_user();

// The drain stage in puppetqd's place (facts 6.1, 6.2): its flags, and any setting of Puppet as a
// long option; then puppet.conf, which is read here.
[[nodiscard]] Outcome plan_puppetqd(std::span<const std::string> words,
                                    const std::string& current_folder, const PuppetUser& user);

}  // namespace stompbox::faces
