#include "tests/conformance/case_file.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string_view>

namespace stompbox::conformance {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void complain(const std::string& place, const std::string& what) {
  throw std::runtime_error(place + ": " + what);
}

char hex_value(const std::string& text, std::size_t at, const std::string& place) {
  try {
    return static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
  } catch (const std::exception&) {
    complain(place, "\\x wants two hexadecimal digits");
  }
}

std::string decode(const std::string& text, const std::string& place) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|') {
      out.push_back(kCut);
      continue;
    }
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) complain(place, "a backslash at the end");
    switch (text[i]) {
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case '0': out.push_back('\0'); break;
      case '\\': out.push_back('\\'); break;
      case '|': out.push_back('|'); break;
      case 'x':
        out.push_back(hex_value(text, i + 1, place));
        i += 2;
        break;
      default: complain(place, std::string("no such escape: \\") + text[i]);
    }
  }
  return out;
}

// {repeat N TEXT} becomes N times TEXT.
std::string repeat(std::string text, const std::string& place) {
  constexpr std::string_view kStart = "{repeat ";
  for (std::size_t at = text.find(kStart); at != std::string::npos; at = text.find(kStart, at)) {
    const std::size_t end = text.find('}', at);
    const std::size_t space = text.find(' ', at + kStart.size());
    if (end == std::string::npos || space > end) complain(place, "{repeat N TEXT} is broken");
    const int count = std::stoi(text.substr(at + kStart.size()));
    const std::string unit = text.substr(space + 1, end - space - 1);
    std::string all;
    for (int i = 0; i < count; ++i)
      all += unit;
    text.replace(at, end + 1 - at, all);
    at += all.size();
  }
  return text;
}

std::chrono::milliseconds read_duration(const std::string& text, const std::string& place) {
  if (!text.ends_with("ms")) complain(place, "a duration is written like 1500ms");
  return std::chrono::milliseconds(std::stoll(text));
}

Step read_step(std::string line, const std::string& place) {
  Step step;
  if (line[0] == 'c' && line.size() > 2 && line[1] >= '1' && line[1] <= '9') {
    step.connection = line.substr(0, 2);
    line.erase(0, line[2] == ' ' ? 3 : 2);
  }
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string word = line.substr(0, space);
  const std::string rest = line.substr(std::min(space + 1, line.size()));
  static const std::map<std::string, Verb> kVerbs{
      {">", Verb::kSend},    {"<", Verb::kExpect},        {"close", Verb::kClose},
      {"eof", Verb::kEof},   {"drop", Verb::kDrop},       {"wait", Verb::kWait},
      {"beat", Verb::kBeat}, {"silence", Verb::kSilence}, {"stop", Verb::kStop}};
  const auto verb = kVerbs.find(word);
  if (verb == kVerbs.end()) complain(place, "no such step: " + word);
  step.verb = verb->second;
  if (step.verb == Verb::kSend || step.verb == Verb::kExpect) {
    step.text = repeat(decode(rest, place), place);
  } else if (step.verb == Verb::kWait) {
    step.duration = read_duration(rest, place);
  }
  return step;
}

// Settings of the broker: they are for the session alone.
bool read_setting(Case& current, const std::string& line, const std::string& place) {
  if (line.starts_with("profile ")) {
    current.profile = line.substr(8);
  } else if (line.starts_with("deny ")) {
    current.denied.push_back(line.substr(5));
  } else if (line.starts_with("bound ")) {
    const std::size_t space = line.find(' ', 6);
    if (space == std::string::npos) complain(place, "a bound is written like bound NAME NUMBER");
    current.bounds.emplace_back(line.substr(6, space - 6), std::stoul(line.substr(space + 1)));
  } else {
    return false;
  }
  current.is_pure_only = true;
  return true;
}

bool read_attribute(Case& current, const std::string& line, const std::string& place) {
  if (line.starts_with("pure-only")) {
    current.is_pure_only = true;
  } else if (line == "every-byte") {
    current.is_cut_everywhere = true;
  } else if (line.starts_with("user ")) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) complain(place, "a user is written like user NAME:PASSCODE");
    current.users.emplace_back(line.substr(5, colon - 5), line.substr(colon + 1));
    current.is_pure_only = true;
  } else {
    return read_setting(current, line, place);
  }
  return true;
}

Case read_heading(const std::string& line, const std::string& place) {
  Case found;
  const std::size_t space = line.find(' ', 2);
  if (space == std::string::npos) complain(place, "a case begins with # NUMBER SENTENCE");
  found.number = line.substr(2, space - 2);
  found.sentence = line.substr(space + 1);
  found.place = place;
  return found;
}

void read_file(const fs::path& path, std::vector<Case>& cases) {
  std::ifstream file(path);
  std::string line;
  const std::size_t first = cases.size();
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string place = path.filename().string() + ":" + std::to_string(number);
    if (line.empty() || line.starts_with("//")) continue;
    if (line.starts_with("# ")) {
      cases.push_back(read_heading(line, place));
      cases.back().id = cases.back().number + "-" + std::to_string(cases.size());
      std::replace(cases.back().id.begin(), cases.back().id.end(), '.', '_');
      continue;
    }
    if (cases.size() == first) complain(place, "a step before the first case");
    if (read_attribute(cases.back(), line, place)) continue;
    Step step = read_step(line, place);
    step.line = number;
    cases.back().steps.push_back(std::move(step));
  }
}

}  // namespace

std::vector<Case> read_cases(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Case> cases;
  for (const fs::path& path : paths)
    read_file(path, cases);
  return cases;
}

bool has_error(const Case& found) {
  return std::any_of(found.steps.begin(), found.steps.end(), [](const Step& step) {
    return step.verb == Verb::kExpect && step.text.starts_with("ERROR");
  });
}

std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == kCut) {
      pieces.emplace_back();
    } else {
      pieces.back().push_back(c);
    }
  }
  return pieces;
}

}  // namespace stompbox::conformance
