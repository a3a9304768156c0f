#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

// How the words of the command line become calls of the verbs. Only verbs_cli*.cc and a test
// include it.
namespace stompbox::verbs {

struct CliVerb {
  CLI::App* app = nullptr;
  std::function<int()> act;  // keeps alive what the App writes into; gives the exit code
};
using CliVerbs = std::vector<CliVerb>;

void add_server_verbs(CLI::App& app, CliVerbs& verbs);   // serve, drain, config, passwd
void add_message_verbs(CLI::App& app, CliVerbs& verbs);  // send, receive, bench
void add_broker_verbs(CLI::App& app, CliVerbs& verbs);   // status, queues, browse, ...
void add_store_verbs(CLI::App& app, CliVerbs& verbs);    // store, forget, unexport
void add_catalog_verbs(CLI::App& app, CliVerbs& verbs);  // nodes, resources, facts, diff

void add_bench(CLI::App& app, CliVerbs& verbs);  // a part of add_message_verbs

// Those that `app` takes, except hidden ones.
[[nodiscard]] std::vector<std::string> verb_names(const CLI::App& app);

}  // namespace stompbox::verbs
