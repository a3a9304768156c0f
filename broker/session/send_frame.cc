#include "broker/session/send_frame.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "broker/routing/death_headers.h"
#include "broker/session/foreign_headers.h"
#include "broker/session/ids.h"
#include "protocol/encoder.h"

namespace stompbox::session {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kTempQueue = "/temp-queue/";
constexpr std::string_view kTempTopic = "/temp-topic/";
constexpr std::string_view kRemoteTempTopic = "/remote-temp-topic/";
constexpr std::string_view kSchedulerTopic = "ActiveMQ.Scheduler.Management";

// The headers that mean something to us.
enum class Known : std::uint8_t {
  kOwn,  // of the SEND itself, or set anew on every MESSAGE: clients send back what they received
  kDestination,
  kReceipt,
  kTransaction,
  kPersistent,
  kPriority,
  kExpires,
  kExpiration,
  kTtl,
  kReplyTo,
  kGroup,
  kApolloGroup,
  kRetain,
  kActiveRetain,
  kDelay,
  kDelayPlugin,
  kPeriod,
  kRepeat,
  kTime,
  kSchedulerAction,
  kKind,
  kOrigin,
  kNone,  // all others; also their number
};

struct Row {
  std::string_view name;
  Known known;
};

// Rows of one length stand together.
constexpr std::array kRows{
    Row{"ack", Known::kOwn},
    Row{"ttl", Known::kTtl},
    Row{"retain", Known::kRetain},
    Row{"receipt", Known::kReceipt},
    Row{"expires", Known::kExpires},
    Row{"browser", Known::kOwn},
    Row{"x-delay", Known::kDelayPlugin},
    Row{"priority", Known::kPriority},
    Row{"reply-to", Known::kReplyTo},
    Row{"retained", Known::kOwn},
    Row{"persistent", Known::kPersistent},
    Row{"expiration", Known::kExpiration},
    Row{"message-id", Known::kOwn},
    Row{"receipt-id", Known::kOwn},
    Row{"destination", Known::kDestination},
    Row{"transaction", Known::kTransaction},
    Row{"redelivered", Known::kOwn},
    Row{"JMSXGroupID", Known::kGroup},
    Row{"subscription", Known::kOwn},
    Row{"message_group", Known::kApolloGroup},
    Row{"messages-lost", Known::kOwn},
    Row{"content-length", Known::kOwn},
    Row{"ActiveMQ.Retain", Known::kActiveRetain},
    Row{"redelivery-count", Known::kOwn},
    Row{"destination-type", Known::kKind},
    Row{"AMQ_SCHEDULED_TIME", Known::kTime},
    Row{"AMQ_SCHEDULED_DELAY", Known::kDelay},
    Row{"AMQ_SCHEDULED_PERIOD", Known::kPeriod},
    Row{"AMQ_SCHEDULED_REPEAT", Known::kRepeat},
    Row{"AMQ_SCHEDULER_ACTION", Known::kSchedulerAction},
    Row{routing::kOriginalDestination, Known::kOrigin},
    Row{"JMSXGroupFirstForConsumer", Known::kOwn},
};
constexpr std::size_t kNameBytesMax = 25;

// Where the rows of each length begin.
constexpr auto kFirstOfLength = [] {
  std::array<std::size_t, kNameBytesMax + 2> first{};
  for (std::size_t length = 0; length < first.size(); ++length) {
    while (first[length] < kRows.size() && kRows[first[length]].name.size() < length)
      ++first[length];
  }
  return first;
}();
static_assert(std::is_sorted(kRows.begin(), kRows.end(), [](const Row& a, const Row& b) {
  return a.name.size() < b.name.size();
}));

Known look_up(std::string_view name) {
  if (name.size() > kNameBytesMax) return Known::kNone;
  for (std::size_t i = kFirstOfLength[name.size()]; i < kFirstOfLength[name.size() + 1]; ++i) {
    if (kRows[i].name == name) return kRows[i].known;
  }
  return Known::kNone;
}

Refusal bad_value(std::string_view name, std::string_view value, std::string_view wanted) {
  return {"Bad header", "SEND: the header " + std::string(name) + " is " + quoted(value) + "; " +
                            std::string(wanted) + " is expected."};
}

std::optional<std::int64_t> parse_ms(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

// Reads the headers of one frame, in their order.
class Reader {
 public:
  Reader(const SendContext& context, SendWish& wish) : context_(context), wish_(wish) {}

  std::optional<Refusal> read(const protocol::Headers& headers) {
    routing::Draft& draft = wish_.draft;
    const bool is_volatile = context_.profile.persistence == routing::DefaultPersistence::kVolatile;
    if (is_volatile) draft.persistence = queue::Persistence::kVolatile;
    draft.header_block.reserve(headers.bytes() + 2 * headers.size());
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const auto [name, value] = headers.at(i);
      const Known known = look_up(name);
      if (known == Known::kNone) {
        if (auto refusal = refuse_foreign(name, value, ForeignOn::kSend)) return refusal;
        add(name, value);
        continue;
      }
      const auto index = static_cast<std::size_t>(known);
      const bool is_first = !seen_[index];
      seen_.set(index);
      if (!is_first) {  // the first wins (fact A11); later ones are the user's own affair
        if (travels(known)) add(name, value);
      } else if (auto refusal = take(known, name, value)) {
        return refusal;
      }
    }
    return std::nullopt;
  }

  std::optional<Refusal> finish() {
    if (auto refusal = find_destination()) return refusal;
    if (auto refusal = check_kinds()) return refusal;
    set_schedule();
    const auto is_scheduler = [](const auto& destination) {
      return destination.kind == routing::DestinationKind::kTopic &&
             destination.name == kSchedulerTopic;
    };
    wish_.manages_schedules =
        seen_[static_cast<std::size_t>(Known::kSchedulerAction)] &&
        (is_scheduler(wish_.destination) ||
         std::any_of(wish_.members.begin(), wish_.members.end(), is_scheduler));
    return std::nullopt;
  }

 private:
  static bool travels(Known known) {
    return known != Known::kOwn && known != Known::kDestination && known != Known::kReceipt &&
           known != Known::kTransaction;
  }

  void add(std::string_view name, std::string_view value) {
    routing::Draft& draft = wish_.draft;
    protocol::append_header(draft.header_block, protocol::Version::k12, name, value);
    if (protocol::needs_escape(name) || protocol::needs_escape(value)) draft.block_is_plain = false;
  }

  std::optional<Refusal> take(Known known, std::string_view name, std::string_view value) {
    switch (known) {
      case Known::kOwn: return std::nullopt;
      case Known::kDestination: wish_.destination_text = value; return std::nullopt;
      case Known::kReceipt: wish_.receipt = value; return std::nullopt;
      case Known::kTransaction:
        if (!value.empty()) wish_.transaction = value;
        return std::nullopt;
      case Known::kReplyTo: take_reply_to(value); return std::nullopt;
      default: break;
    }
    add(name, value);
    switch (known) {
      case Known::kPersistent: take_persistence(value); return std::nullopt;
      case Known::kPriority: return take_priority(value);
      case Known::kExpires:
      case Known::kExpiration:
      case Known::kTtl: return take_expiry(known, name, value);
      case Known::kGroup: wish_.draft.has_group = !value.empty(); return std::nullopt;
      case Known::kApolloGroup: take_apollo_group(value); return std::nullopt;
      case Known::kRetain:
      case Known::kActiveRetain: return take_retain(known, value);
      case Known::kKind: kind_ = value; return std::nullopt;
      case Known::kOrigin: wish_.names_an_origin = true; return std::nullopt;
      case Known::kDelay:
      case Known::kDelayPlugin:
      case Known::kPeriod:
      case Known::kRepeat:
      case Known::kTime: return take_schedule(known, name, value);
      default: return std::nullopt;
    }
  }

  void take_persistence(std::string_view value) {
    if (context_.profile.persistence_is_fixed) return;
    wish_.draft.persistence =
        value == "false" ? queue::Persistence::kVolatile : queue::Persistence::kDurable;
  }

  std::optional<Refusal> take_priority(std::string_view value) {
    if (value.size() != 1 || value[0] < '0' || value[0] > '9') {
      return bad_value("priority", value, "a digit from 0 to 9");
    }
    wish_.draft.priority = {static_cast<std::uint8_t>('9' - value[0])};
    return std::nullopt;
  }

  // `expires` is a moment, the others are a time from now; the earliest counts. 0 is never, but for
  // RabbitMQ's expiration, where it is at once.
  std::optional<Refusal> take_expiry(Known known, std::string_view name, std::string_view value) {
    auto ms = parse_ms(value);
    if (!ms) return bad_value(name, value, "a number of milliseconds");
    if (*ms == 0 && known != Known::kExpiration) return std::nullopt;
    if (known != Known::kExpires) {
      if (*ms > std::numeric_limits<std::int64_t>::max() - context_.now_ms) return std::nullopt;
      ms = context_.now_ms + std::max<std::int64_t>(*ms, 1);
    }
    std::int64_t& expires = wish_.draft.expires_ms;
    expires = expires == 0 ? *ms : std::min(expires, *ms);
    return std::nullopt;
  }

  void take_reply_to(std::string_view value) {
    std::string name;
    if (value.starts_with(kTempQueue) && value.size() > kTempQueue.size()) {
      wish_.reply_queue = value;
      name.append(context_.profile.reply_prefix).append(context_.owner);
      name.append(".").append(value.substr(kTempQueue.size()));
    } else if (value.starts_with(kTempTopic)) {
      name.append(kRemoteTempTopic).append(context_.owner);
      name.append(".").append(value.substr(kTempTopic.size()));
    }
    add("reply-to", name.empty() ? value : std::string_view(name));
  }

  // Apollo's word for the same.
  void take_apollo_group(std::string_view value) {
    if (value.empty() || wish_.draft.has_group) return;
    add("JMSXGroupID", value);
    wish_.draft.has_group = true;
  }

  std::optional<Refusal> take_retain(Known known, std::string_view value) {
    if (known == Known::kActiveRetain) {
      if (value == "true") wish_.draft.retain = routing::Retain::kSet;
      return std::nullopt;
    }
    if (value != "set" && value != "remove") {
      return bad_value("retain", value, "set or remove");
    }
    wish_.draft.retain = value == "set" ? routing::Retain::kSet : routing::Retain::kRemove;
    return std::nullopt;
  }

  std::optional<Refusal> take_schedule(Known known, std::string_view name, std::string_view value) {
    const auto ms = parse_ms(value);
    const bool is_endless = known == Known::kRepeat && value == "-1";
    if (!ms && !is_endless) return bad_value(name, value, "a number");
    if (!wish_.draft.schedule) wish_.draft.schedule.emplace();
    routing::Schedule& schedule = *wish_.draft.schedule;
    switch (known) {
      case Known::kPeriod: schedule.period = milliseconds(*ms); break;
      case Known::kRepeat: schedule.repeats = is_endless ? -1 : *ms; break;
      case Known::kTime:
        schedule.delay = milliseconds(std::max<std::int64_t>(*ms - context_.now_ms, 0));
        break;
      default: schedule.delay = milliseconds(*ms); break;
    }
    return std::nullopt;
  }

  // A period without a delay begins with one period (fact 2.10).
  void set_schedule() {
    auto& schedule = wish_.draft.schedule;
    if (!schedule) return;
    if (schedule->delay.count() == 0) schedule->delay = schedule->period;
    if (schedule->delay.count() == 0) schedule.reset();
  }

  std::optional<Refusal> find_destination() {
    const std::string_view text = wish_.destination_text;
    if (text.empty()) {
      return Refusal{"Missing header", "SEND: the header destination is missing."};
    }
    if (context_.profile.composites && routing::is_composite(text)) {
      auto members = routing::parse_destinations(text, context_.profile);
      if (!members) return Refusal{"Unknown destination", "SEND: " + members.error().text};
      wish_.members = std::move(*members);
      return std::nullopt;
    }
    const auto view = routing::view_destination(text, context_.profile);
    if (!view) return Refusal{"Unknown destination", "SEND: " + view.error().text};
    wish_.destination = *view;
    wish_.draft.destination = text;
    return std::nullopt;
  }

  std::optional<Refusal> check_kinds() {
    if (wish_.members.empty()) {
      return check_kind(wish_.destination.kind, wish_.destination.has_wildcards);
    }
    for (const routing::Destination& member : wish_.members) {
      if (auto refusal = check_kind(member.kind, member.has_wildcards)) return refusal;
    }
    return std::nullopt;
  }

  std::optional<Refusal> check_kind(routing::DestinationKind kind, bool has_wildcards) {
    if (has_wildcards) {
      return Refusal{"Unknown destination", "SEND: the destination " +
                                                quoted(wish_.destination_text) +
                                                " has wildcards, which are for subscribing."};
    }
    if (wish_.draft.retain != routing::Retain::kNo && kind != routing::DestinationKind::kTopic) {
      return Refusal{"Not supported", "SEND: the header retain is for topics."};
    }
    if (kind_) return refuse_other_kind("destination-type", *kind_, kind, ForeignOn::kSend);
    return std::nullopt;
  }

  const SendContext& context_;
  SendWish& wish_;
  std::bitset<static_cast<std::size_t>(Known::kNone)> seen_;
  std::optional<std::string_view> kind_;
};

}  // namespace

std::variant<SendWish, Refusal> read_send(protocol::Frame& frame, const SendContext& context) {
  std::variant<SendWish, Refusal> result;
  auto& wish = std::get<SendWish>(result);
  Reader reader(context, wish);
  auto refusal = reader.read(frame.headers);
  if (!refusal) refusal = reader.finish();
  if (refusal) return *std::move(refusal);
  wish.draft.body = std::move(frame.body);
  return result;
}

void forget_origin(routing::Draft& draft) {
  std::string kept;
  std::string_view rest = draft.header_block;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, end);
    if (line.substr(0, line.find(':')) != routing::kOriginalDestination) kept.append(line);
    rest.remove_prefix(end);
  }
  draft.header_block = std::move(kept);
}

std::vector<routing::Draft> split_draft(routing::Draft&& draft,
                                        const std::vector<routing::Destination>& to) {
  std::vector<routing::Draft> drafts;
  drafts.reserve(to.size());
  for (const routing::Destination& member : to) {
    drafts.push_back(draft);
    drafts.back().destination = routing::to_text(member);
  }
  return drafts;
}

}  // namespace stompbox::session
