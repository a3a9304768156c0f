#include "broker/routing/destination.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "broker/routing/pattern.h"

namespace stompbox::routing {
namespace {

constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kMembersMax = 64;
constexpr std::size_t kExcerptBytesMax = 80;
constexpr std::string_view kQueueWord = "/queue";
constexpr std::string_view kMonitorQueue = "/queue/monitor";
constexpr std::string_view kExchangePrefix = "/exchange/";
constexpr std::string_view kSlash = "%2F";

struct Prefix {
  std::string_view text;
  DestinationKind kind;
};

// The first of a kind is what to_text() writes.
constexpr std::array<Prefix, 9> kPrefixes = {{
    {"/queue/", DestinationKind::kQueue},
    {"/topic/", DestinationKind::kTopic},
    {"/dsub/", DestinationKind::kDurable},
    {"/temp-queue/", DestinationKind::kTempQueue},
    {"/temp-topic/", DestinationKind::kTempTopic},
    {"/remote-temp-queue/", DestinationKind::kRemoteTempQueue},
    {"/remote-temp-topic/", DestinationKind::kRemoteTempTopic},
    {"/reply-queue/", DestinationKind::kRemoteTempQueue},
    {"/amq/queue/", DestinationKind::kQueue},
}};
// With these a queue or topic would be taken for another kind where all are in one table.
constexpr std::array<std::string_view, 6> kReserved = {
    "/dsub/",       "/scheduled",          "/temp-queue/",
    "/temp-topic/", "/remote-temp-queue/", "/remote-temp-topic/"};

// What the bytes of a name ask for.
enum Trait : unsigned char { kPlain = 0, kControl = 1, kComma = 2, kWildcard = 4, kPercent = 8 };

constexpr std::array<unsigned char, 256> make_traits() {
  std::array<unsigned char, 256> traits{};
  for (std::size_t byte = 0; byte < ' '; ++byte)
    traits[byte] = kControl;
  traits[0x7f] = kControl;
  traits[','] = kComma;
  traits['*'] = traits['>'] = traits['#'] = kWildcard;
  traits['%'] = kPercent;
  return traits;
}
constexpr std::array<unsigned char, 256> kTraits = make_traits();

unsigned char traits_of(std::string_view name) {
  unsigned char traits = kPlain;
  for (const char letter : name)
    traits |= kTraits[static_cast<unsigned char>(letter)];
  return traits;
}

std::string excerpt(std::string_view text) {
  std::string shown(text.substr(0, kExcerptBytesMax));
  const auto is_control = [](char letter) {
    return (kTraits[static_cast<unsigned char>(letter)] & kControl) != 0;
  };
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return shown;
}

storage::Error bad_destination(std::string_view text, std::string_view why) {
  std::string sentence = "destination '" + excerpt(text);
  sentence.append("' ").append(why);
  return {storage::ErrorCode::kInvalid, std::move(sentence)};
}

storage::Error unknown_prefix(std::string_view text, const Profile& profile) {
  std::string why = "is not known: it has to begin with /queue/ or /topic/";
  why += profile.unprefixed == Unprefixed::kQueue
             ? ", or with a letter other than a slash to be the name of a queue"
             : " (or /temp-queue/, /temp-topic/, /dsub/, /exchange/, /amq/queue/)";
  return bad_destination(text, why);
}

void take_made_name(DestinationView& view, std::string name) {
  view.made_name = std::make_shared<const std::string>(std::move(name));
  view.name = *view.made_name;
}

// RabbitMQ's exchanges (fact 8.1, item 7): a message goes to who is bound now, so they are topics;
// amq.direct is the exchange by which every queue can be reached.
storage::Result<DestinationView> view_exchange(std::string_view text) {
  const std::string_view rest = text.substr(kExchangePrefix.size());
  const std::size_t slash = rest.find('/');
  const std::string_view exchange = rest.substr(0, slash);
  const std::string_view key =
      slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  if (exchange.empty()) return bad_destination(text, "names no exchange");
  const bool is_direct = exchange == "amq.direct";
  if (is_direct || exchange == "amq.topic") {
    if (key.empty()) return bad_destination(text, "has no key after its exchange");
    return DestinationView{is_direct ? DestinationKind::kQueue : DestinationKind::kTopic, key};
  }
  DestinationView view{DestinationKind::kTopic, exchange};
  if (!key.empty() && exchange != "amq.fanout")
    take_made_name(view, std::string(exchange).append(".").append(key));
  return view;
}

// StompServer: what begins with /queue is a queue; of all else /topic/ alone is not part of a name.
DestinationView view_loosely(std::string_view text) {
  for (const Prefix& prefix : {kPrefixes[0], kPrefixes[1]}) {
    if (text.size() > prefix.text.size() && text.starts_with(prefix.text))
      return {prefix.kind, text.substr(prefix.text.size())};
  }
  const bool is_queue = text.starts_with(kQueueWord);
  return {is_queue ? DestinationKind::kQueue : DestinationKind::kTopic, text};
}

storage::Result<DestinationView> split(std::string_view text, const Profile& profile) {
  // Each of its listeners gets each report (fact 3.6).
  if (profile.monitor_queue && text == kMonitorQueue)
    return DestinationView{DestinationKind::kTopic, text};
  if (profile.loose_queue_prefix) return view_loosely(text);
  for (const Prefix& prefix : kPrefixes) {
    if (text.starts_with(prefix.text))
      return DestinationView{prefix.kind, text.substr(prefix.text.size())};
  }
  if (text.starts_with(kExchangePrefix)) return view_exchange(text);
  const bool has_slash = text.starts_with('/');
  if (profile.unprefixed == Unprefixed::kTopic)
    return DestinationView{DestinationKind::kTopic, text};
  if (profile.unprefixed == Unprefixed::kQueue && !has_slash)
    return DestinationView{DestinationKind::kQueue, text};
  return unknown_prefix(text, profile);
}

std::string with_slashes(std::string_view name) {
  std::string decoded;
  decoded.reserve(name.size());
  while (!name.empty()) {
    const bool is_slash = name.starts_with(kSlash) || name.starts_with("%2f");
    decoded += is_slash ? '/' : name.front();
    name.remove_prefix(is_slash ? kSlash.size() : 1);
  }
  return decoded;
}

bool is_queue_or_topic(DestinationKind kind) {
  return kind == DestinationKind::kQueue || kind == DestinationKind::kTopic;
}

// A queue whose name begins with /queue is one of the loose kind, by its whole text.
bool begins_like_another(const DestinationView& view, bool is_whole_text) {
  if (view.name.front() != '/' || !is_queue_or_topic(view.kind) || is_whole_text) return false;
  if (view.kind == DestinationKind::kQueue && view.name.starts_with(kQueueWord)) return true;
  return std::any_of(kReserved.begin(), kReserved.end(), [&view](std::string_view reserved) {
    return view.name.starts_with(reserved);
  });
}

std::optional<storage::Error> check(const DestinationView& view, unsigned char traits,
                                    std::string_view text, const Profile& profile) {
  if (view.name.size() > kNameBytesMax) return bad_destination(text, "is longer than 1024 bytes");
  if ((traits & kControl) != 0) return bad_destination(text, "has a control character");
  if ((traits & kComma) != 0 && profile.composites)
    return bad_destination(text, "names several destinations where one is expected");
  if (begins_like_another(view, view.name.size() == text.size()))
    return bad_destination(text, "has a name that begins like a prefix of another kind");
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

Destination owned(const DestinationView& view) {
  return {view.kind, std::string(view.name), view.has_wildcards};
}

}  // namespace

storage::Result<DestinationView> view_destination(std::string_view text, const Profile& profile) {
  auto view = split(text, profile);
  if (!view) return view;
  if (view->name.empty()) return bad_destination(text, "has no name after its prefix");
  const unsigned char traits = traits_of(view->name);
  if ((traits & kPercent) != 0 && profile.encoded_slash)
    take_made_name(*view, with_slashes(view->name));
  if (auto error = check(*view, traits, text, profile)) return std::move(*error);
  view->has_wildcards = (traits & kWildcard) != 0 && profile.wildcards &&
                        is_queue_or_topic(view->kind) && Pattern::has_wildcard(view->name);
  return view;
}

storage::Result<std::vector<Destination>> parse_destinations(std::string_view text,
                                                             const Profile& profile) {
  std::vector<Destination> all;
  const bool is_list = profile.composites && is_composite(text);
  std::string_view rest = text;
  for (bool is_last = false; !is_last;) {
    const std::size_t comma = is_list ? rest.find(',') : std::string_view::npos;
    is_last = comma == std::string_view::npos;
    const std::string_view member = rest.substr(0, comma);
    const auto view = view_destination(is_list ? trim(member) : member, profile);
    if (!view) return view.error();
    Destination destination = owned(*view);
    if (std::find(all.begin(), all.end(), destination) == all.end())
      all.push_back(std::move(destination));
    if (all.size() > kMembersMax) return bad_destination(text, "names more than 64 destinations");
    rest.remove_prefix(is_last ? rest.size() : comma + 1);
  }
  return all;
}

bool is_composite(std::string_view text) {
  return text.find(',') != std::string_view::npos;
}

storage::Result<Destination> parse_destination(std::string_view text) {
  const auto view = view_destination(text);
  if (!view) return view.error();
  return owned(*view);
}

storage::Result<DestinationView> view_destination(std::string_view text) {
  return view_destination(text, default_profile());
}

std::string to_text(const Destination& destination) {
  const bool is_loose =
      destination.kind == DestinationKind::kQueue && destination.name.starts_with(kQueueWord);
  if (is_loose) return destination.name;
  const auto* const prefix = std::find_if(
      kPrefixes.begin(), kPrefixes.end(),
      [&destination](const Prefix& candidate) { return candidate.kind == destination.kind; });
  return std::string(prefix->text).append(destination.name);
}

}  // namespace stompbox::routing
