#include "broker/net/asio_support.h"

#include <exception>
#include <utility>

#include <asio/co_spawn.hpp>

namespace stompbox::net {

void spawn(asio::io_context& io, asio::awaitable<void> work) {
  asio::co_spawn(io, std::move(work), [](const std::exception_ptr& escaped) {
    if (escaped) std::rethrow_exception(escaped);
  });
}

}  // namespace stompbox::net
