#include "broker/options/options_cli.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

#include "broker/options/options_file.h"
#include "broker/options/options_table.h"

namespace stompbox::options {
namespace {

constexpr std::array<std::string_view, 6> kPlaceKeys = {"data.folder",   "data.ephemeral",
                                                        "access.users",  "control.socket",
                                                        "catalog.store", "catalog.password_file"};

// As in the file: what the help shows is what one can type there.
std::string default_text(const Row& row) {
  std::string joined;
  for (const std::string& text : show_field(row.field, Options{})) {
    if (!joined.empty()) joined += ", ";
    joined += text;
  }
  return joined;
}

std::string help_text(const Row& row) {
  std::string text(row.help);
  const std::string standard = default_text(row);
  if (!standard.empty() && standard != "false") text += " [" + standard + "]";
  return text;
}

CLI::Option* add_flag(CLI::App& app, const Row& row, GivenFlags& given) {
  GivenFlags::Flag& flag = given.flags.emplace_back();
  flag.key = row.key;
  const std::string name(row.flag);
  if (std::holds_alternative<SwitchField>(row.field)) {
    // `--flag`, `--flag=true` and `--flag=false`: a flag must be able to beat the file both ways.
    const auto take = [&flag](const std::string& text) { flag.texts.assign(1, text); };
    return app.add_flag_function(
        name, [take](std::int64_t count) { take(count > 0 ? "true" : "false"); }, help_text(row));
  }
  CLI::Option* option = app.add_option(name, flag.texts, help_text(row));
  option->type_name(placeholder_of(row.field));
  if (std::holds_alternative<ListField>(row.field)) return option->allow_extra_args(false);
  return option->expected(1);
}

void add_flags(CLI::App& app, GivenFlags& given, std::span<const Row> rows,
               const std::function<bool(const Row&)>& wanted) {
  app.add_option("--config", given.config_file, "Configuration file; flags beat it.")
      ->type_name("FILE");
  CLI::Option* folder = nullptr;
  CLI::Option* ephemeral = nullptr;
  for (const Row& row : rows) {
    if (!wanted(row)) continue;
    CLI::Option* option = add_flag(app, row, given);
    option->group("[" + std::string(section_of(row)) + "]");
    if (row.key == "data.folder") folder = option;
    if (row.key == "data.ephemeral") ephemeral = option;
  }
  folder->excludes(ephemeral);
}

// What stands in a section that only one of the two has.
bool is_of_source(const Row& row) {
  return section_of(row) == "source";
}

bool is_of_drain(const Row& row) {
  constexpr std::array<std::string_view, 3> kSections = {"source", "catalog", "log"};
  constexpr std::array<std::string_view, 11> kKeys = {
      "data.folder",        "data.ephemeral", "control.socket",    "listen.ready_file",
      "drain.window_count", "drain.window",   "drain.retry_first", "drain.retry_max",
      "drain.crashes_max",  "drain.workers",  "drain.forget_after"};
  return std::find(kSections.begin(), kSections.end(), section_of(row)) != kSections.end() ||
         std::find(kKeys.begin(), kKeys.end(), row.key) != kKeys.end();
}

bool is_place(const Row& row) {
  return std::find(kPlaceKeys.begin(), kPlaceKeys.end(), row.key) != kPlaceKeys.end();
}

}  // namespace

void add_serve_flags(CLI::App& app, GivenFlags& given) {
  add_flags(app, given, table(), [](const Row& row) { return !is_of_source(row); });
}

void add_drain_flags(CLI::App& app, GivenFlags& given) {
  add_flags(app, given, table(), is_of_drain);
}

void add_place_flags(CLI::App& app, GivenFlags& given) {
  add_flags(app, given, table(), is_place);
}

storage::Result<Options> resolve(const GivenFlags& given) {
  Options options;
  std::string mistakes;
  const auto collect = [&mistakes](const std::string& text) {
    mistakes += (mistakes.empty() ? "" : "\n") + text;
  };
  if (!given.config_file.empty()) {
    if (auto status = apply_file(options, given.config_file); !status) collect(status.error().text);
  }
  for (const GivenFlags::Flag& flag : given.flags) {
    if (flag.texts.empty()) continue;
    const Row* row = find_row(flag.key);
    if (auto status = set_field(row->field, options, flag.texts); !status) {
      collect(std::string(row->flag) + ": " + status.error().text);
    }
  }
  if (auto status = check(options); !status) collect(status.error().text);
  if (!mistakes.empty()) return storage::Error{storage::ErrorCode::kInvalid, mistakes};
  return options;
}

}  // namespace stompbox::options
