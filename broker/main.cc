// Stompbox: a STOMP broker with built-in Puppet storeconfigs.
//
//   main.cc      starts here
//   verbs/       the command line: each verb, `serve` among them
//   faces/       the same under other brokers' names, with their flags and files
//   options/     what can be set: one table for file, flags and manual
//   drain_alone.h  `drain`: the drain stage by itself, at another broker
//   server.h     `serve`: builds everything below in order, runs it, stops it in order
//   net/         sockets: listeners, connections, deadlines, bounds on memory
//   session/     a peer's conversation; with protocol/, the STOMP codec
//   routing/     queues, topics, credit, acknowledgements
//   drain/       stores catalogs and facts; with storage/catalog, the database
//   storage/     queue/, the durable queues, and catalog/
//   control/     the local door for administration
//   access/ log/ users and their passcodes; the log

#include <string>
#include <string_view>
#include <vector>

#include "broker/faces/faces.h"
#include "broker/serve_as.h"
#include "broker/verbs/verbs.h"

int main(int argc, char** argv) {
  if (const auto face = stompbox::faces::find_face(argc > 0 ? argv[0] : "")) {
    return stompbox::serve_as(*face, std::vector<std::string>(argv + 1, argv + argc));
  }
  if (argc > 1 && std::string_view(argv[1]) == "puppetqd") {
    return stompbox::serve_as(stompbox::faces::Face::kPuppetqd,
                              std::vector<std::string>(argv + 2, argv + argc));
  }
  return stompbox::verbs::run(argc, argv);
}
