#include "broker/faces/marshal.h"

#include <optional>
#include <string>
#include <utility>

namespace stompbox::faces {
namespace {

using storage::Error;
using storage::ErrorCode;

constexpr char kMajor = 4;
constexpr char kMinorMax = 8;

// A bignum's bytes, lowest first, as a number; nothing if it is beyond 64 bits.
std::optional<std::int64_t> to_number(char sign, std::string_view magnitude) {
  while (!magnitude.empty() && magnitude.back() == '\0')
    magnitude.remove_suffix(1);
  if (magnitude.size() > sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = magnitude.size(); i > 0; --i)
    value = (value << 8) | static_cast<unsigned char>(magnitude[i - 1]);
  if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const auto number = static_cast<std::int64_t>(value);
  return sign == '-' ? -number : number;
}

}  // namespace

// Objects get their numbers, for links, in the order in which they begin; symbols have numbers of
// their own. Every method gives nothing after the first fault, which error_ keeps.
class MarshalReader {
 public:
  MarshalReader(std::string_view bytes, const MarshalLimits& limits)
      : bytes_(bytes), limits_(limits) {}

  storage::Result<MarshalDocument> read() {
    const auto major = byte();
    const auto minor = byte();
    if (major && minor && (*major != kMajor || *minor > kMinorMax || *minor < 0)) {
      fail("is not of the format 4.8");
    }
    const auto root = error_ ? std::nullopt : value(0);
    if (!root) return *error_;
    document_.root_ = *root;
    return std::move(document_);
  }

 private:
  using MaybeId = std::optional<MarshalId>;
  enum class Ivars : std::uint8_t { kNone, kFollow };

  std::nullopt_t fail(std::string_view what, ErrorCode code = ErrorCode::kInvalid) {
    if (error_) return std::nullopt;
    error_ =
        Error{code, "Marshal data " + std::string(what) + " (at byte " + std::to_string(at_) + ")"};
    return std::nullopt;
  }

  std::optional<char> byte() {
    if (at_ >= bytes_.size()) return fail("ends too early");
    return bytes_[at_++];
  }

  // Ruby's packed integers: one byte for small ones, else a count of bytes and these, lowest first.
  std::optional<std::int64_t> packed() {
    constexpr int kSmall = 5;
    const auto first = byte();
    if (!first) return std::nullopt;
    const int head = static_cast<signed char>(*first);
    if (head == 0) return 0;
    if (head >= kSmall) return head - kSmall;
    if (head <= -kSmall) return head + kSmall;
    const unsigned count = static_cast<unsigned>(head < 0 ? -head : head);
    std::int64_t number = head < 0 ? -1 : 0;
    for (unsigned i = 0; i < count; ++i) {
      const auto next = byte();
      if (!next) return std::nullopt;
      number &= ~(std::int64_t{0xff} << (8 * i));
      number |= std::int64_t{static_cast<unsigned char>(*next)} << (8 * i);
    }
    return number;
  }

  // How many of something follow, each at least one byte long.
  std::optional<std::size_t> count() {
    const auto number = packed();
    if (!number) return std::nullopt;
    if (*number < 0 || static_cast<std::uint64_t>(*number) > bytes_.size() - at_) {
      return fail("has a count beyond its end");
    }
    return static_cast<std::size_t>(*number);
  }

  std::optional<std::string_view> counted_bytes(std::size_t unit = 1) {
    const auto length = count();
    if (!length) return std::nullopt;
    if (*length * unit > bytes_.size() - at_) return fail("has a text beyond its end");
    const std::string_view text = bytes_.substr(at_, *length * unit);
    at_ += text.size();
    return text;
  }

  MaybeId add(MarshalKind kind, std::string_view text = {}) {
    if (document_.nodes_.size() >= limits_.node_count_max) {
      return fail("has too many values", ErrorCode::kTooLarge);
    }
    MarshalNode& node = document_.nodes_.emplace_back();
    node.kind = kind;
    node.text = text;
    return static_cast<MarshalId>(document_.nodes_.size() - 1);
  }

  // The same, for what links can name.
  MaybeId add_object(MarshalKind kind, std::string_view text = {}) {
    const MaybeId id = add(kind, text);
    if (id) objects_.push_back(*id);
    return id;
  }

