#pragma once

#include <functional>
#include <string_view>

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "storage/result.h"

namespace stompbox {

// The process that was our parent when this one began: it may die before anybody watches it.
[[nodiscard]] pid_t first_parent();

// What a broker hangs on that belongs to somebody, a test suite above all: it shall not outlive its
// parent, or the other end of its standard input. Loop thread only.
class Lifelines {
 public:
  // `on_cut` is called at most once, with one word that says what is gone.
  using OnCut = std::function<void(std::string_view reason)>;
  Lifelines(asio::io_context& io, OnCut on_cut);

  // `parent` is who started us, see first_parent(); if it is our parent no more, that is the cut.
  // It is watched as a process: the signal that the kernel sends at a parent's death
  // (PR_SET_PDEATHSIG) means the thread that started us, and threads of test runners come and go.
  // kUnavailable where the kernel has no pidfd_open, or the parent cannot be seen from our
  // namespace.
  [[nodiscard]] storage::Status hold_parent(pid_t parent);
  // Standard input; what comes in is thrown away. kInvalid for an input that never closes, a plain
  // file or /dev/null.
  [[nodiscard]] storage::Status hold_input();
  void let_go();

 private:
  void await_parent();
  void await_input();
  void cut(std::string_view reason);

  OnCut on_cut_;
  asio::posix::stream_descriptor parent_;
  asio::posix::stream_descriptor input_;
};

}  // namespace stompbox
