#include "broker/faces/paths.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <memory>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

std::string url_of(const addrinfo& found, std::uint32_t port) {
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(found.ai_addr, found.ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return {};
  }
  const std::string address = text.data();
  const bool v6 = found.ai_family == AF_INET6;
  return "tcp://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

std::string path_in(const std::string& folder, std::string_view path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

storage::Result<std::string> listener_url(const std::string& host, std::uint32_t port) {
  if (host == "*") return "tcp://0.0.0.0:" + std::to_string(port);
  if (host == "localhost") return "tcp://127.0.0.1:" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int fault = host.empty() ? EAI_NONAME : ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(list, ::freeaddrinfo);
  const std::string url = fault == 0 ? url_of(*found, port) : std::string();
  if (!url.empty()) return url;
  return Error{ErrorCode::kInvalid, "cannot listen on the host '" + host + "': " +
                                        (fault == 0 ? "it has no address" : ::gai_strerror(fault))};
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace stompbox::faces
