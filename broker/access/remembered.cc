#include "broker/access/remembered.h"

#include <sys/random.h>

#include <cassert>
#include <string>

namespace stompbox::access {

Digest Remembered::digest_of(std::string_view name, std::string_view passcode,
                             std::string_view hash) const {
  // Neither a name nor a hash has a control byte: the pieces cannot run into one another.
  std::string text;
  text.reserve(name.size() + hash.size() + passcode.size() + 2);
  text.append(name).append("\n").append(hash).append("\n").append(passcode);
  return keyed_digest(key_, text);
}

bool Remembered::knows(std::string_view name, std::string_view passcode,
                       std::string_view hash) const {
  return known_.contains(digest_of(name, passcode, hash));
}

void Remembered::remember(std::string_view name, std::string_view passcode, std::string_view hash) {
  if (count_max_ == 0) return;
  const Digest digest = digest_of(name, passcode, hash);
  if (!known_.insert(digest).second) return;
  by_age_.push_back(digest);
  if (by_age_.size() <= count_max_) return;
  known_.erase(by_age_.front());
  by_age_.pop_front();
}

DigestKey random_key() {
  DigestKey key{};
  const ssize_t count = ::getrandom(key.data(), key.size(), 0);
  assert(count == static_cast<ssize_t>(key.size()));  // never less for so few bytes
  return key;
}

}  // namespace stompbox::access
