#include "broker/options/listener_text.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "broker/options/nearest.h"
#include "broker/options/options_table.h"
#include "broker/options/units.h"

namespace stompbox::options {
namespace {

using storage::Error;
using storage::ErrorCode;

// Those that are the same as an option, which says how the value is read.
constexpr std::array<std::string_view, 11> kKeys = {"tls.certificate",
                                                    "tls.key",
                                                    "tls.authorities",
                                                    "tls.clients",
                                                    "tls.lowest",
                                                    "session.login_timeout",
                                                    "limits.body_max",
                                                    "limits.headers_max",
                                                    "limits.headers_count_max",
                                                    "limits.header_line_max",
                                                    "limits.frame_before_login_max"};
constexpr std::string_view kOrigin = "origin";
constexpr std::string_view kConnections = "connections";
constexpr std::string_view kRate = "rate";

// The end of a sentence about the value; no text: it is good.
storage::Status set_count(std::string_view text, std::uint64_t most, std::uint64_t& count) {
  const auto parsed = parse_count(text);
  if (!parsed) return parsed.error();
  if (*parsed == 0 || *parsed > most) {
    return Error{ErrorCode::kInvalid, "is not from 1 to " + std::to_string(most)};
  }
  count = *parsed;
  return storage::kOk;
}

std::string nearest_name(std::string_view name) {
  std::vector<std::string_view> names = {kOrigin, kConnections, kRate};
  for (const std::string_view key : kKeys)
    names.push_back(name_of(*find_row(key)));
  const std::string near = nearest(name, names);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

// What is read of one listener's parameters.
struct Reading {
  Options options;  // a copy of those of all, with this listener's own
  std::vector<std::string> origins;
  std::uint64_t connection_count_max = 0;
  std::uint64_t connection_rate_max = 0;
};

storage::Status set_parameter(std::string_view name, std::string_view value, Reading& reading) {
  if (name == kOrigin) {
    reading.origins.emplace_back(value);
    return storage::kOk;
  }
  if (name == kConnections) return set_count(value, SIZE_MAX, reading.connection_count_max);
  if (name == kRate) return set_count(value, UINT32_MAX, reading.connection_rate_max);
  for (const std::string_view key : kKeys) {
    const Row& row = *find_row(key);
    if (name_of(row) != name) continue;
    const std::array<std::string, 1> texts = {std::string(value)};
    return set_field(row.field, reading.options, texts);
  }
  return Error{ErrorCode::kNotFound, ""};
}

storage::Status read_parameters(std::string_view text, std::string_view parameters,
                                Reading& reading) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find('&'), parameters.size());
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    const auto status = set_parameter(name, value, reading);
    if (status) continue;
    std::string sentence = "the listener '" + std::string(text) + "': ";
    if (status.error().code == ErrorCode::kNotFound) {
      sentence += "there is no parameter '" + std::string(name) + "'" + nearest_name(name);
    } else {
      sentence += "'" + std::string(name) + "' " + status.error().text;
    }
    return Error{ErrorCode::kInvalid, std::move(sentence)};
  }
  return storage::kOk;
}

storage::Status check_tls(std::string_view text, const net::ListenerOptions& listener,
                          const Options& options) {
  const net::Scheme scheme = listener.address.scheme;
  const bool must = scheme == net::Scheme::kTls || scheme == net::Scheme::kWss;
  const std::string subject = "the listener '" + std::string(text) + "'";
  if (must && listener.tls.certificate.empty()) {
    return Error{ErrorCode::kInvalid,
                 subject +
                     " speaks TLS and has no certificate: name its file with "
                     "--tls-certificate, or as ?certificate=FILE behind the address"};
  }
  if (!must && scheme != net::Scheme::kAuto) return storage::kOk;
  const bool asks = listener.tls.clients != net::ClientCertificates::kNone;
  if (asks && listener.tls.certificate.empty()) {
    return Error{ErrorCode::kInvalid,
                 subject +
                     " asks for client certificates and has none of its own, without which it "
                     "speaks no TLS: give --tls-certificate"};
  }
  if (asks && listener.tls.authorities.empty()) {
    return Error{ErrorCode::kInvalid,
                 subject +
                     " asks for client certificates, and nobody is named who signs them: "
                     "give --tls-authorities"};
  }
  const bool own_authorities = listener.tls.authorities != options.tls.authorities;
  if (!asks && own_authorities) {
    return Error{ErrorCode::kInvalid,
                 subject +
                     " names who signs client certificates and asks for none: say clients=wish or "
                     "clients=require"};
  }
  return storage::kOk;
}

}  // namespace

storage::Result<net::ListenerOptions> parse_listener(std::string_view text,
                                                     const Options& options) {
  const std::size_t question = std::min(text.find('?'), text.size());
  const auto address = net::parse_listen_address(text.substr(0, question));
  if (!address) return address.error();
  Reading reading{options, {}, 0, 0};
  const std::string_view parameters = text.substr(std::min(question + 1, text.size()));
  if (auto status = read_parameters(text, parameters, reading); !status) return status.error();
  net::ListenerOptions listener;
  listener.address = *address;
  listener.tls = reading.options.tls;
  listener.session = reading.options.session;
  listener.origins = reading.origins.empty() ? options.origins : std::move(reading.origins);
  listener.connection_count_max = reading.connection_count_max;
  listener.connection_rate_max = static_cast<std::uint32_t>(reading.connection_rate_max);
  if (auto status = check_tls(text, listener, options); !status) return status.error();
  return listener;
}

}  // namespace stompbox::options
