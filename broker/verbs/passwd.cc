#include "broker/verbs/passwd.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "broker/access/passwords.h"
#include "broker/access/users.h"
#include "broker/access/users_file.h"

namespace stompbox::verbs {
namespace {

constexpr std::size_t kInputMax = 4096;

storage::Error invalid(std::string text) {
  return {storage::ErrorCode::kInvalid, std::move(text)};
}

storage::Status check(const options::Options& options, const std::string& user) {
  if (options.access.users_file.empty()) {
    return invalid(
        "which users file? Name it with --users, or with access.users in the file of "
        "--config");
  }
  const std::string_view fault = access::fault_of_name(user);
  if (!fault.empty()) return invalid(std::string(fault));
  return storage::kOk;
}

storage::Result<std::string> find_passcode(const std::string& user) {
  if (!input_is_terminal()) {
    auto text = read_input(kInputMax);
    if (text) text->erase(std::min(text->find_first_of("\r\n"), text->size()));
    return text;
  }
  auto first = ask_secret("Passcode for " + user + ": ");
  if (!first) return first;
  const auto second = ask_secret("The same again: ");
  if (!second) return second;
  if (*first != *second) return invalid("the two are not the same: nothing is changed");
  return first;
}

}  // namespace

Exit put_user(const options::Options& options, const std::string& user, Passcode passcode,
              const std::vector<std::string>& groups) {
  if (const auto checked = check(options, user); !checked) return fail(checked.error());
  access::UserChange change;
  if (!groups.empty()) change.groups = groups;
  if (passcode == Passcode::kNone) change.secret = access::kNoPasscode;
  if (passcode == Passcode::kAsked) {
    const auto text = find_passcode(user);
    if (!text) return fail(text.error());
    auto hash = access::hash_password(*text);
    if (!hash) return fail(hash.error());
    change.secret = std::move(*hash);
  }
  const auto put = access::put_user(options.access.users_file, user, change);
  return put ? Exit::kDone : fail(put.error());
}

Exit delete_user(const options::Options& options, const std::string& user) {
  if (const auto checked = check(options, user); !checked) return fail(checked.error());
  const auto removed = access::remove_user(options.access.users_file, user);
  if (!removed) return fail(removed.error());
  return Exit::kDone;
}

}  // namespace stompbox::verbs
