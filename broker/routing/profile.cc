#include "broker/routing/profile.h"

#include <algorithm>
#include <array>

namespace stompbox::routing {
namespace {

// Columns that are not written have the default of profile.h.
constexpr std::array<Profile, 5> kProfiles = {{
    // Takes every spelling that means the same everywhere, and is on the safe side where they
    // differ: a name without a prefix is refused rather than guessed, messages are kept.
    {.name = "auto"},

    // Its clients know two kinds of names, no sign of which is special (fact 3.4), rely on one
    // message at a time (fact 3.8, point 7) and on queues that keep everything (fact 3.8, point 9).
    // It has no NACK and no temporary queues; it answers a frame of a transaction when it gets it.
    {.name = "stompserver",
     .unprefixed = Unprefixed::kTopic,
     .loose_queue_prefix = true,
     .persistence = DefaultPersistence::kDurable,
     .persistence_is_fixed = true,
     .reply_queues = ReplyQueues::kExplicit,
     .transaction_receipts = TransactionReceipts::kWhenBuffered,
     .client_credit_count = 1,
     .monitor_queue = true,
     .wildcards = false,
     .composites = false},

    // Keeps only `persistent:true` (fact 2.1), takes a NACK for poison (fact 2.9), lets the owner
    // subscribe to its reply queue (fact 2.7), and answers inside transactions at once (fact 1.3).
    {.name = "activemq",
     .persistence = DefaultPersistence::kVolatile,
     .nack = NackMeaning::kDeadLetter,
     .reply_queues = ReplyQueues::kExplicit,
     .transaction_receipts = TransactionReceipts::kWhenBuffered},

    // A bare name is a queue and `%2F` a slash in it; a comma is a letter (fact 2.6). The reply
    // queue comes with the reply-to that mentions it, and may not be subscribed to (fact 2.7).
    {.name = "rabbitmq",
     .unprefixed = Unprefixed::kQueue,
     .persistence = DefaultPersistence::kVolatile,
     .reply_queues = ReplyQueues::kImplicit,
     .reply_prefix = "/reply-queue/",
     .composites = false,
     .encoded_slash = true},

    // Keeps only `persistent:true` (fact 2.1); a NACK counts as a delivery and returns (fact 2.9);
    // the owner subscribes to its reply queue (fact 2.7).
    {.name = "apollo",
     .persistence = DefaultPersistence::kVolatile,
     .reply_queues = ReplyQueues::kExplicit},
}};

}  // namespace

const Profile* find_profile(std::string_view name) {
  const auto* const found =
      std::find_if(kProfiles.begin(), kProfiles.end(),
                   [name](const Profile& profile) { return profile.name == name; });
  return found == kProfiles.end() ? nullptr : found;
}

const Profile& default_profile() {
  return kProfiles.front();
}

}  // namespace stompbox::routing
