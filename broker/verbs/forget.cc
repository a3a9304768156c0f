#include "broker/verbs/forget.h"

#include <filesystem>
#include <utility>

#include "broker/control/json.h"
#include "broker/verbs/ask_broker.h"
#include "broker/verbs/care_watch.h"
#include "broker/verbs/database.h"
#include "broker/verbs/table.h"
#include "storage/catalog/care/forget.h"
#include "storage/catalog/care/host_mend.h"
#include "storage/queue/leveldb_open.h"
#include "storage/queue/message.h"

namespace stompbox::verbs {
namespace {

using catalog::care::Forgotten;
using catalog::care::SilentNode;
using catalog::care::Unexported;
using control::Json;
using storage::ErrorCode;
using storage::Result;

constexpr std::size_t kSilentMax = 100'000;

ArrivalMark unknown(std::string why) {
  return {std::nullopt, std::move(why)};
}

// The queues of a broker that does not run: opening them begins a new epoch, beyond all that is
// there.
ArrivalMark mark_in_queues(const options::Options& options) {
  const std::string folder = options::queue_folder(options);
  std::error_code ignored;
  if (folder.empty() || !std::filesystem::exists(folder + "/CURRENT", ignored)) {
    return unknown("there are no queues in " + options.data_folder);
  }
  queue::StoreOptions store_options = options.store;
  store_options.path = folder;
  const auto store = queue::open_leveldb_store(store_options);
  if (!store) return unknown(store.error().text);
  const queue::StoreState& state = (*store)->state();
  return {catalog::Arrival{state.identity, queue::MessageId::make(state.epoch, 0).value}, {}};
}

ArrivalMark mark_of_broker(const rapidjson::Value& ok) {
  const std::string store = text_in(ok, "store");
  if (store.empty()) return unknown("its messages come from another broker");
  return {catalog::Arrival{store, number_in(ok, "newest")}, {}};
}

// As Puppet lower-cases it; and as it is written, for a node that somebody has stored so.
std::vector<std::string> spellings(const std::string& node) {
  std::vector<std::string> names = {catalog::care::lower_case(node)};
  if (names.front() != node) names.push_back(node);
  return names;
}

void warn_of(const ArrivalMark& mark) {
  if (mark.arrival) return;
  complain("what waits in a queue cannot be told from what will come (" + mark.unknown +
           "): a catalog that waits there brings its node back");
}

// What was done to a node, under all spellings of its name.
template <typename Done>
struct Row {
  std::string node;
  Done done;
};

void write_done(Json& json, const Forgotten& done) {
  json.field("resources", done.resources).field("facts", done.facts);
}

void write_done(Json& json, const Unexported& done) {
  json.field("absent", done.resources).field("left", done.others);
}

std::string show_done(const Forgotten& done) {
  return " forgotten: " + counted(done.resources, "resource") + ", " + counted(done.facts, "fact");
}

std::string show_done(const Unexported& done) {
  const std::string text = ": " + counted(done.resources, "exported resource") + " absent now";
  if (done.others == 0) return text;
  return text + ", " + std::to_string(done.others) + " left, whose types have no ensure";
}

template <typename Done>
std::string rows_json(const std::vector<Row<Done>>& rows, const ArrivalMark& mark) {
  Json json;
  json.begin_object().field("marked", mark.arrival.has_value()).key("nodes").begin_array();
  for (const Row<Done>& row : rows) {
    json.begin_object().field("name", row.node).field("found", row.done.hosts > 0);
    write_done(json, row.done);
    json.end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

template <typename Done>
std::string show_rows(const std::vector<Row<Done>>& rows) {
  std::string text;
  for (const Row<Done>& row : rows) {
    if (row.done.hosts > 0) text += printable(row.node) + show_done(row.done) + "\n";
  }
  return text;
}

void add(Forgotten& sum, const Forgotten& more) {
  sum.hosts += more.hosts;
  sum.resources += more.resources;
  sum.facts += more.facts;
}

void add(Unexported& sum, const Unexported& more) {
  sum.hosts += more.hosts;
  sum.resources += more.resources;
  sum.others += more.others;
}

// What a verb does to one node.
template <typename Done>
using NodeChange = Result<Done> (*)(catalog::SqlConnection&, const std::string&,
                                    const std::optional<catalog::Arrival>&);

template <typename Done>
Result<Row<Done>> change_one(catalog::SqlConnection& db, const std::string& node,
                             NodeChange<Done> change, const ArrivalMark& mark) {
  Row<Done> row{node, {}};
  for (const std::string& name : spellings(node)) {
    const auto done = change(db, name, mark.arrival);
    if (!done) return done.error();
    add(row.done, *done);
  }
  return row;
}

template <typename Done>
Exit change_named(const options::Options& options, const std::vector<std::string>& nodes,
                  NodeChange<Done> change, Output output) {
  const auto db = connect_database(options, catalog::ConnectionUse::kWrite);
  if (!db) return fail(db.error());
  const ArrivalMark mark = find_mark(options);
  std::vector<Row<Done>> rows;
  bool all_found = true;
  for (const std::string& node : nodes) {
    auto row = change_one(**db, node, change, mark);
    if (!row) complain(row.error().text);
    if (row && row->done.hosts == 0) complain(no_such_node(node).text);
    all_found = all_found && row && row->done.hosts > 0;
    if (!row) continue;
    rows.push_back(std::move(*row));
  }
  warn_of(mark);
  print(output == Output::kJson ? rows_json(rows, mark) : show_rows(rows));
  return all_found ? Exit::kDone : Exit::kFailed;
}

std::string silent_json(const std::vector<SilentNode>& nodes, const ForgetOptions& wanted) {
  Json json;
  json.begin_object().field("forgotten", !wanted.dry_run).key("nodes").begin_array();
  for (const SilentNode& node : nodes) {
    json.begin_object().field("name", node.name).field("last_seen", node.last_seen).end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

std::string show_silent(const std::vector<SilentNode>& nodes, const ForgetOptions& wanted) {
  if (nodes.empty()) return "No node has been silent for so long.\n";
  Table table({{"NODE"}, {"LAST SEEN"}});
  for (const SilentNode& node : nodes)
    table.add({node.name, node.last_seen});
  return table.text() + counted(nodes.size(), "node") +
         (wanted.dry_run ? " would be forgotten\n" : " forgotten\n");
}

// Leaves in `nodes` those that were forgotten: who is not silent any more when it is his turn is
// left, and so is who makes an error, which is told; the last is returned.
storage::Status forget_each(catalog::SqlConnection& db, std::vector<SilentNode>& nodes,
                            Output output) {
  CareProgress progress("forgetting", output);
  catalog::care::LockPause pause(progress);
  std::vector<SilentNode> forgotten;
  storage::Status status = storage::kOk;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    progress.on_progress("nodes", i, nodes.size());
    pause.begin();
    const auto done = catalog::care::forget_silent(db, nodes[i]);
    pause.end();
    if (!done) complain(done.error().text);
    if (!done) status = done.error();
    if (done && done->hosts > 0) forgotten.push_back(nodes[i]);
  }
  nodes = std::move(forgotten);
  return status;
}

// What waits in a queue is not marked: a node with a message there is not silent.
Exit forget_all_silent(const options::Options& options, const ForgetOptions& wanted) {
  const auto db = connect_database(
      options, wanted.dry_run ? catalog::ConnectionUse::kRead : catalog::ConnectionUse::kWrite);
  if (!db) return fail(db.error());
  const auto silent_for = std::chrono::ceil<std::chrono::seconds>(*wanted.silent_for);
  auto nodes =
      catalog::care::silent_nodes(**db, silent_for, std::chrono::system_clock::now(), kSilentMax);
  if (!nodes) return fail(nodes.error());
  storage::Status status = storage::kOk;
  if (!wanted.dry_run) status = forget_each(**db, *nodes, wanted.output);
  print(wanted.output == Output::kJson ? silent_json(*nodes, wanted) : show_silent(*nodes, wanted));
  return status ? Exit::kDone : Exit::kFailed;
}

}  // namespace

ArrivalMark find_mark(const options::Options& options) {
  if (options::control_socket_path(options).empty()) {
    return options.ephemeral ? unknown("an ephemeral broker has no control socket")
                             : mark_in_queues(options);
  }
  const auto answer = ask_broker(options, R"({"verb":"newest"})");
  if (answer) return mark_of_broker(answer->ok());
  if (answer.error().code == ErrorCode::kUnavailable) return mark_in_queues(options);
  return unknown(answer.error().text);
}

Exit forget(const options::Options& options, const ForgetOptions& wanted) {
  if (wanted.nodes.empty() != wanted.silent_for.has_value()) {
    return fail({ErrorCode::kInvalid, "name the nodes, or say --all-silent-for TIME"});
  }
  if (wanted.dry_run && !wanted.silent_for) {
    return fail({ErrorCode::kInvalid, "--dry-run belongs to --all-silent-for"});
  }
  if (wanted.silent_for) return forget_all_silent(options, wanted);
  return change_named<Forgotten>(options, wanted.nodes, catalog::care::forget_node, wanted.output);
}

Exit unexport(const options::Options& options, const std::vector<std::string>& nodes,
              Output output) {
  return change_named<Unexported>(options, nodes, catalog::care::unexport_node, output);
}

}  // namespace stompbox::verbs
