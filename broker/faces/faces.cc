#include "broker/faces/faces.h"

#include <cassert>

#include "broker/faces/coilmq.h"
#include "broker/faces/puppetqd.h"
#include "broker/faces/stompserver.h"

namespace stompbox::faces {

std::optional<Face> find_face(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  for (const Face face :
       {Face::kStompserver, Face::kStompserverNg, Face::kCoilmq, Face::kPuppetqd}) {
    if (name == to_text(face)) return face;
  }
  return std::nullopt;
}

std::string_view to_text(Face face) {
  switch (face) {
    case Face::kStompserver: return "stompserver";
    case Face::kStompserverNg: return "stompserver_ng";
    case Face::kCoilmq: return "coilmq";
    case Face::kPuppetqd: return "puppetqd";
  }
  assert(false);
  return {};
}

Outcome plan(Face face, std::span<const std::string> words, const std::string& current_folder) {
  switch (face) {
    case Face::kStompserver: return plan_stompserver(Dialect::kStompserver, words, current_folder);
    case Face::kStompserverNg:
      return plan_stompserver(Dialect::kStompserverNg, words, current_folder);
    case Face::kCoilmq: return plan_coilmq(words, current_folder);
    case Face::kPuppetqd: return plan_puppetqd(words, current_folder, this_user());
  }
  assert(false);
  return Answer{};
}

}  // namespace stompbox::faces
