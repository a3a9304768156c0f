// Asio's code, compiled once (ASIO_SEPARATE_COMPILATION).
#include <cstddef>  // before Asio, see asio_support.h

#include <asio/impl/src.hpp>
