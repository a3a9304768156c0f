#include "broker/session/foreign_headers.h"

#include <algorithm>
#include <array>
#include <string>

namespace stompbox::session {
namespace {

enum class On : std::uint8_t { kSend, kSubscribe, kBoth };

struct Foreign {
  std::string_view name;
  std::string_view value;  // that has the meaning; empty: any
  On on;
  std::string_view meaning;
};

constexpr std::string_view kPolicy = "set it in the broker's policies instead";

constexpr std::array kForeign{
    Foreign{"AMQ_SCHEDULED_CRON", "", On::kSend, "use AMQ_SCHEDULED_DELAY, _PERIOD and _REPEAT"},
    Foreign{"activemq.retroactive", "true", On::kSubscribe, "topics keep a retained message only"},
    Foreign{"transformation", "", On::kSubscribe, "messages are delivered as they were sent"},
    Foreign{"x-stream-offset", "", On::kSubscribe, "there are no streams"},
    Foreign{"x-stream-filter", "", On::kSubscribe, "there are no streams"},
    Foreign{"x-stream-match-unfiltered", "", On::kSubscribe, "there are no streams"},
    Foreign{"x-queue-type", "stream", On::kBoth, "there are no streams"},
    Foreign{"x-dead-letter-exchange", "", On::kBoth, kPolicy},
    Foreign{"x-dead-letter-routing-key", "", On::kBoth, kPolicy},
    Foreign{"x-dead-letter-strategy", "", On::kBoth, kPolicy},
    Foreign{"x-delivery-limit", "", On::kBoth, kPolicy},
    Foreign{"x-expires", "", On::kBoth, kPolicy},
    Foreign{"x-message-ttl", "", On::kBoth, kPolicy},
    Foreign{"x-max-age", "", On::kBoth, kPolicy},
    Foreign{"x-max-length", "", On::kBoth, kPolicy},
    Foreign{"x-max-length-bytes", "", On::kBoth, kPolicy},
    Foreign{"x-overflow", "", On::kBoth, kPolicy},
};

// So that most headers of most frames cost one look.
constexpr bool may_be_foreign(char first) {
  return first == 'x' || first == 'A' || first == 'a' || first == 't';
}
static_assert(std::all_of(kForeign.begin(), kForeign.end(), [](const Foreign& foreign) {
  return may_be_foreign(foreign.name.front());
}));

std::string_view command_of(ForeignOn on) {
  return on == ForeignOn::kSend ? "SEND" : "SUBSCRIBE";
}

bool is_topic(routing::DestinationKind kind) {
  return kind == routing::DestinationKind::kTopic || kind == routing::DestinationKind::kTempTopic ||
         kind == routing::DestinationKind::kRemoteTempTopic;
}

}  // namespace

std::optional<Refusal> refuse_foreign(std::string_view name, std::string_view value, ForeignOn on) {
  if (name.empty() || !may_be_foreign(name.front())) return std::nullopt;
  const On other = on == ForeignOn::kSend ? On::kSubscribe : On::kSend;
  for (const Foreign& foreign : kForeign) {
    if (foreign.name != name || foreign.on == other) continue;
    if (!foreign.value.empty() && foreign.value != value) continue;
    return Refusal{"Not supported", std::string(command_of(on)) + ": the header " +
                                        std::string(name) + " is not supported; " +
                                        std::string(foreign.meaning) + "."};
  }
  return std::nullopt;
}

std::optional<Refusal> refuse_other_kind(std::string_view name, std::string_view value,
                                         routing::DestinationKind kind, ForeignOn on) {
  if (value == (is_topic(kind) ? "MULTICAST" : "ANYCAST")) return std::nullopt;
  return Refusal{"Not supported", std::string(command_of(on)) + ": the header " +
                                      std::string(name) + " is " + quoted(value) +
                                      "; here the prefix of a destination says what it is."};
}

}  // namespace stompbox::session
