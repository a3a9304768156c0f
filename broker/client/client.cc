#include "broker/client/client.h"

#include <memory>
#include <variant>

#include "broker/client/frames.h"
#include "protocol/encoder.h"

namespace stompbox::client {
namespace {

using protocol::Command;
using protocol::Frame;

std::optional<protocol::Version> version_of(const Frame& connected) {
  return protocol::negotiate(connected.headers.find("version").value_or("1.0"));
}

}  // namespace

Client::Client(Wire wire, const ClientOptions& options)
    : wire_(std::move(wire)),
      decoder_(std::make_unique<protocol::FrameDecoder>(options.limits, protocol::Side::kClient)),
      patience_(options.patience) {}

storage::Result<Client> Client::connect(const ClientOptions& options) {
  auto wire = Wire::connect(options.broker, options.tls,
                            std::chrono::steady_clock::now() + options.patience);
  if (!wire) return wire.error();
  Client client(std::move(*wire), options);
  if (auto status = client.log_in(options); !status) return status.error();
  return client;
}

storage::Status Client::log_in(const ClientOptions& options) {
  Frame connect = make_frame(Command::kConnect);
  connect.headers.add("accept-version", protocol::kSupportedVersions);
  connect.headers.add("host", "/");  // RabbitMQ's vhost; others do not mind
  connect.headers.add("heart-beat", "0,0");
  if (!options.login.empty()) {
    connect.headers.add("login", options.login);
    connect.headers.add("passcode", options.passcode);
  }
  if (auto status = write(std::move(connect), Confirm::kNone); !status) return status;
  auto answer = next_frame(deadline());
  if (!answer) return answer.error();
  if (!*answer) {
    return storage::Error{storage::ErrorCode::kBusy,
                          to_text(options.broker) + " does not answer: is it a STOMP broker?"};
  }
  if ((*answer)->command != Command::kConnected) {
    return storage::Error{storage::ErrorCode::kIo,
                          to_text(options.broker) + " answers with something else than CONNECTED"};
  }
  server_ = (*answer)->headers.find("server").value_or("");
  logged_in_ = true;
  return storage::kOk;
}

storage::Status Client::send(std::string_view destination, const HeaderList& headers,
                             std::string body, Confirm confirm) {
  Frame frame = make_frame(Command::kSend);
  frame.headers.add("destination", destination);
  for (const auto& [name, value] : headers)
    frame.headers.add(name, value);
  frame.body = std::move(body);
  return write(std::move(frame), confirm);
}

storage::Status Client::subscribe(const Subscribe& request) {
  Frame frame = make_frame(Command::kSubscribe);
  frame.headers.add("destination", request.destination);
  frame.headers.add("id", request.id);
  frame.headers.add("ack", request.ack);
  if (request.prefetch_count > 0) {
    frame.headers.add("prefetch-count", std::to_string(request.prefetch_count));
  }
  for (const auto& [name, value] : request.headers)
    frame.headers.add(name, value);
  return write(std::move(frame), Confirm::kReceipt);
}

storage::Status Client::unsubscribe(std::string_view id) {
  Frame frame = make_frame(Command::kUnsubscribe);
  frame.headers.add("id", id);
  return write(std::move(frame), Confirm::kNone);
}

storage::Status Client::acknowledge(const Frame& message, Confirm confirm) {
  Frame frame = make_frame(Command::kAck);
  if (version_ == protocol::Version::k12) {
    frame.headers.add("id", message.headers.find("ack").value_or(""));
  } else {
    frame.headers.add("message-id", message.headers.find("message-id").value_or(""));
    if (const auto subscription = message.headers.find("subscription")) {
      frame.headers.add("subscription", *subscription);
    }
  }
  return write(std::move(frame), confirm);
}

storage::Status Client::disconnect() {
  return write(make_frame(Command::kDisconnect), Confirm::kReceipt);
}

storage::Status Client::write(Frame frame, Confirm confirm) {
  std::string receipt;
  if (confirm == Confirm::kReceipt) {
    receipt = std::to_string(++last_receipt_);
    frame.headers.add("receipt", receipt);
  }
  std::string bytes;
  protocol::append_frame(bytes, version_, frame);
  auto sent = wire_.send(
      bytes, [this](std::string_view came) { take_in(came); }, deadline());
  if (!sent) {
    // The broker may have said why it closed.
    const auto last = next_frame(std::chrono::steady_clock::now());
    return last ? sent : storage::Status(last.error());
  }
  return receipt.empty() ? storage::kOk : wait_for_receipt(receipt);
}

storage::Status Client::wait_for_receipt(const std::string& receipt) {
  const Deadline until = deadline();
  for (;;) {
    auto frame = next_frame(until);
    if (!frame) return frame.error();
    if (!*frame) {
      return storage::Error{storage::ErrorCode::kBusy,
                            "the broker has not confirmed it in time: it may or may not have "
                            "been done"};
    }
    if ((*frame)->command == Command::kMessage) {
      messages_.push_back(std::move(**frame));
    } else if ((*frame)->command == Command::kReceipt &&
               (*frame)->headers.find("receipt-id") == receipt) {
      return storage::kOk;
    }
  }
}

storage::Result<std::optional<Frame>> Client::receive(std::chrono::milliseconds timeout) {
  if (!messages_.empty()) {
    Frame message = std::move(messages_.front());
    messages_.pop_front();
    return std::optional(std::move(message));
  }
  const Deadline until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto frame = next_frame(until);
    if (!frame || !*frame || (*frame)->command == Command::kMessage) return frame;
  }
}

storage::Result<std::optional<Frame>> Client::next_frame(Deadline until) {
  while (arrived_.empty()) {
    const auto came = wire_.receive([this](std::string_view bytes) { take_in(bytes); }, until);
    if (!came) return came.error();
    if (*came == Wire::Came::kNothing) return std::optional<Frame>();
    if (*came == Wire::Came::kEnd && arrived_.empty()) {
      return storage::Error{storage::ErrorCode::kUnavailable, "the broker closed the connection"};
    }
  }
  protocol::DecodeEvent event = std::move(arrived_.front());
  arrived_.pop_front();
  if (const auto* fault = std::get_if<protocol::ProtocolError>(&event)) {
    return storage::Error{storage::ErrorCode::kIo,
                          "the other side does not speak STOMP: " + fault->detail};
  }
  Frame frame = std::move(std::get<Frame>(event));
  if (frame.command == Command::kError) {
    return storage::Error{logged_in_ ? storage::ErrorCode::kInvalid : storage::ErrorCode::kDenied,
                          "the broker says: " + text_of_error(frame)};
  }
  return std::optional(std::move(frame));
}

void Client::take_in(std::string_view bytes) {
  decoder_->feed(bytes);
  while (auto event = decoder_->next()) {
    const auto* frame = std::get_if<Frame>(&*event);
    if (frame != nullptr && frame->command == Command::kConnected) {
      version_ = version_of(*frame).value_or(protocol::Version::k10);
      decoder_->set_version(version_);
      decoder_->let_in();
    }
    const bool fault = frame == nullptr;
    arrived_.push_back(std::move(*event));
    if (fault) return;  // always the same from here on
  }
}

Deadline Client::deadline() const {
  return std::chrono::steady_clock::now() + patience_;
}

}  // namespace stompbox::client
