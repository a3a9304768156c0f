#include "broker/access/plain_users.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "broker/access/text_file.h"

namespace stompbox::access {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  void add(std::string_view name, std::string_view passcode) {
    read_.users.put(std::string(name), User{SecretKind::kPlain, std::string(passcode), {}});
  }
  void skip(std::size_t line, std::string_view form) {
    read_.warnings.push_back(source_ + ":" + std::to_string(line) +
                             ": this line is skipped: one with a user is " + std::string(form));
  }
  [[nodiscard]] PlainUsers take() { return std::move(read_); }

 private:
  const std::string& source_;
  PlainUsers read_;
};

void read_stompserver(Reader& reader, std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_line(text));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.rfind(':');
    const bool is_user = colon != std::string_view::npos && colon > 0 && colon + 1 < line.size() &&
                         line.find_first_of(kBlanks) == std::string_view::npos;
    if (is_user) {
      reader.add(line.substr(0, colon), line.substr(colon + 1));
    } else {
      reader.skip(number, "login:passcode, without blanks");
    }
  }
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

// In such files a percent sign is written twice.
std::string without_double_percents(std::string_view text) {
  std::string single;
  for (std::size_t i = 0; i < text.size(); ++i) {
    single += text[i];
    if (text[i] == '%' && text.substr(i + 1).starts_with('%')) ++i;
  }
  return single;
}

void read_coilmq(Reader& reader, std::string_view text) {
  bool in_auth = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_line(text));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      in_auth = line == "[auth]";
      continue;
    }
    if (!in_auth) continue;
    const std::size_t sign = line.find_first_of("=:");
    const std::string_view name = trimmed(line.substr(0, sign));
    if (sign == std::string_view::npos || name.empty()) {
      reader.skip(number, "login = passcode");
      continue;
    }
    reader.add(in_small_letters(name), without_double_percents(trimmed(line.substr(sign + 1))));
  }
}

}  // namespace

PlainUsers parse_plain_users(std::string_view text, const std::string& source,
                             PlainUsersFormat format) {
  Reader reader(source);
  switch (format) {
    case PlainUsersFormat::kStompServer: read_stompserver(reader, text); break;
    case PlainUsersFormat::kCoilmq: read_coilmq(reader, text); break;
  }
  return reader.take();
}

}  // namespace stompbox::access
