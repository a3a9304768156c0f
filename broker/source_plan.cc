#include "broker/source_plan.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace stompbox {
namespace {

using storage::Error;
using storage::ErrorCode;

// Arrivals of all drains are stamped with the time, so they compare.
constexpr const char* kClockIdentity = "stomp-clock";
// Larger messages cannot even be dead-lettered: they break the connection.
constexpr std::size_t kFrameBytesMin = 256 * 1024 * 1024;

// The first line.
storage::Result<std::string> read_passcode(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file.is_open() || !std::getline(file, line)) {
    return Error{ErrorCode::kNotFound, "the passcode file '" + path + "' cannot be read"};
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

storage::Result<std::string> find_passcode(const options::Options& options,
                                           const client::SourceUrl& url) {
  const drain::SourceOptions& source = options.source;
  if (!source.passcode_file.empty()) return read_passcode(source.passcode_file);
  if (!source.passcode.empty()) return source.passcode;
  if (!url.passcode.empty()) return url.passcode;
  const char* const passcode = std::getenv("STOMPBOX_PASSCODE");
  return std::string(passcode != nullptr ? passcode : "");
}

storage::Result<DrainStage::Parts> plan_stage(const options::Options& options,
                                              const client::SourceUrl& url) {
  const auto place = options::catalog_place(options);
  if (!place) return place.error();
  if (place->kind == catalog::PlaceKind::kNone) {
    return Error{ErrorCode::kInvalid, "the drain needs a database: name one with --catalog-store"};
  }
  DrainStage::Parts parts;
  parts.place = *place;
  parts.drain = options.drain;
  parts.drain.ledger_keys = drain::LedgerKeys::kBodies;
  parts.drain.catalog_queue = url.destination;
  parts.drain.facts_queue = options.source.facts;
  parts.store_identity = kClockIdentity;
  if (!options.ephemeral) parts.ledger_path = options.data_folder + "/crash-ledger";
  return parts;
}

}  // namespace

storage::Result<SourcePlan> plan_source(const options::Options& options) {
  const drain::SourceOptions& from = options.source;
  if (from.url.empty()) {
    return Error{ErrorCode::kInvalid,
                 "the drain needs a broker: --source stomp://user@host:61613/queue/catalog"};
  }
  auto url = client::parse_source_url(from.url);
  if (!url) return url.error();
  if (url->destination.empty()) url->destination = "/queue/" + options.drain.catalog_queue;
  if (url->destination == from.facts) {
    return Error{ErrorCode::kInvalid, "--source and --source-facts name the same queue"};
  }
  const auto passcode = find_passcode(options, *url);
  if (!passcode) return passcode.error();
  auto stage = plan_stage(options, *url);
  if (!stage) return stage.error();

  SourcePlan plan{{}, {}, std::move(*stage), *url};
  plan.source.brokers = url->brokers;
  plan.source.dialogue.virtual_host = from.virtual_host;
  plan.source.dialogue.login = from.user.empty() ? url->login : from.user;
  plan.source.dialogue.passcode = *passcode;
  plan.source.dialogue.beat = from.beat;
  plan.source.dialogue.limits = options.session.limits;
  plan.source.dialogue.limits.body_bytes_max =
      std::max(options.drain.read.message_bytes_max, kFrameBytesMin);
  plan.source.failover.most = from.retry_max;
  plan.source.dead_letters = from.dead_letters;
  plan.source.hold_max = from.hold_max;
  plan.source.held_bytes_max = options.drain.window_bytes;
  plan.trust = {from.tls_authorities, from.tls_certificate, from.tls_key};
  if (url->brokers.front().transport == client::Transport::kTls) {
    const auto tls = client::TlsClient::make(url->brokers.front().host, plan.trust);
    if (!tls) return tls.error();
  }
  return plan;
}

}  // namespace stompbox
