#include "broker/control/control.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "broker/control/json.h"
#include "broker/control/socket_path.h"

namespace stompbox::control {
namespace {

using Protocol = asio::local::stream_protocol;

constexpr std::size_t kRequestBytesMax = 64 * 1024;
constexpr std::size_t kCallersMax = 32;
// From accept to the last byte of the answer.
constexpr std::chrono::seconds kPatience{30};
// After an accept that failed (no descriptor left, for one).
constexpr std::chrono::seconds kPause{1};

// One connection: a line in, a line out, the end. Kept alive by its pending operations; ends by
// closing its socket. Its answer may come when it is gone.
class Caller {
 public:
  explicit Caller(Protocol::socket socket)
      : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  static void start(const std::shared_ptr<Caller>& self, const Requests& requests) {
    self->timer_.expires_after(kPatience);
    self->timer_.async_wait([self](std::error_code error) {
      if (!error) self->close();
    });
    asio::async_read_until(self->socket_, asio::dynamic_buffer(self->line_, kRequestBytesMax), '\n',
                           [self, requests](std::error_code error, std::size_t size) {
                             take_request(self, requests, error, size);
                           });
  }

  void close() {
    std::error_code ignored;  // a socket that cannot be closed well is closed all the same
    socket_.close(ignored);
    timer_.cancel();
  }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

 private:
  static void take_request(const std::shared_ptr<Caller>& self, const Requests& requests,
                           std::error_code error, std::size_t size) {
    if (error == asio::error::not_found) {
      return answer(self, error_answer("a request is one line of at most 64 KiB"));
    }
    if (error) return self->close();
    self->line_.resize(size - 1);
    requests(self->line_, [self](std::string json) { answer(self, std::move(json)); });
  }

  static void answer(const std::shared_ptr<Caller>& self, std::string json) {
    if (!self->is_open()) return;
    self->answer_ = std::move(json);
    self->answer_.push_back('\n');
    asio::async_write(self->socket_, asio::buffer(self->answer_),
                      [self](std::error_code, std::size_t) { self->close(); });
  }

  Protocol::socket socket_;
  asio::steady_timer timer_;
  std::string line_;
  std::string answer_;
};

storage::Error socket_error(const std::string& path, const std::error_code& error) {
  const auto code = error.value() == EACCES ? storage::ErrorCode::kDenied : storage::ErrorCode::kIo;
  return {code, "cannot make the control socket " + path + ": " + error.message()};
}

}  // namespace

struct ControlDoor::Impl {
  Impl(asio::io_context& io, std::string the_path, Requests the_requests)
      : acceptor(io), pause(io), path(std::move(the_path)), requests(std::move(the_requests)) {}

  storage::Status listen();
  storage::Status make_way();
  void take_away();
  void accept();
  void accept_later();
  void take(Protocol::socket socket);

  Protocol::acceptor acceptor;
  asio::steady_timer pause;
  const std::string path;
  const Requests requests;
  std::optional<SocketPath> short_path;
  // The file that bind made: another may have taken its place since.
  struct stat made = {};
  std::set<std::shared_ptr<Caller>> callers;
  // Handlers that come after the door is gone find this expired.
  std::shared_ptr<Impl*> alive = std::make_shared<Impl*>(this);
};

// Only a socket that nobody listens on any more is taken away.
storage::Status ControlDoor::Impl::make_way() {
  struct stat there = {};
  if (::lstat(path.c_str(), &there) != 0) return storage::kOk;  // or bind says what is wrong
  if (!S_ISSOCK(there.st_mode)) {
    return storage::Error{
        storage::ErrorCode::kInvalid,
        "cannot make the control socket " + path + ": there is something else of that name"};
  }
  std::error_code error;
  Protocol::socket caller(acceptor.get_executor());
  caller.open(Protocol(), error);
  if (!error) caller.non_blocking(true, error);  // one with a full backlog is there, too
  if (!error) caller.connect(Protocol::endpoint(short_path->text()), error);
  if (error.value() == ECONNREFUSED) {
    ::unlink(path.c_str());
    return storage::kOk;
  }
  if (error) return socket_error(path, error);
  return storage::Error{storage::ErrorCode::kBusy, "cannot make the control socket " + path +
                                                       ": a running broker answers there"};
}

void ControlDoor::Impl::take_away() {
  struct stat now = {};
  const bool ours =
      ::lstat(path.c_str(), &now) == 0 && now.st_dev == made.st_dev && now.st_ino == made.st_ino;
  if (ours) ::unlink(path.c_str());
}

storage::Status ControlDoor::Impl::listen() {
  auto place = SocketPath::make(path);
  if (!place) return place.error();
  short_path.emplace(std::move(*place));
  if (auto status = make_way(); !status) return status;
  std::error_code error;
  acceptor.open(Protocol(), error);
  if (error) return socket_error(path, error);
  // Of the socket before it has a name: the file never has another mode.
  if (::fchmod(acceptor.native_handle(), 0600) != 0) {
    return socket_error(path, {errno, std::generic_category()});
  }
  acceptor.bind(Protocol::endpoint(short_path->text()), error);
  if (!error && ::lstat(path.c_str(), &made) != 0) error = {errno, std::generic_category()};
  if (!error) acceptor.listen(static_cast<int>(kCallersMax), error);
  if (error) return socket_error(path, error);
  return storage::kOk;
}

void ControlDoor::Impl::accept() {
  acceptor.async_accept(
      [door = std::weak_ptr<Impl*>(alive)](std::error_code error, Protocol::socket socket) {
        const auto impl = door.lock();
        if (!impl || !(*impl)->acceptor.is_open()) return;
        if (error) return (*impl)->accept_later();
        (*impl)->take(std::move(socket));
        (*impl)->accept();
      });
}

void ControlDoor::Impl::accept_later() {
  pause.expires_after(kPause);
  pause.async_wait([door = std::weak_ptr<Impl*>(alive)](std::error_code) {
    const auto impl = door.lock();
    if (impl && (*impl)->acceptor.is_open()) (*impl)->accept();
  });
}

// One too many is closed without an answer.
void ControlDoor::Impl::take(Protocol::socket socket) {
  std::erase_if(callers, [](const auto& caller) { return !caller->is_open(); });
  if (callers.size() >= kCallersMax) return;
  const auto caller = std::make_shared<Caller>(std::move(socket));
  callers.insert(caller);
  Caller::start(caller, requests);
}

ControlDoor::ControlDoor(asio::io_context& io, std::string socket_path, Requests requests)
    : impl_(std::make_unique<Impl>(io, std::move(socket_path), std::move(requests))) {}

ControlDoor::~ControlDoor() {
  close();
}

storage::Status ControlDoor::open() {
  auto status = impl_->listen();
  if (status) impl_->accept();
  return status;
}

void ControlDoor::close() {
  if (!impl_->acceptor.is_open()) return;
  std::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->pause.cancel();
  impl_->take_away();
  for (const auto& caller : impl_->callers)
    caller->close();
  impl_->callers.clear();
}

}  // namespace stompbox::control
