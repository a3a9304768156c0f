#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/faces/plan.h"

// Stompbox under another broker's name: the old init script, flags, files and folders go on.
namespace stompbox::faces {

enum class Face : std::uint8_t { kStompserver, kStompserverNg, kCoilmq, kPuppetqd };

// By the last part of a program's path; nothing for any other name.
[[nodiscard]] std::optional<Face> find_face(std::string_view program);
[[nodiscard]] std::string_view to_text(Face face);

// What the words behind the program's name ask for. Reads configuration files.
[[nodiscard]] Outcome plan(Face face, std::span<const std::string> words,
                           const std::string& current_folder);

}  // namespace stompbox::faces
