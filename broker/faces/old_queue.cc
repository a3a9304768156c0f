#include "broker/faces/old_queue.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "broker/faces/marshal.h"
#include "broker/faces/whole_file.h"

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr std::size_t kIndexBytesMax = 256 * 1024 * 1024;
constexpr std::size_t kLengthDigits = 8;

Error invalid(std::string sentence) {
  return {ErrorCode::kInvalid, std::move(sentence)};
}

std::string index_path(const std::string& storage_folder) {
  return storage_folder + "/qinfo";
}

// Where StompServer puts a queue: two queues may share a folder, their ids differ.
std::string folder_of(const std::string& storage_folder, std::string destination) {
  std::replace(destination.begin(), destination.end(), '/', '_');
  return storage_folder + "/" + destination;
}

bool is_dbm(const std::string& folder) {
  constexpr std::array<std::string_view, 4> kEndings = {"", ".db", ".pag", ".dir"};
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return false;
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) {
    return std::filesystem::is_regular_file(folder + std::string(ending), ignored);
  });
}

Error dbm_refusal(const std::string& storage_folder) {
  return {
      ErrorCode::kVersion,
      "the queues in " + storage_folder +
          " are in StompServer's dbm files, which cannot be read here: let consumers empty them "
          "with the old server, or name another folder with --storage; nothing was changed"};
}

// A file name and nothing else.
bool is_plain_name(std::string_view id) {
  return !id.empty() && id != "." && id != ".." && id.find('/') == std::string_view::npos &&
         id.find('\0') == std::string_view::npos;
}

OldQueue read_queue(const MarshalDocument& index, const MarshalNode& entry, OldStore& store,
                    const std::string& storage_folder, std::string_view name) {
  OldQueue queue{std::string(name), folder_of(storage_folder, std::string(name)), {}};
  const MarshalNode* const ids = index.find(entry, "frames");
  if (ids == nullptr || ids->kind != MarshalKind::kArray) {
    store.troubles.push_back("the index has no list of messages for " + queue.destination);
    return queue;
  }
  for (const MarshalId id : ids->children) {
    const MarshalNode& node = index.at(id);
    if (node.kind == MarshalKind::kString && is_plain_name(node.text)) {
      queue.ids.emplace_back(node.text);
    } else {
      store.troubles.push_back("the index names a message of " + queue.destination +
                               " that is no file name");
    }
  }
  return queue;
}

std::optional<std::size_t> hex_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    constexpr unsigned kTopBits = 0xC0;
    constexpr unsigned kContinuation = 0x80;
    return (static_cast<unsigned char>(c) & kTopBits) != kContinuation;
  }));
}

std::optional<std::string> header_text(const MarshalNode& node) {
  switch (node.kind) {
    case MarshalKind::kInteger: return std::to_string(node.number);
    case MarshalKind::kString:
    case MarshalKind::kSymbol:
    case MarshalKind::kFloat: return std::string(node.text);
    case MarshalKind::kTrue: return "true";
    case MarshalKind::kFalse: return "false";
    default: return std::nullopt;
  }
}

storage::Result<OldMessage> read_frame(std::string_view image) {
  const auto document = read_marshal(image);
  if (!document) return document.error();
  const MarshalNode& frame = document->root();
  const MarshalNode* const headers = document->find(frame, "@headers");
  if (frame.kind != MarshalKind::kObject || headers == nullptr ||
      headers->kind != MarshalKind::kHash) {
    return invalid("is not a frame of StompServer");
  }
  OldMessage message;
  for (std::size_t i = 0; i + 1 < headers->children.size(); i += 2) {
    const auto name = header_text(document->at(headers->children[i]));
    const auto value = header_text(document->at(headers->children[i + 1]));
    if (name && value && !name->empty()) message.headers.emplace_back(*name, *value);
  }
  return message;
}

}  // namespace

bool has_old_index(const std::string& storage_folder) {
  std::error_code ignored;
  return std::filesystem::exists(index_path(storage_folder), ignored);
}

storage::Result<OldStore> read_old_index(const std::string& storage_folder) {
  const std::string path = index_path(storage_folder);
  const auto bytes = read_whole_file(path, kIndexBytesMax);
  if (!bytes) return bytes.error();
  const std::string remedy = ": move " + path + " away to start without its messages";
  const auto index = read_marshal(*bytes);
  if (!index) return Error{index.error().code, path + ": " + index.error().text + remedy};
  const MarshalNode* const queues = index->find(index->root(), "queues");
  if (queues == nullptr || queues->kind != MarshalKind::kHash) {
    return invalid(path + " is not an index of StompServer" + remedy);
  }
  OldStore store;
  for (std::size_t i = 0; i + 1 < queues->children.size(); i += 2) {
    const MarshalNode& name = index->at(queues->children[i]);
    if (name.kind != MarshalKind::kString || !name.text.starts_with("/queue")) {
      store.troubles.emplace_back("the index has a queue whose name does not begin with /queue");
      continue;
    }
    OldQueue queue =
        read_queue(*index, index->at(queues->children[i + 1]), store, storage_folder, name.text);
    if (queue.ids.empty()) continue;
    if (is_dbm(queue.folder)) return dbm_refusal(storage_folder);
    store.queues.push_back(std::move(queue));
  }
  return store;
}

storage::Result<OldMessage> parse_old_message(std::string_view bytes) {
  constexpr std::size_t kLengths = 2 * kLengthDigits;
  if (bytes.size() < kLengths) return invalid("ends too early");
  const auto frame_length = hex_number(bytes.substr(0, kLengthDigits));
  const auto body_length = hex_number(bytes.substr(kLengthDigits, kLengthDigits));
  bytes.remove_prefix(kLengths);
  if (!frame_length || !body_length) return invalid("does not begin with its lengths");
  if (*frame_length > bytes.size()) return invalid("ends too early");
  auto message = read_frame(bytes.substr(0, *frame_length));
  if (!message) return message.error();
  const std::string_view body = bytes.substr(*frame_length);
  if (body.size() < *body_length) return invalid("ends too early");
  // From Ruby 1.9 on the length of a text may have been counted in characters.
  if (body.size() > *body_length && count_characters(body) != *body_length) {
    return invalid("is longer than it says");
  }
  message->body = body;
  return message;
}

storage::Result<OldMessage> read_old_message(const OldQueue& queue, const std::string& id,
                                             std::size_t bytes_max) {
  const std::string path = queue.folder + "/" + id;
  const auto bytes = read_whole_file(path, bytes_max);
  if (!bytes) return bytes.error();
  auto message = parse_old_message(*bytes);
  if (!message) return Error{message.error().code, path + " " + message.error().text};
  return message;
}

}  // namespace stompbox::faces
