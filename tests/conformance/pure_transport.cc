#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/conformance/transport.h"
#include "tests/unit/session/pure_broker.h"

namespace stompbox::conformance {
namespace {

using testing::PureBroker;

class PureConnection final : public Connection {
 public:
  explicit PureConnection(PureBroker& broker) : broker_(broker), peer_(&broker.open()) {}

  void send(const std::string& bytes) override {
    if (peer_ == nullptr || peer_->session.done()) return;
    peer_->feed(bytes);
    broker_.settle();
  }
  void end_sending() override {
    peer_->end_input();
    broker_.settle();
  }
  void drop() override {
    peer_->io_error();
    broker_.settle();
    broker_.close(*peer_);
    broker_.settle();
    peer_ = nullptr;
  }
  bool receive(std::string& bytes, std::chrono::milliseconds /*patience*/) override {
    if (peer_ == nullptr) return false;
    const std::string taken = peer_->take();
    bytes += taken;
    return !taken.empty();
  }
  bool wait_for_close(std::string& bytes) override {
    constexpr std::chrono::seconds kFair(10);
    broker_.pass(kFair);
    (void)receive(bytes, {});
    return peer_ == nullptr || peer_->session.done();
  }

 private:
  PureBroker& broker_;
  PureBroker::Peer* peer_;
};

// Refuses what a case names, wherever a destination begins like it.
class Denials final : public session::Rights {
 public:
  explicit Denials(std::vector<std::string> denied) : denied_(std::move(denied)) {}

  [[nodiscard]] bool allows(const session::Wish& wish) const override {
    const routing::Destination destination{
        wish.destination.kind, std::string(wish.destination.name), wish.destination.has_wildcards};
    const std::string wanted = word_of(wish.operation) + " " + routing::to_text(destination);
    return std::none_of(denied_.begin(), denied_.end(), [&wanted](const std::string& denied) {
      return wanted.starts_with(denied);
    });
  }

 private:
  static std::string word_of(session::Operation operation) {
    switch (operation) {
      case session::Operation::kRead: return "read";
      case session::Operation::kWrite: return "write";
      case session::Operation::kCreate: return "create";
      case session::Operation::kBrowse: return "browse";
      case session::Operation::kManage: return "manage";
    }
    return "";
  }

  const std::vector<std::string> denied_;
};

const routing::Profile& profile_of(const Case& conformance_case) {
  const routing::Profile* const found = routing::find_profile(conformance_case.profile);
  if (found == nullptr) throw std::runtime_error("no profile " + conformance_case.profile);
  return *found;
}

struct Settings {
  session::SessionOptions session;
  routing::RoutingOptions routing;
};

void keep_for_slow(routing::Policy& topics, std::size_t count_max, routing::WhenSlow when_slow) {
  topics.backlog_count_max = count_max;
  topics.when_slow = when_slow;
}

void set_bound(Settings& settings, const std::string& name, std::size_t number) {
  if (name == "unacked") {
    settings.session.unacked_count_max = number;
  } else if (name == "transactions") {
    settings.session.transaction_count_max = number;
  } else if (name == "transaction-bytes") {
    settings.session.transaction_bytes_max = number;
  } else if (name == "queue-messages") {
    settings.routing.queue_policy.messages_max = number;
  } else if (name == "keep-after-denial") {
    settings.session.after_denial = session::AfterDenial::kKeep;
  } else if (name == "topic-keeps") {
    keep_for_slow(settings.routing.topic_policy, number, routing::WhenSlow::kDropOldest);
  } else if (name == "topic-closes") {
    keep_for_slow(settings.routing.topic_policy, number, routing::WhenSlow::kClose);
  } else {
    throw std::runtime_error("no bound " + name);
  }
}

Settings settings_of(const Case& conformance_case) {
  Settings settings;
  settings.session.profile = settings.routing.profile = &profile_of(conformance_case);
  for (const auto& [name, number] : conformance_case.bounds)
    set_bound(settings, name, number);
  return settings;
}

class Pure final : public Broker {
 public:
  Pure(const Case& conformance_case, Settings settings)
      : broker_(std::move(settings.session), std::move(settings.routing)) {
    for (const auto& [name, passcode] : conformance_case.users)
      broker_.users.emplace(name, passcode);
    if (!conformance_case.denied.empty()) {
      broker_.rights = std::make_shared<Denials>(conformance_case.denied);
    }
  }
  std::unique_ptr<Connection> connect() override {
    return std::make_unique<PureConnection>(broker_);
  }
  void wait(std::chrono::milliseconds duration) override {
    broker_.pass(duration);
    broker_.settle();
  }
  void stop() override { broker_.shut_down(); }

 private:
  PureBroker broker_;
};

}  // namespace

std::unique_ptr<Broker> make_pure_broker(const Case& conformance_case) {
  return std::make_unique<Pure>(conformance_case, settings_of(conformance_case));
}

}  // namespace stompbox::conformance
