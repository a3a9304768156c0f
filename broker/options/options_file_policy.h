#pragma once

#include <string>
#include <string_view>

#include <toml++/toml.h>

#include "broker/access/mistakes.h"
#include "broker/options/options.h"

// The list of [[policy]]: exceptions to [queues] and [topics] for destinations of a pattern.
namespace stompbox::options {

inline constexpr std::string_view kPolicySection = "policy";

// Replaces the policies of `options` by those of the list. A policy with a mistake is left out.
void apply_policies(Options& options, const toml::node& list, access::Mistakes& mistakes);

// As TOML that apply_policies reads back to the same.
void append_policies(std::string& out, const Options& options);

}  // namespace stompbox::options