  MaybeId of_text(MarshalKind kind) {
    const auto text = counted_bytes();
    return text ? add_object(kind, *text) : std::nullopt;
  }

  MaybeId value(unsigned depth, Ivars* ivars = nullptr);
  MaybeId value_of_type(char type, unsigned depth, Ivars* ivars);
  MaybeId with_ivars(unsigned depth);
  bool skip_ivars(unsigned depth);
  MaybeId linked(const std::vector<MarshalId>& known);
  MaybeId symbol();
  std::optional<std::string_view> symbol_text(unsigned depth);
  MaybeId integer();
  MaybeId bignum();
  MaybeId regexp();
  MaybeId with_children(MaybeId id, std::size_t child_count, unsigned depth);
  MaybeId array(unsigned depth);
  MaybeId hash(unsigned depth);
  MaybeId hash_with_default(unsigned depth);
  MaybeId object(MarshalKind kind, unsigned depth);
  MaybeId of_class(unsigned depth, Ivars* ivars);
  MaybeId self_dumped(unsigned depth, Ivars* ivars);
  MaybeId self_marshalled(unsigned depth);

  const std::string_view bytes_;
  const MarshalLimits limits_;
  std::size_t at_ = 0;
  MarshalDocument document_;
  std::vector<MarshalId> objects_;  // by their number
  std::vector<MarshalId> symbols_;
  std::optional<Error> error_;
};

// `ivars`: whether instance variables stand behind this value; whoever reads them says so in it.
MarshalReader::MaybeId MarshalReader::value(unsigned depth, Ivars* ivars) {
  if (depth >= limits_.depth_max) return fail("is nested too deeply", ErrorCode::kTooLarge);
  const auto type = byte();
  return type ? value_of_type(*type, depth + 1, ivars) : std::nullopt;
}

MarshalReader::MaybeId MarshalReader::value_of_type(char type, unsigned depth, Ivars* ivars) {
  switch (type) {
    case '0': return add(MarshalKind::kNil);
    case 'T': return add(MarshalKind::kTrue);
    case 'F': return add(MarshalKind::kFalse);
    case 'i': return integer();
    case 'l': return bignum();
    case 'f': return of_text(MarshalKind::kFloat);
    case '"': return of_text(MarshalKind::kString);
    case ':': return symbol();
    case ';': return linked(symbols_);
    case '@': return linked(objects_);
    case 'I': return with_ivars(depth);
    case '[': return array(depth);
    case '{': return hash(depth);
    case '}': return hash_with_default(depth);
    case 'o': return object(MarshalKind::kObject, depth);
    case 'S': return object(MarshalKind::kOther, depth);
    case 'C':
    case 'e': return of_class(depth, ivars);
    case 'u': return self_dumped(depth, ivars);
    case 'U': return self_marshalled(depth);
    case '/': return regexp();
    case 'c':
    case 'm':
    case 'M': return of_text(MarshalKind::kOther);
    default: --at_; return fail("has a value of a type that is not known");
  }
}

MarshalReader::MaybeId MarshalReader::with_ivars(unsigned depth) {
  Ivars ivars = Ivars::kFollow;
  const MaybeId id = value(depth, &ivars);
  if (id && ivars == Ivars::kFollow && !skip_ivars(depth)) return std::nullopt;
  return id;
}

bool MarshalReader::skip_ivars(unsigned depth) {
  const auto pairs = count();
  for (std::size_t i = 0; pairs && i < *pairs && !error_; ++i) {
    if (symbol_text(depth)) value(depth);
  }
  return !error_;
}

MarshalReader::MaybeId MarshalReader::linked(const std::vector<MarshalId>& known) {
  const auto number = packed();
  if (!number) return std::nullopt;
  if (*number < 0 || static_cast<std::uint64_t>(*number) >= known.size()) {
    return fail("has a link to nothing");
  }
  return known[static_cast<std::size_t>(*number)];
}

MarshalReader::MaybeId MarshalReader::symbol() {
  const auto text = counted_bytes();
  const MaybeId id = text ? add(MarshalKind::kSymbol, *text) : std::nullopt;
  if (id) symbols_.push_back(*id);
  return id;
}

std::optional<std::string_view> MarshalReader::symbol_text(unsigned depth) {
  const MaybeId id = value(depth);
  if (!id) return std::nullopt;
  const MarshalNode& node = document_.nodes_[*id];
  if (node.kind != MarshalKind::kSymbol) return fail("has something else where a symbol belongs");
  return node.text;
}

MarshalReader::MaybeId MarshalReader::integer() {
  const auto number = packed();
  const MaybeId id = number ? add(MarshalKind::kInteger) : std::nullopt;
  if (id) document_.nodes_[*id].number = *number;
  return id;
}

MarshalReader::MaybeId MarshalReader::bignum() {
  constexpr std::size_t kShort = 2;
  const auto sign = byte();
  const auto magnitude = sign ? counted_bytes(kShort) : std::nullopt;
  if (!magnitude) return std::nullopt;
  const auto number = to_number(*sign, *magnitude);
  const MaybeId id = add_object(number ? MarshalKind::kInteger : MarshalKind::kOther);
  if (id && number) document_.nodes_[*id].number = *number;
  return id;
}

MarshalReader::MaybeId MarshalReader::regexp() {
  const MaybeId id = of_text(MarshalKind::kOther);
  return id && byte() ? id : std::nullopt;  // the byte has its options
}

MarshalReader::MaybeId MarshalReader::with_children(MaybeId id, std::size_t child_count,
                                                    unsigned depth) {
  if (!id) return std::nullopt;
  std::vector<MarshalId> children;
  for (std::size_t i = 0; i < child_count; ++i) {
    const MaybeId child = value(depth);
    if (!child) return std::nullopt;
    children.push_back(*child);
  }
  document_.nodes_[*id].children = std::move(children);
  return id;
}

MarshalReader::MaybeId MarshalReader::array(unsigned depth) {
  const auto length = count();
  return length ? with_children(add_object(MarshalKind::kArray), *length, depth) : std::nullopt;
}

MarshalReader::MaybeId MarshalReader::hash(unsigned depth) {
  const auto pairs = count();
  return pairs ? with_children(add_object(MarshalKind::kHash), 2 * *pairs, depth) : std::nullopt;
}

MarshalReader::MaybeId MarshalReader::hash_with_default(unsigned depth) {
  const MaybeId id = hash(depth);
  return id && value(depth) ? id : std::nullopt;
}

MarshalReader::MaybeId MarshalReader::object(MarshalKind kind, unsigned depth) {
  const auto name = symbol_text(depth);
  const MaybeId id = name ? add_object(kind, *name) : std::nullopt;
  const auto pairs = id ? count() : std::nullopt;
  return pairs ? with_children(id, 2 * *pairs, depth) : std::nullopt;
}

// Of a class derived from String, Array or Hash, or extended by a module: it counts as the plain
// one.
MarshalReader::MaybeId MarshalReader::of_class(unsigned depth, Ivars* ivars) {
  return symbol_text(depth) ? value(depth, ivars) : std::nullopt;
}

// What _dump wrote: it gets its number after its instance variables.
MarshalReader::MaybeId MarshalReader::self_dumped(unsigned depth, Ivars* ivars) {
  const auto name = symbol_text(depth);
  const auto text = name ? counted_bytes() : std::nullopt;
  if (!text) return std::nullopt;
  if (ivars != nullptr && *ivars == Ivars::kFollow) {
    if (!skip_ivars(depth)) return std::nullopt;
    *ivars = Ivars::kNone;
  }
  return add_object(MarshalKind::kOther, *text);
}

MarshalReader::MaybeId MarshalReader::self_marshalled(unsigned depth) {
  const auto name = symbol_text(depth);
  const MaybeId id = name ? add_object(MarshalKind::kOther, *name) : std::nullopt;
  return with_children(id, 1, depth);
}

const MarshalNode* MarshalDocument::find(const MarshalNode& of, std::string_view name) const {
  if (of.kind != MarshalKind::kHash && of.kind != MarshalKind::kObject) return nullptr;
  for (std::size_t i = 0; i + 1 < of.children.size(); i += 2) {
    const MarshalNode& key = at(of.children[i]);
    const bool named = key.kind == MarshalKind::kSymbol || key.kind == MarshalKind::kString;
    if (named && key.text == name) return &at(of.children[i + 1]);
  }
  return nullptr;
}

storage::Result<MarshalDocument> read_marshal(std::string_view bytes, const MarshalLimits& limits) {
  return MarshalReader(bytes, limits).read();
}

}  // namespace stompbox::faces
