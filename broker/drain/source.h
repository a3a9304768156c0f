#pragma once

#include <cstdint>
#include <string>

#include "broker/routing/router.h"
#include "storage/queue/message.h"
#include "storage/result.h"

// Where the drain's messages come from and go back to: the router of this process, or a broker
// elsewhere.
namespace stompbox::drain {

struct Arriving {
  std::uint64_t item = 0;  // the source's number of this delivery: from 1, growing, never again
  std::uint32_t tag = 0;   // of the subscription
  queue::MessagePtr message;
};

// What a source tells. None of these may call the source: they happen in the middle of its work.
class Taker {
 public:
  virtual ~Taker() = default;
  virtual void take(const Arriving& arriving) = 0;
  // The delivery is void, because the way to the broker broke: the message comes again, to us or to
  // somebody else. Whatever is said of the item later means nothing.
  virtual void gone(std::uint64_t item) = 0;
};

// Loop thread only. Each item is settled once, by done(), give_back() or dead_letter().
class Source {
 public:
  virtual ~Source() = default;

  // Once, before anything else; the taker outlives the source's last call.
  virtual void attach(Taker& taker) = 0;
  // Asks for what waits in a queue. A refusal may be tried again.
  [[nodiscard]] virtual storage::Status subscribe(std::uint32_t tag, const std::string& queue,
                                                  routing::Credit credit) = 0;
  // How much may be with the taker at once; {0, 0}: nothing more comes.
  virtual void set_credit(std::uint32_t tag, routing::Credit credit) = 0;
  // Nothing more comes; what is with the taker is still to be settled.
  virtual void close() = 0;

  // Stored: it must not come again.
  virtual void done(std::uint64_t item) = 0;
  // Not looked at, or in vain: it comes again when there is credit, here or elsewhere.
  virtual void give_back(std::uint64_t item) = 0;
  // Moves the message to the dead-letter queue. False if that has no room now: the item is not
  // settled.
  [[nodiscard]] virtual bool dead_letter(std::uint64_t item,
                                         const routing::DeadLetterReason& reason,
                                         std::int64_t wall_ms) = 0;
  // Whether somebody else takes from the same queue, as far as can be known.
  [[nodiscard]] virtual bool contested(std::uint32_t tag) = 0;
};

}  // namespace stompbox::drain
