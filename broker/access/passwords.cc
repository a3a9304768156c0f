#include "broker/access/passwords.h"

#include <crypt.h>

#include <array>
#include <memory>

namespace stompbox::access {
namespace {

static_assert(kPasscodeBytesMax < CRYPT_MAX_PASSPHRASE_SIZE);

constexpr const char* kYescrypt = "$y$";
// The cost that hash_password uses, written out: verify_nobody has to take as long.
constexpr unsigned long kCost = 5;

// The hash of `passcode` under `setting`; empty if the setting makes no sense.
std::string crypt_text(const std::string& passcode, const char* setting) {
  const auto work = std::make_unique<crypt_data>();
  const char* hash = ::crypt_rn(passcode.c_str(), setting, work.get(), sizeof(crypt_data));
  return hash == nullptr ? std::string() : std::string(hash);
}

// The time depends on the length of `offered` only.
bool equal_in_constant_time(std::string_view offered, std::string_view secret) {
  if (secret.empty()) return false;
  std::size_t difference = offered.size() ^ secret.size();
  for (std::size_t i = 0; i < offered.size(); ++i) {
    difference |= static_cast<unsigned char>(offered[i]) ^
                  static_cast<unsigned char>(secret[i % secret.size()]);
  }
  return difference == 0;
}

bool can_be_hashed(std::string_view passcode) {
  return !passcode.empty() && passcode.size() <= kPasscodeBytesMax &&
         passcode.find('\0') == std::string_view::npos;
}

std::string new_setting() {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  const char* made = ::crypt_gensalt_rn(kYescrypt, kCost, nullptr, 0, setting.data(),
                                        static_cast<int>(setting.size()));
  return made == nullptr ? std::string() : std::string(made);
}

}  // namespace

storage::Result<std::string> hash_password(std::string_view passcode) {
  using storage::Error;
  using storage::ErrorCode;
  if (passcode.empty()) return Error{ErrorCode::kInvalid, "an empty passcode is not allowed"};
  if (!can_be_hashed(passcode)) {
    return Error{
        ErrorCode::kInvalid,
        "a passcode has at most " + std::to_string(kPasscodeBytesMax) + " bytes, none of them NUL"};
  }
  const std::string setting = new_setting();
  if (setting.empty()) return Error{ErrorCode::kIo, "the system gives no random bytes for a salt"};
  std::string hash = crypt_text(std::string(passcode), setting.c_str());
  if (hash.empty()) return Error{ErrorCode::kIo, "the system's crypt library has no yescrypt"};
  return hash;
}

Verdict verify_password(std::string_view passcode, const std::string& hash) {
  if (!can_be_hashed(passcode)) return verify_nobody("x");
  const std::string computed = crypt_text(std::string(passcode), hash.c_str());
  if (computed.empty()) return Verdict::kWrong;
  return equal_in_constant_time(computed, hash) ? Verdict::kRight : Verdict::kWrong;
}

Verdict verify_plain(std::string_view passcode, std::string_view secret) {
  return equal_in_constant_time(passcode, secret) ? Verdict::kRight : Verdict::kWrong;
}

Verdict verify_nobody(std::string_view passcode) {
  static const std::string setting = new_setting();
  const std::string_view hashed = can_be_hashed(passcode) ? passcode : std::string_view("x");
  [[maybe_unused]] const std::string computed = crypt_text(std::string(hashed), setting.c_str());
  return Verdict::kWrong;
}

bool is_password_hash(const std::string& text) {
  // `name:*` or a bare setting would be a user that nobody can be.
  constexpr std::size_t kBytesMin = 20;
  return text.size() >= kBytesMin && text.size() < CRYPT_OUTPUT_SIZE &&
         ::crypt_checksalt(text.c_str()) == CRYPT_SALT_OK;
}

}  // namespace stompbox::access
