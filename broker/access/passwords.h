#pragma once

#include <string>
#include <string_view>

#include "storage/result.h"

// yescrypt hashes of passcodes. Slow on purpose (some 20 ms and 16 MiB each): never on the loop.
namespace stompbox::access {

// What the hash function takes; longer passcodes never match and cannot be set.
inline constexpr std::size_t kPasscodeBytesMax = 511;

// A new hash with a salt of its own. kInvalid for an empty passcode, one that is too long, or one
// with a NUL, which the hash function would end at.
[[nodiscard]] storage::Result<std::string> hash_password(std::string_view passcode);

enum class Verdict { kRight, kWrong };

// Compares in constant time.
[[nodiscard]] Verdict verify_password(std::string_view passcode, const std::string& hash);

// The same for a passcode that is kept as it is. The time tells nothing but the length of what was
// offered. An empty secret is nobody's.
[[nodiscard]] Verdict verify_plain(std::string_view passcode, std::string_view secret);

// Takes as long as a comparison and is always wrong: for users that do not exist.
[[nodiscard]] Verdict verify_nobody(std::string_view passcode);

// Whether the text is a hash that verify_password can use. Only strong methods are taken.
[[nodiscard]] bool is_password_hash(const std::string& text);

}  // namespace stompbox::access
