#include "broker/verbs/login.h"

#include <algorithm>
#include <cstdlib>

#include "broker/verbs/terminal.h"

namespace stompbox::verbs {
namespace {

constexpr std::size_t kPasscodeFileMax = 4096;

// The first line of the file, or the environment's.
storage::Result<std::string> find_passcode(const Login& login) {
  if (!login.passcode_file.empty()) {
    auto text = read_file(login.passcode_file, kPasscodeFileMax);
    if (text) text->erase(std::min(text->find_first_of("\r\n"), text->size()));
    return text;
  }
  const char* const passcode = std::getenv("STOMPBOX_PASSCODE");
  if (passcode != nullptr) return std::string(passcode);
  return storage::Error{storage::ErrorCode::kInvalid,
                        "user '" + login.user +
                            "' needs a passcode: put it into the environment as "
                            "STOMPBOX_PASSCODE or name a file with --passcode-file"};
}

storage::Error with_remedy(storage::Error error, const Login& login) {
  if (error.code == storage::ErrorCode::kUnavailable) {
    error.text += ": start one with 'stompbox serve', or name another with --broker";
  } else if (error.code == storage::ErrorCode::kDenied) {
    error.text += login.user.empty() ? "; say who you are with --user and STOMPBOX_PASSCODE"
                                     : "; check --user and the passcode";
  }
  return error;
}

}  // namespace

storage::Result<client::Client> log_in(const Login& login) {
  client::ClientOptions options;
  const auto url = client::parse_broker_url(login.broker);
  if (!url) return url.error();
  options.broker = *url;
  options.tls = login.tls;
  if (!login.user.empty()) {
    auto passcode = find_passcode(login);
    if (!passcode) return passcode.error();
    options.login = login.user;
    options.passcode = std::move(*passcode);
  }
  auto client = client::Client::connect(options);
  if (!client) return with_remedy(client.error(), login);
  return client;
}

}  // namespace stompbox::verbs
