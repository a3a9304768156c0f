#include "broker/routing/durable.h"

#include <algorithm>
#include <utility>

namespace stompbox::routing {
namespace {

void append_line(std::string& out, std::string_view word, std::string_view value) {
  out.append(word).push_back(' ');
  for (const char c : value) {
    if (c == '\\') {
      out.append("\\\\");
    } else if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
  out.push_back('\n');
}

std::string unescape(std::string_view value) {
  std::string plain;
  plain.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      plain.push_back(value[i]);
      continue;
    }
    i += 1;
    plain.push_back(value[i] == 'n' ? '\n' : value[i]);
  }
  return plain;
}

}  // namespace

std::string DurableInterest::to_attributes() const {
  std::string out;
  for (const Destination& topic : topics)
    append_line(out, topic.has_wildcards ? "pattern" : "topic", topic.name);
  if (!selector.empty()) append_line(out, "selector", selector);
  return out;
}

storage::Result<DurableInterest> DurableInterest::parse(std::string_view attributes) {
  DurableInterest interest;
  while (!attributes.empty()) {
    const std::size_t end = attributes.find('\n');
    const std::string_view line = attributes.substr(0, end);
    attributes.remove_prefix(end == std::string_view::npos ? attributes.size() : end + 1);
    const std::size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    std::string value = blank == std::string_view::npos ? "" : unescape(line.substr(blank + 1));
    if (word == "topic" || word == "pattern") {
      interest.topics.push_back({.kind = DestinationKind::kTopic,
                                 .name = std::move(value),
                                 .has_wildcards = word == "pattern"});
    } else if (word == "selector") {
      interest.selector = std::move(value);
    } else {
      return storage::Error{storage::ErrorCode::kVersion,
                            "a durable subscription has the attribute '" + std::string(word) +
                                "', which only a newer version of this program knows"};
    }
  }
  return interest;
}

storage::Result<DurableFilter> DurableFilter::make(DurableInterest interest) {
  DurableFilter filter;
  if (!interest.selector.empty()) {
    auto selector = Selector::parse(interest.selector);
    if (!selector) return selector.error();
    filter.selector_ = std::move(*selector);
  }
  for (const Destination& topic : interest.topics) {
    if (topic.has_wildcards) filter.patterns_.emplace_back(topic.name);
  }
  filter.interest_ = std::move(interest);
  return filter;
}

bool DurableFilter::listens_to(std::string_view topic) const {
  const auto is_it = [topic](const Destination& wanted) {
    return !wanted.has_wildcards && wanted.name == topic;
  };
  const auto fits = [topic](const Pattern& pattern) { return pattern.matches(topic); };
  return std::any_of(interest_.topics.begin(), interest_.topics.end(), is_it) ||
         std::any_of(patterns_.begin(), patterns_.end(), fits);
}

}  // namespace stompbox::routing
