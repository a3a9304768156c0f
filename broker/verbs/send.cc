#include "broker/verbs/send.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stompbox::verbs {
namespace {

constexpr std::size_t kBodyMax = 100 * 1024 * 1024;

storage::Result<std::string> find_body(const SendOptions& options) {
  if (options.body) return *options.body;
  if (!options.file.empty() && options.file != "-") return read_file(options.file, kBodyMax);
  return read_input(kBodyMax);
}

}  // namespace

std::string full_destination(const std::string& text) {
  return text.starts_with('/') ? text : "/queue/" + text;
}

storage::Result<client::HeaderList> parse_headers(const std::vector<std::string>& texts) {
  // These are the client's own business.
  static constexpr std::array<std::string_view, 3> kOurs = {"destination", "receipt",
                                                            "content-length"};
  client::HeaderList headers;
  for (const std::string& text : texts) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon == 0) {
      return storage::Error{storage::ErrorCode::kInvalid,
                            "'" + text + "' is no header: it looks like name:value"};
    }
    const std::string name = text.substr(0, colon);
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
      return storage::Error{storage::ErrorCode::kInvalid,
                            "the header '" + name + "' is set by 'send' itself"};
    }
    headers.emplace_back(name, text.substr(colon + 1));
  }
  return headers;
}

Exit send(const SendOptions& options) {
  auto headers = parse_headers(options.headers);
  if (!headers) return fail(headers.error());
  if (!options.content_type.empty()) headers->emplace_back("content-type", options.content_type);
  auto body = find_body(options);
  if (!body) return fail(body.error());
  auto client = log_in(options.login);
  if (!client) return fail(client.error());
  const std::string destination = full_destination(options.destination);
  auto status = client->send(destination, *headers, std::move(*body), options.confirm);
  // The end of the conversation shows a message that was refused without a receipt.
  if (status) status = client->disconnect();
  if (!status) {
    complain(status.error().text);
    return Exit::kFailed;
  }
  return Exit::kDone;
}

}  // namespace stompbox::verbs
