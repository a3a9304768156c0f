#pragma once

#include <string_view>

#include "broker/net/listener_options.h"
#include "broker/options/options.h"
#include "storage/result.h"

namespace stompbox::options {

// One of listen.addresses: "SCHEME://ADDR:PORT", and behind a '?' what holds for this listener
// only, NAME=VALUE joined by '&'. A name is the option's own, without its section:
//
//   certificate key authorities clients lowest    as in [tls]
//   origin                                        one of listen.origins; may be repeated
//   login_timeout body_max headers_max headers_count_max header_line_max frame_before_login_max
//   connections rate                              at once; new ones in a second
//
// What it does not name is taken from `options`. kInvalid, with a sentence; files are not read.
[[nodiscard]] storage::Result<net::ListenerOptions> parse_listener(std::string_view text,
                                                                   const Options& options);

}  // namespace stompbox::options
