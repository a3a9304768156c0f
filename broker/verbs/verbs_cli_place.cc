#include "broker/verbs/verbs_cli_place.h"

namespace stompbox::verbs {

PlacePtr add_place(CLI::App& verb, Json json) {
  auto place = std::make_shared<Place>();
  options::add_place_flags(verb, place->given);
  if (json == Json::kOffered) verb.add_flag("--json", place->json, "Print JSON.");
  return place;
}

GivenFlags flags_of(const Place& place, const Place* parent) {
  GivenFlags given = place.given;
  if (parent == nullptr) return given;
  if (given.config_file.empty()) given.config_file = parent->given.config_file;
  for (std::size_t i = 0; i < given.flags.size(); ++i) {
    if (given.flags[i].texts.empty()) given.flags[i].texts = parent->given.flags[i].texts;
  }
  return given;
}

std::function<int()> with_options(const PlacePtr& place, std::function<int(const Options&)> verb) {
  return [place, verb = std::move(verb)] {
    const auto resolved = options::resolve(place->given);
    return resolved ? verb(*resolved) : code(fail(resolved.error()));
  };
}

std::function<int()> with_options_below(const PlacePtr& parent, const PlacePtr& place,
                                        std::function<int(const Options&, Output output)> verb) {
  return [parent, place, verb = std::move(verb)] {
    const auto resolved = options::resolve(flags_of(*place, parent.get()));
    if (!resolved) return code(fail(resolved.error()));
    return verb(*resolved, parent->json || place->json ? Output::kJson : Output::kTable);
  };
}

void add_login(CLI::App& verb, Login& login) {
  verb.add_option("--broker", login.broker, "Where the broker listens.")
      ->type_name("URL")
      ->capture_default_str();
  verb.add_option("--tls-authorities", login.tls.authorities,
                  "With tls://: who may have signed the broker's certificate; else the system's.")
      ->type_name("FILE");
  verb.add_option("--tls-certificate", login.tls.certificate,
                  "With tls://: the certificate to show the broker.")
      ->type_name("FILE");
  verb.add_option("--tls-key", login.tls.key, "Its key; else it stands in the same file.")
      ->type_name("FILE");
  verb.add_option("--user", login.user, "Log in under this name.")->type_name("NAME");
  verb.add_option("--passcode-file", login.passcode_file,
                  "File with the passcode; else it is taken from STOMPBOX_PASSCODE in the "
                  "environment.")
      ->type_name("FILE");
}

}  // namespace stompbox::verbs
