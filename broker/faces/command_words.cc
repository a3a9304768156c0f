#include "broker/faces/command_words.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::Status;

Error complaint(std::string_view what, std::string_view word) {
  return {ErrorCode::kInvalid, std::string(what).append(": ").append(word)};
}

std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class Reading {
 public:
  Reading(std::span<const SwitchRow> rows, std::span<const std::string> words)
      : rows_(rows), words_(words) {}

  storage::Result<CommandWords> read() {
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (word == "--") break;
      if (auto status = read_word(word); !status) return status.error();
    }
    found_.others.insert(found_.others.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_),
                         words_.end());
    return std::move(found_);
  }

 private:
  Status read_word(const std::string& word) {
    if (word.starts_with("--")) return read_long(word);
    if (word.starts_with('-') && word.size() > 1) return read_letters(word);
    found_.others.push_back(word);
    return storage::kOk;
  }

  Status read_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    const auto row = find_long(word.substr(2, equals == std::string::npos ? equals : equals - 2));
    if (!row) return row.error();
    const std::string written = word.substr(0, equals);
    if (rows_[*row].placeholder.empty()) {
      if (equals != std::string::npos) return complaint("needless argument", word);
      return take(*row, written, {});
    }
    if (equals != std::string::npos) return take(*row, written, word.substr(equals + 1));
    return take_next(*row, written);
  }

  Status read_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto row =
          std::find_if(rows_.begin(), rows_.end(),
                       [c = word[i]](const SwitchRow& one) { return one.letter == c; });
      if (row == rows_.end()) return complaint("invalid option", "-" + word.substr(i));
      const auto index = static_cast<std::size_t>(row - rows_.begin());
      const std::string written = std::string("-") + word[i];
      if (row->placeholder.empty()) {
        if (auto status = take(index, written, {}); !status) return status;
      } else if (i + 1 < word.size()) {
        return take(index, written, word.substr(i + 1));
      } else {
        return take_next(index, written);
      }
    }
    return storage::kOk;
  }

  // The one whose name this is, or the only one whose name begins so.
  storage::Result<std::size_t> find_long(const std::string& name) const {
    const std::string wanted = folded(name);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::string candidate = folded(rows_[i].name);
      if (candidate == wanted) return i;
      if (wanted.empty() || !candidate.starts_with(wanted)) continue;
      if (found) return complaint("ambiguous option", "--" + name);
      found = i;
    }
    if (!found) return complaint("invalid option", "--" + name);
    return *found;
  }

  Status take(std::size_t row, const std::string& written, std::string value) {
    found_.switches.push_back({row, written, std::move(value)});
    return storage::kOk;
  }

  Status take_next(std::size_t row, const std::string& written) {
    if (at_ >= words_.size()) return complaint("missing argument", written);
    return take(row, written, words_[at_++]);
  }

  const std::span<const SwitchRow> rows_;
  const std::span<const std::string> words_;
  std::size_t at_ = 0;  // the next word
  CommandWords found_;
};

}  // namespace

storage::Result<CommandWords> read_command_words(std::span<const SwitchRow> rows,
                                                 std::span<const std::string> words) {
  return Reading(rows, words).read();
}

std::string describe_switches(std::span<const SwitchRow> rows) {
  constexpr std::size_t kColumn = 36;
  std::string text;
  for (const SwitchRow& row : rows) {
    std::string line = row.letter == '\0' ? "        " : std::string("    -") + row.letter + ", ";
    line.append("--").append(row.name);
    if (!row.placeholder.empty()) line.append("=").append(row.placeholder);
    line.resize(std::max(line.size() + 1, kColumn), ' ');
    text.append(line).append(row.help).append("\n");
  }
  return text;
}

}  // namespace stompbox::faces
