#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "broker/options/options_cli.h"
#include "broker/options/options_file.h"
#include "broker/options/units.h"
#include "broker/verbs/login.h"
#include "broker/verbs/output.h"
#include "broker/verbs/terminal.h"
#include "broker/verbs/verbs_cli.h"

// What the flags of many verbs have in common.
namespace stompbox::verbs {

using options::GivenFlags;
using options::Options;

[[nodiscard]] inline int code(Exit exit) {
  return static_cast<int>(exit);
}

// Of a verb that needs to know where things are. Shared with the App that writes into it.
struct Place {
  GivenFlags given;
  Output printed = Output::kTable;
  std::shared_ptr<const Place> parent;  // of the verb that it belongs to, if that has such flags

  // What the flags of both say together; the verb's own are stronger.
  [[nodiscard]] GivenFlags flags() const;
  [[nodiscard]] Output output() const;
};
using PlacePtr = std::shared_ptr<Place>;

enum class Json : std::uint8_t { kOffered, kNone };
[[nodiscard]] PlacePtr add_place(CLI::App& verb, Json json = Json::kOffered,
                                 const PlacePtr& parent = nullptr);

// Calls the verb with the options that its flags and the file give.
[[nodiscard]] std::function<int()> with_options(const PlacePtr& place,
                                                std::function<int(const Options&)> verb);
// The same for a verb whose other flags have gone into `wish`, with an `output`.
template <typename Wish>
[[nodiscard]] std::function<int()> with_wish(const PlacePtr& place,
                                             const std::shared_ptr<Wish>& wish,
                                             Exit (*verb)(const Options&, const Wish&)) {
  return with_options(place, [place, wish, verb](const Options& options) {
    wish->output = place->output();
    return code(verb(options, *wish));
  });
}

// A flag that makes `value` what it stands for. `value` outlives the App's parsing.
template <typename Value>
CLI::Option* add_choice(CLI::App& verb, const std::string& name, Value& value, Value chosen,
                        const std::string& help) {
  return verb.add_flag_callback(
      name, [&value, chosen] { value = chosen; }, help);
}

// Of a verb that talks STOMP with a broker.
void add_login(CLI::App& verb, Login& login);

// A flag whose text is a time, "10s" or "5min".
template <typename Take>
CLI::Option* add_duration(CLI::App& verb, const std::string& name, const std::string& help,
                          Take take) {
  const auto read = [take](const std::string& text) {
    const auto duration = options::parse_duration(text);
    if (!duration) throw CLI::ValidationError("'" + text + "' " + duration.error().text);
    take(*duration);
  };
  return verb.add_option_function<std::string>(name, read, help)->type_name("TIME");
}

}  // namespace stompbox::verbs
