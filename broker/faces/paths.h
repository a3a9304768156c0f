#pragma once

#include <string>
#include <string_view>

#include "storage/result.h"

namespace stompbox::faces {

// `path` as seen from `folder`; an absolute one stays.
[[nodiscard]] std::string path_in(const std::string& folder, std::string_view path);

// The URL of a listener on a host, by name or address; names are looked up, which may block.
// kInvalid.
[[nodiscard]] storage::Result<std::string> listener_url(const std::string& host,
                                                        std::uint32_t port);

// Whether a host can be meant by other machines.
[[nodiscard]] bool is_loopback(const std::string& host);

}  // namespace stompbox::faces
