#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

// Errors of the world outside (disk, database, input) as values. A bug of ours is an assert
// instead.
namespace stompbox::storage {

// What the caller can do about it; the text says what happened, to what, and the remedy.
enum class ErrorCode {
  kInvalid,      // the input breaks a rule; the same input will break it again
  kTooLarge,     // the input is beyond a limit of ours; the limit is an option
  kNotFound,     // what was named does not exist
  kBusy,         // somebody else holds it now; later it may work
  kUnavailable,  // the other side is not there; later it may work
  kFull,         // no room on the disk; works again when there is room
  kCorrupt,      // stored bytes are damaged
  kVersion,      // stored by a newer program
  kDenied,       // file permission or wrong owner
  kIo,           // any other failure of the operating system
};

struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string text;  // one sentence, no final newline

  friend bool operator==(const Error&, const Error&) = default;
};

// A value or the reason why there is none; the first names of std::expected, which GCC 12 lacks.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const Error& error() const {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }

  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

// For calls that give nothing back: `return kOk;` or `return Error{...};`.
struct Nothing {
  friend bool operator==(Nothing, Nothing) = default;
};
inline constexpr Nothing kOk{};
using Status = Result<Nothing>;

}  // namespace stompbox::storage
