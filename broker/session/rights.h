#pragma once

#include <cstdint>
#include <string_view>

#include "broker/routing/destination.h"
#include "protocol/frame.h"

namespace stompbox::session {

enum class Operation : std::uint8_t {
  kRead,    // SUBSCRIBE
  kWrite,   // SEND
  kCreate,  // the first SEND or SUBSCRIBE to a name, when it does not exist yet
  kBrowse,  // SUBSCRIBE with browser:true
  kManage,  // deleting a durable subscription, cancelling a schedule
};

// One thing that a peer wants. Views live for the call.
struct Wish {
  Operation operation = Operation::kRead;
  routing::DestinationView destination;  // of a wildcard subscription: the pattern
  const protocol::Headers& headers;      // of the frame
};

// What one peer may do. Asked for every frame, so it is quick; may change its mind between two
// frames when rules are loaded anew.
class Rights {
 public:
  virtual ~Rights() = default;
  [[nodiscard]] virtual bool allows(const Wish& wish) const = 0;
};

}  // namespace stompbox::session
