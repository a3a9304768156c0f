#include "broker/client/source_url.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

namespace stompbox::client {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::string_view kForm = "a source looks like stomp://user@host:61613/queue/catalog";

Error wrong(std::string_view what) {
  return {ErrorCode::kInvalid, std::string(what) + ": " + std::string(kForm)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2 || byte < 0x20) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

storage::Status take_login(SourceUrl& source, std::string_view text) {
  const std::size_t colon = text.find(':');
  auto login = percent_decoded(text.substr(0, colon));
  auto passcode = percent_decoded(colon == std::string_view::npos ? std::string_view()
                                                                  : text.substr(colon + 1));
  if (!login || !passcode) return wrong("user or passcode of the source has a bad %-escape");
  source.login = std::move(*login);
  source.passcode = std::move(*passcode);
  return storage::kOk;
}

storage::Status take_brokers(SourceUrl& source, std::string_view list, Transport transport) {
  const std::string scheme = transport == Transport::kTls ? "tls://" : "tcp://";
  for (;;) {
    const std::size_t comma = list.find(',');
    const auto broker = parse_broker_url(scheme + std::string(list.substr(0, comma)));
    if (!broker) return wrong("the source has no host or a wrong port");
    source.brokers.push_back(*broker);
    if (comma == std::string_view::npos) return storage::kOk;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

storage::Result<SourceUrl> parse_source_url(std::string_view text) {
  constexpr std::string_view kPlain[] = {"stomp://", "tcp://"};
  constexpr std::string_view kTls[] = {"stomps://", "tls://", "stomp+ssl://", "ssl://"};
  std::optional<Transport> transport;
  std::string_view rest = text;
  const auto try_scheme = [&](std::string_view scheme, Transport meant) {
    if (transport || !text.starts_with(scheme)) return;
    transport = meant;
    rest = text.substr(scheme.size());
  };
  for (const std::string_view scheme : kPlain)
    try_scheme(scheme, Transport::kPlain);
  for (const std::string_view scheme : kTls)
    try_scheme(scheme, Transport::kTls);
  if (!transport) return wrong("a source begins with stomp:// or stomps://");
  SourceUrl source;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    const auto destination = percent_decoded(rest.substr(slash));
    if (!destination) return wrong("the queue of the source has a bad %-escape");
    source.destination = *destination;
  }
  rest = rest.substr(0, slash);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto status = take_login(source, rest.substr(0, at)); !status) return status.error();
    rest.remove_prefix(at + 1);
  }
  if (auto status = take_brokers(source, rest, *transport); !status) return status.error();
  return source;
}

std::string to_text(const SourceUrl& source) {
  const bool tls = source.brokers.front().transport == Transport::kTls;
  std::string text = tls ? "stomps://" : "stomp://";
  for (const BrokerUrl& broker : source.brokers) {
    if (&broker != &source.brokers.front()) text += ',';
    const bool v6 = broker.host.find(':') != std::string::npos;
    text += (v6 ? "[" + broker.host + "]" : broker.host) + ":" + broker.port;
  }
  return text + source.destination;
}

}  // namespace stompbox::client
