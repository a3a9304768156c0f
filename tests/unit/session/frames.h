#pragma once

#include <string>
#include <string_view>

// Short ways to write frames and to look into what came.
namespace stompbox::testing {

// A frame from a text whose lines end in '\n'; the NUL is added.
inline std::string frame(std::string_view text) {
  std::string out(text);
  out.push_back('\0');
  return out;
}

// SEND of `body` with more header lines, each with its end.
inline std::string send(std::string_view destination, std::string_view body,
                        std::string_view headers = "") {
  std::string out = "SEND\ndestination:";
  out.append(destination).append("\n").append(headers);
  out.append("content-length:").append(std::to_string(body.size()));
  out.append("\n\n").append(body).push_back('\0');
  return out;
}

inline std::string subscribe(std::string_view id, std::string_view destination,
                             std::string_view headers = "") {
  std::string out = "SUBSCRIBE\nid:";
  out.append(id).append("\ndestination:").append(destination).append("\n").append(headers);
  out.append("\n").push_back('\0');
  return out;
}

inline int count_of(std::string_view text, std::string_view part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

inline bool has(std::string_view text, std::string_view part) {
  return count_of(text, part) > 0;
}

// The value of the n-th header line of that name, from 0; empty if there is none.
inline std::string value_of(std::string_view text, std::string_view name, int index = 0) {
  const std::string key = "\n" + std::string(name) + ":";
  std::size_t at = text.find(key);
  while (at != std::string_view::npos && index-- > 0)
    at = text.find(key, at + 1);
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at + key.size();
  return std::string(text.substr(begin, text.find('\n', begin) - begin));
}

}  // namespace stompbox::testing
