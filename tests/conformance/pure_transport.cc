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

class Pure final : public Broker {
 public:
  explicit Pure(const Case& conformance_case) {
    for (const auto& [name, passcode] : conformance_case.users)
      broker_.users.emplace(name, passcode);
  }
  std::unique_ptr<Connection> connect() override {
    return std::make_unique<PureConnection>(broker_);
  }
  void wait(std::chrono::milliseconds duration) override {
    broker_.pass(duration);
    broker_.settle();
  }

 private:
  PureBroker broker_;
};

}  // namespace

std::unique_ptr<Broker> make_pure_broker(const Case& conformance_case) {
  return std::make_unique<Pure>(conformance_case);
}

}  // namespace stompbox::conformance
