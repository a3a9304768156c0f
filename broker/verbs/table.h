#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stompbox::verbs {

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string title;  // empty in all columns: no line of titles
  Align align = Align::kLeft;
};

// Lines of aligned columns, two blanks between them, none at the end of a line.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns. Cells may come from strangers: control characters become blanks.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// UTF-8 text without control characters, so that it can do nothing to a terminal.
[[nodiscard]] std::string printable(std::string_view text);
// At most so many characters, with "..." in place of the rest.
[[nodiscard]] std::string shorten(std::string text, std::size_t characters_max);

// "3 s", "12 min", "5 h", "8 d"; "-" for less than nothing.
[[nodiscard]] std::string show_age(std::int64_t milliseconds);
// "2026-01-31 14:05:09" in local time.
[[nodiscard]] std::string show_time(std::int64_t unix_milliseconds);
// "512 B", "1.2 MiB"
[[nodiscard]] std::string show_bytes(std::uint64_t bytes);
// "1 letter", "2 letters"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace stompbox::verbs
