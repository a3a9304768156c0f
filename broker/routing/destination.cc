#include "broker/routing/destination.h"

namespace stompbox::routing {
namespace {

constexpr std::string_view kQueuePrefix = "/queue/";
constexpr std::string_view kTopicPrefix = "/topic/";
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kExcerptBytesMax = 80;

storage::Error bad_destination(std::string_view text, std::string_view why) {
  std::string sentence = "destination '";
  sentence.append(text.substr(0, kExcerptBytesMax));
  sentence.append("' ").append(why);
  return {storage::ErrorCode::kInvalid, std::move(sentence)};
}

}  // namespace

storage::Result<DestinationView> view_destination(std::string_view text) {
  DestinationView view;
  if (text.starts_with(kQueuePrefix)) {
    view.name = text.substr(kQueuePrefix.size());
  } else if (text.starts_with(kTopicPrefix)) {
    view.kind = DestinationKind::kTopic;
    view.name = text.substr(kTopicPrefix.size());
  } else {
    return bad_destination(text, "is not known: it has to begin with /queue/ or /topic/");
  }
  if (view.name.empty()) return bad_destination(text, "has no name after its prefix");
  if (view.name.size() > kNameBytesMax) return bad_destination(text, "is longer than 1024 bytes");
  return view;
}

storage::Result<Destination> parse_destination(std::string_view text) {
  auto view = view_destination(text);
  if (!view) return view.error();
  return Destination{view->kind, std::string(view->name)};
}

std::string to_text(const Destination& destination) {
  std::string text(destination.kind == DestinationKind::kQueue ? kQueuePrefix : kTopicPrefix);
  text.append(destination.name);
  return text;
}

}  // namespace stompbox::routing
