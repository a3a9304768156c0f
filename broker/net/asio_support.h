#pragma once

#include <cstddef>  // before Asio, see below

#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

// Asio allocates with aligned_alloc if the standard library's macros, which any of its headers
// sets, say so, and else with operator new; all translation units have to agree.
#if !defined(ASIO_HAS_STD_ALIGNED_ALLOC)
#error "include a header of the standard library before the first one of Asio"
#endif

namespace stompbox::net {

// `auto [error, n] = co_await socket.async_…(…, as_result);`: no exceptions for I/O.
inline constexpr asio::experimental::as_tuple_t<asio::use_awaitable_t<>> as_result{};

// Starts a coroutine. An exception that escapes it is a bug of ours: it comes out of io.run().
void spawn(asio::io_context& io, asio::awaitable<void> work);

}  // namespace stompbox::net
