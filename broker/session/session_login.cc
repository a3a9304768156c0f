#include <string>
#include <utility>

#include "broker/session/session.h"
#include "protocol/version.h"

// CONNECT and its answers (facts D and E).
namespace stompbox::session {

using protocol::Command;
using protocol::Version;

// `host` may be anything or missing, and a `receipt` is not answered (facts D9, D14).
void Session::on_connect(const Frame& frame) {
  if (phase_ != Phase::kFresh) {
    fail(frame, {"Already connected", "CONNECT: this connection is logged in already."});
    return;
  }
  if (!agree_version(frame) || !agree_beats(frame)) return;
  user_ = frame.headers.find("login").value_or("");
  client_id_ = frame.headers.find("client-id").value_or("");
  phase_ = Phase::kChecking;
  deadline_.reset();
  gate_.check_login(number_, {.login = user_,
                              .passcode = frame.headers.find("passcode").value_or(""),
                              .host = frame.headers.find("host").value_or(""),
                              .client_id = client_id_});
  if (login_answer_) finish_login();
}

bool Session::agree_version(const Frame& frame) {
  const auto accepted = frame.headers.find("accept-version");
  version_ = accepted ? protocol::negotiate(*accepted) : Version::k10;
  if (version_) return true;
  fail(CloseReason::kProtocolError,
       {"Version mismatch", "Supported versions are " + std::string(protocol::kSupportedVersions)});
  return false;
}

bool Session::agree_beats(const Frame& frame) {
  if (version_ == Version::k10) return true;  // there are none in 1.0 (fact E8)
  const auto text = frame.headers.find("heart-beat");
  const auto wanted = text ? protocol::parse_heart_beat(*text) : protocol::HeartBeat{};
  if (!wanted) {
    fail(frame, {"Bad header", "CONNECT: the header heart-beat is " + quoted(*text) +
                                   "; two numbers of milliseconds with a comma are expected."});
    return false;
  }
  agreed_beats_ = protocol::agree(*wanted, options_.heart_beat);
  return true;
}

void Session::finish_login() {
  Admitted answer = *std::exchange(login_answer_, std::nullopt);
  if (phase_ != Phase::kChecking) return;
  switch (answer.result) {
    case LoginResult::kWelcome: break;
    case LoginResult::kWrong:
      fail(CloseReason::kLoginFailed,
           {"Access refused", "CONNECT: access refused for this login and passcode."});
      return;
    case LoginResult::kTryLater:
      fail(CloseReason::kLoginFailed,
           {"Try again later", "CONNECT: too many logins are being checked."});
      return;
    case LoginResult::kTooMany:
      fail(CloseReason::kLoginFailed,
           {"Too many connections", "CONNECT: this user has as many connections as it may."});
      return;
  }
  phase_ = Phase::kOpen;
  user_ = std::move(answer.user);
  rights_ = std::move(answer.rights);
  if (output_dead_) deadline_ = now_.steady + options_.disconnect_hold;
  owner_ = std::to_string(number_);
  if (!answer.secret.empty()) owner_ += "-" + answer.secret;
  peer_ = router_.attach(*this, owner_);
  decoder_->set_version(*version_);
  decoder_->let_in();
  beats_.agree(agreed_beats_, now_.steady);
  write_connected();
}

void Session::write_connected() {
  Frame connected;
  connected.command = Command::kConnected;
  connected.headers.add("version", protocol::to_text(*version_));
  // The 1.0 clients that know this header do not expect it, the others do (fact E6).
  if (version_ != Version::k10) {
    connected.headers.add("heart-beat", protocol::to_text(options_.heart_beat));
  }
  connected.headers.add("session", std::to_string(born_ms_) + "-" + std::to_string(number_));
  if (!options_.server_name.empty()) connected.headers.add("server", options_.server_name);
  write_frame(connected);
}

}  // namespace stompbox::session
