#include "broker/verbs/verbs_cli_place.h"

namespace stompbox::verbs {

PlacePtr add_place(CLI::App& verb, Json json, const PlacePtr& parent) {
  auto place = std::make_shared<Place>();
  place->parent = parent;
  options::add_place_flags(verb, place->given);
  if (json == Json::kOffered) {
    add_choice(verb, "--json", place->printed, Output::kJson, "Print JSON.");
  }
  return place;
}

GivenFlags Place::flags() const {
  GivenFlags both = given;
  if (parent == nullptr) return both;
  if (both.config_file.empty()) both.config_file = parent->given.config_file;
  for (std::size_t i = 0; i < both.flags.size(); ++i) {
    if (both.flags[i].texts.empty()) both.flags[i].texts = parent->given.flags[i].texts;
  }
  return both;
}

Output Place::output() const {
  return parent != nullptr && printed == Output::kTable ? parent->output() : printed;
}

std::function<int()> with_options(const PlacePtr& place, std::function<int(const Options&)> verb) {
  return [place, verb = std::move(verb)] {
    const auto resolved = options::resolve(place->flags());
    return resolved ? verb(*resolved) : code(fail(resolved.error()));
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
