#include "broker/net/frame_end_finder.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace stompbox::net {
namespace {

constexpr std::string_view kContentLength = "content-length:";
constexpr std::size_t kLineKept = 64;

}  // namespace

std::optional<std::size_t> FrameEndFinder::find(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    switch (state_) {
      case State::kBetween: state_ = rest.front() == '\n' ? State::kBeats : State::kHead; break;
      case State::kBeats: {
        const std::size_t beats = std::min(rest.find_first_not_of('\n'), rest.size());
        begin_anew();
        return at + beats;
      }
      case State::kHead: at += take_head_line(rest); break;
      case State::kSizedBody: {
        // The NUL behind it included.
        const auto size = std::min<std::uint64_t>(body_left_, rest.size());
        body_left_ -= size;
        at += static_cast<std::size_t>(size);
        if (body_left_ > 0) return std::nullopt;
        begin_anew();
        return at;
      }
      case State::kNulBody: {
        const std::size_t end = rest.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        begin_anew();
        return at + end + 1;
      }
    }
  }
  return std::nullopt;
}

void FrameEndFinder::begin_anew() {
  state_ = State::kBetween;
  line_.clear();
  body_size_.reset();
}

std::size_t FrameEndFinder::take_head_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end);
  line_.append(part.substr(0, kLineKept - std::min(kLineKept, line_.size())));
  if (end == std::string_view::npos) return bytes.size();
  end_line();
  return end + 1;
}

void FrameEndFinder::end_line() {
  if (line_.empty()) {
    state_ = body_size_ ? State::kSizedBody : State::kNulBody;
    body_left_ = body_size_.value_or(0) + 1;
    return;
  }
  if (!body_size_ && line_.starts_with(kContentLength)) {
    std::uint64_t size = 0;
    const char* const end = line_.data() + line_.size();
    if (std::from_chars(line_.data() + kContentLength.size(), end, size).ec == std::errc()) {
      body_size_ = size;
    }
  }
  line_.clear();
}

}  // namespace stompbox::net
