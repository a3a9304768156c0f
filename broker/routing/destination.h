#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/profile.h"
#include "storage/result.h"

namespace stompbox::routing {

enum class DestinationKind : std::uint8_t {
  kQueue,
  kTopic,
  kDurable,    // /dsub/NAME: the backlog of a durable topic subscription; sent to like a queue
  kTempQueue,  // private to one connection; the name is what its owner calls it
  kTempTopic,
  kRemoteTempQueue,  // somebody's temporary queue, by the name that reply-to showed: OWNER.NAME
  kRemoteTempTopic,
};

struct Destination {
  DestinationKind kind = DestinationKind::kQueue;
  std::string name;            // without the prefix
  bool has_wildcards = false;  // names a pattern (broker/routing/pattern.h); queues and topics only

  friend bool operator==(const Destination&, const Destination&) = default;
};

// The same without a copy of the name: lives as long as the text it was parsed from.
struct DestinationView {
  DestinationKind kind = DestinationKind::kQueue;
  std::string_view name;
  bool has_wildcards = false;
  // Keeps the few names that do not stand in the text as they are (/exchange/X/K is X.K).
  std::shared_ptr<const std::string> made_name = nullptr;
};

// One destination, with the aliases of fact 8.1: /exchange/amq.topic/K is topic K, /exchange/ANY/K
// topic ANY.K, /exchange/ANY topic ANY; /exchange/amq.direct/K and /amq/queue/N are queues;
// /reply-queue/N and /remote-temp-queue/N somebody's temporary queue. Under a profile with a loose
// queue prefix only /queue and /topic/ mean anything, everything else is a topic of that name.
// Anything else is kInvalid with a sentence that says what is right; so are names of more than
// 1024 bytes or with control characters, and those of queues and topics that begin like other
// kinds (/dsub/, /temp-queue/, ...), which would be mistaken for them.
// A comma makes a composite of it, which is kInvalid here unless the profile knows none.
// No allocation for names that stand in the text as they are.
[[nodiscard]] storage::Result<DestinationView> view_destination(std::string_view text,
                                                                const Profile& profile);
// All of a composite destination (`/queue/a,/topic/b`), each once, at most 64. A plain one is a
// list of one. A name with a comma where the profile knows no composites is a list of one, too.
[[nodiscard]] storage::Result<std::vector<Destination>> parse_destinations(std::string_view text,
                                                                           const Profile& profile);
[[nodiscard]] bool is_composite(std::string_view text);
// Under the default profile, one only.
[[nodiscard]] storage::Result<Destination> parse_destination(std::string_view text);
[[nodiscard]] storage::Result<DestinationView> view_destination(std::string_view text);
// Parses to the same destination again, under the profile that the name came from.
[[nodiscard]] std::string to_text(const Destination& destination);

}  // namespace stompbox::routing
