#include <cassert>
#include <string>
#include <utility>

#include "broker/session/session.h"

// Which function obeys which frame.
namespace stompbox::session {

using protocol::Command;

void Session::obey(Frame&& frame) {
  ++figures_.frames_in;
  if (frame.short_length_mended) ++figures_.mended_lengths;
  if (phase_ == Phase::kFresh && !protocol::is_login(frame.command)) {
    fail(frame, {"Illegal command", std::string(protocol::to_text(frame.command)) +
                                        ": you must log in using CONNECT first."});
    return;
  }
  switch (frame.command) {
    case Command::kConnect:
    case Command::kStomp: on_connect(frame); break;
    case Command::kSend: on_send(std::move(frame)); break;
    case Command::kSubscribe: on_subscribe(frame); break;
    case Command::kUnsubscribe: on_unsubscribe(frame); break;
    case Command::kAck:
    case Command::kNack: on_verdict(frame); break;
    case Command::kBegin: on_begin(frame); break;
    case Command::kCommit:
    case Command::kAbort: on_end_of_transaction(frame); break;
    case Command::kDisconnect: on_disconnect(frame); break;
    case Command::kConnected:
    case Command::kMessage:
    case Command::kReceipt:
    case Command::kError: assert(!"the decoder refuses frames of servers"); break;
  }
}

// Its receipt is the last frame that goes out; nothing is obeyed any more (facts H8, H10).
void Session::on_disconnect(const Frame& frame) {
  owe_due_receipt(frame);
  start_leaving(CloseReason::kDisconnect);
}

}  // namespace stompbox::session
