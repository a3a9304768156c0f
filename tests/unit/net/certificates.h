#pragma once

#include <string>

// Certificates for tests, made on the spot.
namespace stompbox::net::testing {

enum class KeyKind { kEc, kRsa };

struct Certificate {
  std::string certificate_file;  // PEM
  std::string key_file;
};

struct Wanted {
  std::string name;               // CN, and the files' names
  std::string alternatives = {};  // "DNS:a.example,email:x@example"
  std::string general_name = {};  // one more CN, in front
  KeyKind key = KeyKind::kEc;
  long begins_in_seconds = -60;
  long ends_in_seconds = 3600;
};

// In `folder`; without a signer it signs itself and may sign others.
Certificate make_certificate(const std::string& folder, const Wanted& wanted,
                             const Certificate* signer = nullptr);
// The same key, with a passphrase.
std::string lock_key(const Certificate& certificate, const std::string& passphrase);

}  // namespace stompbox::net::testing
