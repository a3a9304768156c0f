#include "tests/sim/history.h"

#include <memory>
#include <utility>

#include "tests/sim/life.h"

namespace stompbox::sim {
namespace {

constexpr std::size_t kStepsMax = 3000;

class History {
 public:
  History(std::uint64_t seed, Fault fault) : chance_(seed), fault_(fault) {}

  Verdict run() {
    const std::size_t lives = 1 + chance_.below(3);
    for (std::size_t i = 0; i < lives; ++i)
      live();
    recover();
    inspect();
    checker_.finish();
    return {checker_.violations(), checker_.events()};
  }

 private:
  std::unique_ptr<Life> start() {
    return std::make_unique<Life>(platter_, shelf_, clock_, chance_, checker_, fault_);
  }

  void live() {
    const std::unique_ptr<Life> life = start();
    const std::size_t steps = 100 + chance_.below(kStepsMax);
    for (std::size_t i = 0; i < steps; ++i) {
      if (life->link_count() < 4 && chance_.once_in(10)) {
        constexpr Role kRoles[] = {Role::kProducer, Role::kConsumer, Role::kConsumer,
                                   Role::kCatalogProducer};
        const Role role = kRoles[chance_.below(4)];
        life->connect(std::make_unique<Client>(role, chance_, checker_, numbers_, fault_));
      }
      life->step();
      if (life->link_count() > 0 && chance_.once_in(150)) {
        life->vanish(chance_.below(life->link_count()));
      }
    }
    if (chance_.once_in(2)) rest(*life);
    life->crash();
  }

  // Nobody does anything but those who take all that waits.
  void rest(Life& life) {
    life.connect(std::make_unique<Client>(Role::kSweeper, chance_, checker_, numbers_, fault_));
    life.settle();
    life.check_rest();
  }

  // A start without trouble: the drain has all the time it needs; then the power goes once more.
  void recover() {
    const std::unique_ptr<Life> life = start();
    life->become_healthy();
    life->settle();
    life->crash();
  }

  // What the disk holds at the end, taken out by a router of its own.
  void inspect() {
    SimJournal journal(platter_, chance_, fault_);
    routing::RoutingOptions options;
    options.resident_count_max = 6;
    routing::Router router(journal, options, platter_.start(fault_));
    Collector collector(checker_);
    const routing::PeerId peer = router.attach(collector);
    for (const char* name : {"work", "other", "dead-letter"}) {
      routing::SubscribeRequest request;
      request.peer = peer;
      request.destinations = {{routing::DestinationKind::kQueue, name}};
      request.ack_mode = routing::AckMode::kIndividual;
      request.credit = {10'000, 100'000'000};
      const auto subscription = router.subscribe(request);
      router.start_delivery(*subscription);
    }
    for (int i = 0; i < 3000 && (journal.busy() || i < 10); ++i) {
      journal.step();
      if (auto report = journal.next_report()) router.on_commit(*report);
      if (auto page = journal.next_page()) router.on_loaded(std::move(*page));
    }
    router.detach(peer);
  }

  class Collector final : public routing::Consumer {
   public:
    explicit Collector(Checker& checker) : checker_(checker) {}
    void deliver(const routing::Delivery& delivery) override {
      const std::string& body = delivery.message->body;
      if (delivery.message->destination == "/queue/dead-letter") {
        checker_.left_dead_letter(body);
        return;
      }
      checker_.left(label_of(body), delivery.redelivered);
    }
    void receipt_due(routing::ReceiptNumber) override {}
    void refused(routing::ReceiptNumber, const storage::Error&) override {}
    void too_slow(std::uint32_t) override {}
    void room_again() override {}

   private:
    Checker& checker_;
  };

  Chance chance_;
  const Fault fault_;
  Checker checker_;
  Platter platter_;
  Shelf shelf_;
  Clock clock_;
  Numbers numbers_;
};

}  // namespace

Verdict run_history(std::uint64_t seed, Fault fault) {
  return History(seed, fault).run();
}

}  // namespace stompbox::sim
