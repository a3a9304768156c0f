#include "broker/verbs/nagios.h"

#include <algorithm>
#include <string_view>

#include "broker/verbs/table.h"

namespace stompbox::verbs {
namespace {

std::string_view to_text(NagiosState state) {
  switch (state) {
    case NagiosState::kOk: return "OK";
    case NagiosState::kWarning: return "WARNING";
    case NagiosState::kCritical: return "CRITICAL";
    case NagiosState::kUnknown: break;
  }
  return "UNKNOWN";
}

NagiosState state_of(std::uint64_t value, const Threshold& threshold) {
  if (threshold.critical && value >= *threshold.critical) return NagiosState::kCritical;
  if (threshold.warning && value >= *threshold.warning) return NagiosState::kWarning;
  return NagiosState::kOk;
}

// The worst state so far, and the sentences of everything that is not well, worst first.
class Findings {
 public:
  void add(NagiosState state, const std::string& sentence) {
    if (state == NagiosState::kOk) return;
    if (!text_.empty()) {
      text_ = state > state_ ? sentence + "; " + text_ : text_ + "; " + sentence;
    } else {
      text_ = sentence;
    }
    state_ = std::max(state_, state);
  }
  [[nodiscard]] NagiosState state() const { return state_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  NagiosState state_ = NagiosState::kOk;
  std::string text_;
};

std::string figure(std::string_view name, std::uint64_t value, std::string_view unit,
                   const Threshold& threshold) {
  std::string text = std::string(name) + "=" + std::to_string(value);
  text.append(unit).append(";");
  if (threshold.warning) text += std::to_string(*threshold.warning);
  text += ";";
  if (threshold.critical) text += std::to_string(*threshold.critical);
  return text + ";0";
}

// Nagios takes the first line, and what follows a bar for figures.
std::string one_line(const std::string& text) {
  std::string line = printable(text);
  std::replace(line.begin(), line.end(), '|', '/');
  return line;
}

std::string make_line(NagiosState state, const std::string& sentence, const std::string& figures) {
  std::string line = "STOMPBOX " + std::string(to_text(state)) + " - " + one_line(sentence);
  if (!figures.empty()) line += " | " + figures;
  return line + "\n";
}

}  // namespace

Verdict judge(const Health& health, const Thresholds& thresholds) {
  const std::string waiting = counted(health.catalogs_unstored, "catalog") + " not stored yet";
  Findings findings;
  if (health.disk_full) findings.add(NagiosState::kCritical, "the disk is full");
  if (health.database_in_trouble) {
    findings.add(NagiosState::kCritical, "the database is in trouble: " + health.last_error);
  }
  findings.add(state_of(health.catalogs_unstored, thresholds.depth), waiting);
  findings.add(state_of(health.oldest_seconds, thresholds.age_seconds),
               "the oldest catalog waits for " +
                   show_age(static_cast<std::int64_t>(health.oldest_seconds) * 1000));
  findings.add(state_of(health.dead_letters, thresholds.dead_letters),
               counted(health.dead_letters, "dead letter"));
  if (health.contested) {
    findings.add(NagiosState::kWarning, "somebody else takes catalogs from the queue");
  }
  const std::string figures =
      figure("unstored", health.catalogs_unstored, "", thresholds.depth) + " " +
      figure("oldest", health.oldest_seconds, "s", thresholds.age_seconds) + " " +
      figure("dead_letters", health.dead_letters, "", thresholds.dead_letters);
  const std::string& sentence = findings.text().empty() ? waiting : findings.text();
  return {findings.state(), make_line(findings.state(), sentence, figures)};
}

Verdict judge_silence(NagiosState state, const std::string& reason) {
  return {state, make_line(state, reason, "")};
}

}  // namespace stompbox::verbs
