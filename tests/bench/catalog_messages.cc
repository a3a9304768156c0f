#include "tests/bench/catalog_messages.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "storage/catalog/catalog.h"
#include "tests/support/sample_catalogs.h"

namespace stompbox::bench {
namespace {

using catalog::Catalog;

void append_quoted(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (c == '\n') {
      json += "\\n";
    } else {
      json += c;
    }
  }
  json += '"';
}

template <typename Items, typename Append>
void append_list(std::string& json, std::string_view brackets, const Items& items, Append append) {
  json += brackets[0];
  for (const auto& item : items) {
    if (&item != &items.front()) json += ',';
    append(item);
  }
  json += brackets[1];
}

void append_resource(std::string& json, const catalog::Resource& resource) {
  const auto quoted = [&json](const std::string& text) { append_quoted(json, text); };
  json += R"({"type":)";
  quoted(resource.type);
  json += R"(,"title":)";
  quoted(resource.title);
  json += R"(,"file":)";
  quoted(*resource.file);
  json += R"(,"line":)" + std::to_string(*resource.line);
  json += R"(,"exported":)" + std::string(resource.exported ? "true" : "false") + R"(,"tags":)";
  append_list(json, "[]", resource.tags, quoted);
  json += R"(,"parameters":)";
  append_list(json, "{}", resource.parameters, [&](const catalog::Parameter& parameter) {
    quoted(parameter.name);
    json += ':';
    if (parameter.values.size() == 1) return quoted(parameter.values[0]);
    append_list(json, "[]", parameter.values, quoted);
  });
  json += '}';
}

// As a 3.x master would send it.
std::string message_of(const Catalog& catalog, int version) {
  std::string json = R"({"document_type":"Catalog","data":{"name":")" + catalog.node +
                     R"(","environment":"production","version":)" + std::to_string(version) +
                     R"(,"resources":)";
  append_list(json, "[]", catalog.resources,
              [&json](const catalog::Resource& resource) { append_resource(json, resource); });
  json += R"(,"edges":)";
  append_list(json, "[]", catalog.resources, [&json](const catalog::Resource& resource) {
    json += R"({"source":"Class[Main]","target":)";
    append_quoted(json, resource.type + "[" + resource.title + "]");
    json += '}';
  });
  return json + R"(},"metadata":{"api_version":1}})";
}

std::string made(Generation generation, std::size_t node) {
  support::SampleShape shape;
  if (generation != Generation::kFirst) shape.changed_percent = 3, shape.generation = 1;
  return message_of(support::sample_catalog(node, shape), 1 + static_cast<int>(generation));
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::string text_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

}  // namespace

CatalogMessages::CatalogMessages(const std::string& first, const std::string& changed,
                                 const std::string& unchanged, std::size_t nodes)
    : nodes_(nodes), files_{files_in(first), files_in(changed), files_in(unchanged)} {
  for (const auto& files : files_)
    nodes_ = std::min(nodes_, files.size());
}

std::vector<std::string> CatalogMessages::read(Generation generation, std::size_t begin,
                                               std::size_t end) const {
  const auto& files = files_[static_cast<std::size_t>(generation)];
  std::vector<std::string> texts;
  texts.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i)
    texts.push_back(files.empty() ? made(generation, i) : text_of(files[i]));
  return texts;
}

}  // namespace stompbox::bench
