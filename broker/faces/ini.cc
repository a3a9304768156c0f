#include "broker/faces/ini.h"

#include <cstddef>

namespace stompbox::faces {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

class Reading {
 public:
  // False: the line is none of an INI file.
  bool take(std::string_view line) {
    const std::string_view text = trimmed(line);
    const bool indented = !line.empty() && (line[0] == ' ' || line[0] == '\t');
    if (text.empty() || text[0] == '#' || text[0] == ';') return true;
    if (indented && value_ != nullptr) {
      value_->append("\n").append(text);
      return true;
    }
    return text[0] == '[' ? open_section(text) : take_pair(text);
  }

  IniFile file;

 private:
  bool open_section(std::string_view text) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    section_ = &file[std::string(text.substr(1, end - 1))];
    value_ = nullptr;
    return true;
  }

  bool take_pair(std::string_view text) {
    const std::size_t sign = text.find_first_of("=:");
    if (section_ == nullptr || sign == 0 || sign == std::string_view::npos) return false;
    value_ = &(*section_)[in_small_letters(trimmed(text.substr(0, sign)))];
    *value_ = trimmed(text.substr(sign + 1));
    return true;
  }

  std::map<std::string, std::string>* section_ = nullptr;
  std::string* value_ = nullptr;  // of the last pair: it may go on
};

}  // namespace

storage::Result<IniFile> read_ini(std::string_view text, const std::string& source) {
  Reading reading;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (!reading.take(text.substr(0, end))) {
      return storage::Error{
          storage::ErrorCode::kInvalid,
          source + " line " + std::to_string(number) + " is neither [section] nor key = value"};
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return std::move(reading.file);
}

}  // namespace stompbox::faces
