#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// The text of a conformance case; README.md describes the format.
namespace stompbox::conformance {

enum class Verb {
  kSend,     // bytes, in the pieces that the cut markers make
  kExpect,   // a frame
  kClose,    // the broker ends the connection
  kEof,      // the client ends its sending side
  kDrop,     // the client closes both ways
  kWait,     // time passes
  kBeat,     // at least one end of line comes between frames
  kSilence,  // nothing more has come
  kStop,     // the broker ends
};

struct Step {
  Verb verb = Verb::kSend;
  std::string connection = "c1";
  std::string text;  // of kSend and kExpect, escapes decoded, names not yet replaced
  std::chrono::milliseconds duration{0};
  int line = 0;
};

struct Case {
  std::string number;    // "A1"
  std::string sentence;  // the rest of the heading
  std::string place;     // file:line
  std::string id;        // unique in the run, fit for the name of a destination
  bool is_pure_only = false;
  bool is_cut_everywhere = false;                          // each byte is sent by itself
  std::vector<std::pair<std::string, std::string>> users;  // if any, nobody else gets in
  std::string profile = "auto";
  std::vector<std::pair<std::string, std::size_t>> bounds;  // of the broker's options, by name
  std::vector<std::string> denied;                          // "OPERATION DESTINATION"
  std::vector<Step> steps;
};

// All cases of all .txt files of a folder, in order of names. Throws std::runtime_error with place
// and reason if the text breaks a rule of the format.
[[nodiscard]] std::vector<Case> read_cases(const std::filesystem::path& folder);

// Whether the case makes the broker say ERROR.
[[nodiscard]] bool has_error(const Case& found);

// The bytes of a SEND between its cut markers.
[[nodiscard]] std::vector<std::string> pieces_of(const std::string& text);

// The marker that a cut ("|" in the file) has in Step::text.
inline constexpr char kCut = '\x01';

}  // namespace stompbox::conformance
