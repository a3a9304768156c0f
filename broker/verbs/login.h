#pragma once

#include <string>

#include "broker/client/client.h"
#include "storage/result.h"

namespace stompbox::verbs {

// How to get into a broker over STOMP. The passcode never stands on the command line, where every
// user of the machine can read it.
struct Login {
  std::string broker = "tcp://localhost:61613";
  std::string user;
  std::string passcode_file;  // else the environment's STOMPBOX_PASSCODE
  client::TlsTrust tls;
};

[[nodiscard]] storage::Result<client::Client> log_in(const Login& login);

}  // namespace stompbox::verbs
