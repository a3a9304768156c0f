#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/access/rules.h"
#include "broker/access/users.h"

namespace stompbox::access {

// What holds at the moment: one for all peers, whose members are replaced when files are read
// anew. Single-threaded.
struct House {
  std::shared_ptr<const Users> users;  // null: nobody is asked for a passcode
  std::shared_ptr<const Rules> rules;  // null: who is known may do everything
  std::uint64_t edition = 0;           // changes with every replacement
};

enum class Proof : std::uint8_t {
  kNone,  // nobody asked: the name is not to be believed
  kPasscode,
  kCertificate,
};

struct Identity {
  std::string user;
  Proof proof = Proof::kNone;
  std::string certificate;  // common name
  std::vector<std::string> certificate_names;
};

// One peer that was let in, and what it may do under the rules that hold now. A user who came in by
// passcode and is not in the users file any more is nobody: without rules that allow nothing at
// all, with rules what anyone may. Single-threaded.
class Bearer {
 public:
  Bearer(std::shared_ptr<const House> house, Identity identity);

  [[nodiscard]] bool may(Operation operation, const routing::DestinationView& destination,
                         const protocol::Headers& headers) const;

 private:
  // The answers that a few destinations had last: peers say the same ones over and over.
  struct Remembered {
    Operation operation = Operation::kRead;
    routing::DestinationKind kind = routing::DestinationKind::kQueue;
    bool has_wildcards = false;
    std::string name;
    Rules::Shortlist shortlist;
  };
  void look_again() const;
  [[nodiscard]] Principal principal() const;
  [[nodiscard]] const Rules::Shortlist& shortlist(Operation operation,
                                                  const routing::DestinationView& destination,
                                                  const Principal& principal) const;

  const std::shared_ptr<const House> house_;
  const Identity identity_;

  // Of the edition that was last seen.
  mutable std::uint64_t edition_ = 0;
  mutable const User* user_ = nullptr;  // in the house's users; null: not there
  mutable std::vector<Remembered> remembered_;
  mutable std::size_t oldest_ = 0;
};

}  // namespace stompbox::access
