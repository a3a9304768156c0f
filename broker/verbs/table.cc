#include "broker/verbs/table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <ctime>

#include "broker/control/json.h"

namespace stompbox::verbs {
namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

void append_cell(std::string& line, const std::string& cell, std::size_t width, Align align) {
  const std::string padding(width - width_of(cell), ' ');
  if (align == Align::kRight) line += padding;
  line += cell;
  if (align == Align::kLeft) line += padding;
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::string& cell : cells)
    cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_)
    titles.push_back(column.title);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = width_of(titles[i]);
    for (const auto& row : rows_)
      width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  std::string text;
  const auto add_line = [this, &text, &widths](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      append_cell(line, cells[i], widths[i], columns_[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  const bool titled =
      std::any_of(titles.begin(), titles.end(), [](const auto& title) { return !title.empty(); });
  if (titled) add_line(titles);
  for (const auto& row : rows_)
    add_line(row);
  return text;
}

std::string printable(std::string_view text) {
  std::string shown = control::to_utf8(text);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    if (byte < 0x20 || byte == 0x7F) shown[i] = ' ';
    // U+0080 to U+009F
    const bool c1 =
        byte == 0xC2 && i + 1 < shown.size() && static_cast<unsigned char>(shown[i + 1]) < 0xA0;
    if (c1) shown.replace(i, 2, " ");
  }
  return shown;
}

std::string shorten(std::string text, std::size_t characters_max) {
  if (width_of(text) <= characters_max) return text;
  std::size_t characters = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (starts_character(text[at]) && ++characters > characters_max - 3) break;
    ++at;
  }
  return text.substr(0, at) + "...";
}

std::string show_age(std::int64_t milliseconds) {
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  static constexpr std::array<Unit, 4> kUnits = {
      {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}}};
  if (milliseconds < 0) return "-";
  const std::int64_t seconds = milliseconds / 1000;
  for (const Unit& unit : kUnits) {
    // "90 min" says more than "1 h".
    if (seconds >= 2 * unit.seconds)
      return std::to_string(seconds / unit.seconds).append(unit.name);
  }
  return std::to_string(seconds) + " s";
}

std::string show_time(std::int64_t unix_milliseconds) {
  const std::time_t seconds = unix_milliseconds / 1000;
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return "-";
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return {text.data(), size};
}

std::string show_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {" KiB", " MiB", " GiB", " TiB",
                                                             " PiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::uint64_t tenths = bytes * 10 / 1024;
  std::size_t unit = 0;
  while (tenths >= 10'240 && unit + 1 < kUnits.size()) {
    tenths /= 1024;
    ++unit;
  }
  return (std::to_string(tenths / 10) + "." + std::to_string(tenths % 10)).append(kUnits[unit]);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + " " + std::string(noun);
  if (count != 1) text += "s";
  return text;
}

}  // namespace stompbox::verbs
