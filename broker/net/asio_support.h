#pragma once

#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

namespace stompbox::net {

// `auto [error, n] = co_await socket.async_…(…, as_result);`: no exceptions for I/O.
inline constexpr asio::experimental::as_tuple_t<asio::use_awaitable_t<>> as_result{};

// Starts a coroutine. An exception that escapes it is a bug of ours: it comes out of io.run().
void spawn(asio::io_context& io, asio::awaitable<void> work);

}  // namespace stompbox::net
