#include "tests/conformance/decisions.h"

#include <fstream>
#include <stdexcept>

namespace stompbox::conformance {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// "| a | b |": a, b. A bar within a cell is written \|.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cell.push_back(line[++i]);
    } else if (line[i] == '|') {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell.push_back(line[i]);
    }
  }
  return cells;
}

}  // namespace

std::vector<Decision> read_decisions(const std::filesystem::path& readme) {
  std::ifstream file(readme);
  std::vector<Decision> decisions;
  bool is_within = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("|")) {
      is_within = false;
      continue;
    }
    const std::vector<std::string> cells = cells_of(line);
    if (cells.empty()) continue;
    if (is_within && !cells[0].starts_with("---")) {
      decisions.push_back({cells.front(), cells.back()});
    }
    if (cells.back() == "held by") is_within = true;
  }
  if (decisions.empty()) throw std::runtime_error("no table of decisions in " + readme.string());
  return decisions;
}

}  // namespace stompbox::conformance
