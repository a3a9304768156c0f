#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/access/options.h"
#include "broker/access/users.h"

// Users files of other brokers, whose passcodes stand in them as they are.
namespace stompbox::access {

struct PlainUsers {
  Users users;
  std::vector<std::string> warnings;  // lines that make no sense, which those brokers skip too
};

// kStompServer: lines `login:passcode`, blanks around them cut off, parted at the last colon, `#`
// comments (fact 3.3). kCoilmq: an INI file whose section [auth] has `login = passcode`; its logins
// are in small letters, whatever the file says (fact 3.9). The later one of a login wins.
[[nodiscard]] PlainUsers parse_plain_users(std::string_view text, const std::string& source,
                                           PlainUsersFormat format);

}  // namespace stompbox::access
