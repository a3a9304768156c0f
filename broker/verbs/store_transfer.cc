#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "broker/control/json.h"
#include "broker/verbs/care_watch.h"
#include "broker/verbs/database.h"
#include "broker/verbs/store.h"
#include "broker/verbs/table.h"

// `store backup`, `store export` and `store import`.
namespace stompbox::verbs {
namespace {

using storage::Error;
using storage::ErrorCode;
using storage::kOk;
using storage::Result;
using storage::Status;

constexpr std::size_t kLineBytesMax = std::size_t{512} * 1024 * 1024;
constexpr std::size_t kBlockBytes = 256 * 1024;

// A file, or standard input or output.
class Stream {
 public:
  Stream() = default;
  ~Stream() {
    if (file_ > STDERR_FILENO) ::close(file_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] Status open(const std::string& name, int flags, int standard) {
    name_ = name == "-" ? "standard input or output" : name;
    file_ = name == "-" ? standard : ::open(name.c_str(), flags | O_CLOEXEC, 0600);
    if (file_ >= 0) return kOk;
    if (errno == EEXIST) {
      return Error{ErrorCode::kInvalid, "the file " + name + " exists: name another one"};
    }
    return failure("open", errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo);
  }

  [[nodiscard]] Status write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(file_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure("write", errno == ENOSPC ? ErrorCode::kFull : ErrorCode::kIo);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return kOk;
  }

  // Onto stable storage, where that means anything.
  [[nodiscard]] Status sync() {
    if (file_ <= STDERR_FILENO || ::fsync(file_) == 0) return kOk;
    return failure("sync", ErrorCode::kIo);
  }

  // Empty: the end.
  [[nodiscard]] Result<std::string_view> read() {
    for (;;) {
      const ssize_t size = ::read(file_, block_.data(), block_.size());
      if (size >= 0) return std::string_view(block_.data(), static_cast<std::size_t>(size));
      if (errno != EINTR) return failure("read", ErrorCode::kIo).error();
    }
  }

 private:
  Status failure(const char* what, ErrorCode code) const {
    return Error{code, std::string("cannot ") + what + " " + name_ + ": " +
                           std::generic_category().message(errno)};
  }

  int file_ = -1;
  std::string name_;
  std::array<char, kBlockBytes> block_;
};

// Gives each line, the last one with or without its newline.
template <typename Take>
Status each_line(Stream& stream, Take take) {
  std::string line;
  std::uint64_t number = 0;
  for (;;) {
    const auto block = stream.read();
    if (!block) return block.error();
    std::string_view rest = *block;
    if (rest.empty()) return line.empty() ? Status(kOk) : take(++number, line);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      line.append(rest.substr(0, end));
      if (const Status taken = take(++number, line); !taken) return taken;
      line.clear();
      rest.remove_prefix(end + 1);
    }
    line.append(rest);
    if (line.size() > kLineBytesMax) {
      return Error{ErrorCode::kTooLarge, "line " + std::to_string(number + 1) + " is too long"};
    }
  }
}

std::string import_json(const catalog::care::Imported& outcome) {
  control::Json json;
  json.begin_object()
      .field("stored", outcome.stored)
      .field("unchanged", outcome.unchanged)
      .field("newer", outcome.newer)
      .field("facts_skipped", outcome.facts_skipped);
  json.key("refused").begin_array();
  for (const catalog::care::Imported::Refusal& refusal : outcome.refused) {
    json.begin_object().field("line", refusal.line).field("reason", refusal.reason).end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

std::string show_import(const catalog::care::Imported& outcome) {
  std::string text = counted(outcome.stored, "node") + " stored, " +
                     std::to_string(outcome.unchanged) + " unchanged";
  if (outcome.newer > 0) {
    text += ", " + std::to_string(outcome.newer) +
            " left alone, compiled later here (--replace replaces them)";
  }
  if (outcome.facts_skipped > 0) {
    text += ", facts of " + std::to_string(outcome.facts_skipped) +
            " left alone, written by a master here";
  }
  if (!outcome.refused.empty()) {
    text += ", " + counted(outcome.refused.size(), "line") + " refused";
  }
  return text + "\n";
}

Status import_lines(Stream& stream, catalog::care::Import& import, CareProgress& progress) {
  const auto add = [&import, &progress](std::uint64_t number, std::string_view line) {
    progress.on_progress("lines", number, 0);
    return import.add(number, line);
  };
  if (const Status done = each_line(stream, add); !done) return done;
  return import.flush();
}

}  // namespace

Exit store_backup(const options::Options& options, const StoreBackupOptions& wanted) {
  const auto place = existing_database_of(options);
  if (!place) return fail(place.error());
  if (place->kind == catalog::PlaceKind::kMysql) {
    return fail({ErrorCode::kInvalid,
                 "the server has its own backups: mariadb-dump --single-transaction " +
                     place->mysql.database + " > " + wanted.file +
                     " makes one while masters write; 'stompbox store export' writes its nodes"});
  }
  const auto done = [&] {
    CareProgress progress("copying", wanted.output);
    return catalog::care::backup_sqlite(place->sqlite.path, wanted.file, wanted.existing, progress);
  }();
  if (!done) return fail(done.error());
  if (wanted.output == Output::kJson) {
    control::Json json;
    json.begin_object().field("file", wanted.file).field("bytes", done->bytes).end_object();
    print(json.text() + "\n");
  } else {
    print(printable(wanted.file) + ": " + show_bytes(done->bytes) + "\n");
  }
  return Exit::kDone;
}

Exit store_export(const options::Options& options, const std::string& file) {
  const auto db = connect_database(options, catalog::ConnectionUse::kRead);
  if (!db) return fail(db.error());
  Stream stream;
  const Status opened = stream.open(file, O_WRONLY | O_CREAT | O_EXCL, STDOUT_FILENO);
  if (!opened) return fail(opened.error());
  Status written = kOk;
  const auto done = [&] {
    CareProgress progress("exporting", Output::kTable);
    return catalog::care::export_nodes(
        **db,
        [&stream, &written](std::string_view line) {
          written = stream.write(std::string(line) + "\n");
          return written.has_value();
        },
        progress);
  }();
  if (!done) return fail(done.error());
  if (written) written = stream.sync();
  if (!written) return fail(written.error());
  if (file != "-") {
    print(counted(done->nodes, "node") + " with " + counted(done->resources, "resource") + " and " +
          counted(done->facts, "fact") + " written to " + printable(file) + "\n");
  }
  return Exit::kDone;
}

Exit store_import(const options::Options& options, const StoreImportOptions& wanted) {
  const auto place = database_of(options);
  if (!place) return fail(place.error());
  Stream stream;
  const Status opened = stream.open(wanted.file, O_RDONLY, STDIN_FILENO);
  if (!opened) return fail(opened.error());
  const auto store = catalog::make_catalog_store(*place);
  if (const Status ready = store->open(); !ready) return fail(ready.error());
  const auto db = catalog::open_catalog_connection(*place, catalog::ConnectionUse::kWrite);
  if (!db) return fail(db.error());
  catalog::care::Import import(*store, **db, wanted.newer);
  const Status done = [&] {
    CareProgress progress("storing", wanted.output);
    return import_lines(stream, import, progress);
  }();
  constexpr std::size_t kToldMax = 20;
  const auto& refused = import.outcome().refused;
  for (std::size_t i = 0; i < refused.size() && i < kToldMax; ++i) {
    complain("line " + std::to_string(refused[i].line) + " is refused: " + refused[i].reason);
  }
  if (!done) return fail(done.error());
  print(wanted.output == Output::kJson ? import_json(import.outcome())
                                       : show_import(import.outcome()));
  return refused.empty() ? Exit::kDone : Exit::kFailed;
}

}  // namespace stompbox::verbs
