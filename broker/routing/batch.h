#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/routing/routed_queue.h"
#include "broker/routing/router.h"

namespace stompbox::routing {

// One message on its way to the subscriptions of a topic.
struct Router::TopicPost {
  std::string_view topic;  // internal name; lives as long as the call, or in a HiddenPost
  queue::MessagePtr message;
  PeerId sender;
  Retain retain = Retain::kNo;
};

// A post that waits for the transaction that it belongs to, or follows.
struct Router::HiddenPost {
  queue::Ticket ticket;
  std::string topic;
  queue::MessagePtr message;
  PeerId sender;
  Retain retain = Retain::kNo;
};

// What the followers of a queue see when the transaction that brought it is synced.
struct Router::HiddenShow {
  queue::Ticket ticket;
  queue::QueueId queue;
  Entry entry;
};

// Everything that has to happen together: one group in the journal, and then what follows from it.
struct Router::Batch {
  enum class Visibility : std::uint8_t {
    kAtOnce,
    kWhenSynced,  // a transaction
  };
  struct Arrival {
    RoutedQueue* queue = nullptr;
    Entry entry;
  };
  struct Departure {
    Queue* queue = nullptr;
    queue::Place place;
  };

  struct Comeback {
    RoutedQueue* queue = nullptr;
    Entry entry;
    std::int64_t delay_ms = 0;
  };

  Visibility visibility = Visibility::kAtOnce;
  std::vector<queue::Op> ops;
  std::vector<Arrival> arrivals;
  std::vector<Departure> departures;  // whose erases are in `ops`
  std::vector<Comeback> comebacks;    // whose counts are in `ops`
  std::vector<HiddenPost> posts;
  std::vector<Debt> debts;
  std::set<queue::QueueId> touched;  // that something came back to
  std::set<queue::QueueId> letters;  // that got dead letters
  bool returns_ride = true;          // nobody waits for the counts: they go by themselves
};

// What the verdicts of a transaction have named so far: nothing may be named twice.
struct Router::Claims {
  struct OfOne {
    DeliveryId up_to;
    std::set<DeliveryId> single;
  };
  std::unordered_map<std::uint64_t, OfOne> by_subscription;
};

}  // namespace stompbox::routing
