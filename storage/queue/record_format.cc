#include "storage/queue/record_format.h"

#include <algorithm>

namespace stompbox::queue {
namespace {

// Flags of an index entry. On disk: never change a value.
constexpr std::uint8_t kFlagVolatile = 1;
constexpr std::uint8_t kFlagPlainBlock = 2;
constexpr std::uint8_t kFlagOwnDestination = 4;
constexpr std::uint8_t kFlagBodyApart = 8;
constexpr std::uint8_t kFlagExpires = 16;  // since format 2
constexpr std::uint8_t kKnownFlags = 31;

constexpr std::size_t kDeadRangesMax = 64;  // per class, in a meta record

void put_varint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_fixed64(std::uint64_t value, std::string& out) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

void put_text(std::string_view text, std::string& out) {
  put_varint(text.size(), out);
  out.append(text);
}

// Takes values from the front of bytes. After the first that does not fit, ok() is false and every
// further value is zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && ok_; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return ok_ ? value : 0;
    }
    ok_ = false;
    return 0;
  }

  std::uint32_t varint32() {
    const std::uint64_t value = varint();
    if (value > 0xffffffff) ok_ = false;
    return ok_ ? static_cast<std::uint32_t>(value) : 0;
  }

  std::uint64_t fixed64() {
    const std::string_view taken = take(8);
    std::uint64_t value = 0;
    for (std::size_t i = taken.size(); i-- > 0;) {
      value = (value << 8) | static_cast<unsigned char>(taken[i]);
    }
    return value;
  }

  std::string_view text() {
    const std::uint64_t size = varint();
    if (size > rest_.size()) ok_ = false;
    return ok_ ? take(static_cast<std::size_t>(size)) : std::string_view{};
  }

  std::string_view rest() { return take(rest_.size()); }
  void require(bool holds) { ok_ = ok_ && holds; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

void encode_class(const ClassMeta& meta, std::string& out) {
  out.push_back(static_cast<char>(meta.priority.value));
  put_varint(meta.durable_count, out);
  put_varint(meta.durable_bytes, out);
  put_varint(meta.volatile_count, out);
  put_varint(meta.next, out);
  put_varint(meta.low, out);
  put_varint(meta.returned.from, out);
  put_varint(meta.returned.length(), out);
  put_varint(meta.dead.size(), out);
  for (const DeadRange& range : meta.dead) {
    put_varint(range.from, out);
    put_varint(range.length(), out);
  }
}

DeadRange read_range(ByteReader& reader) {
  DeadRange range;
  range.from = reader.varint();
  const std::uint64_t length = reader.varint();
  reader.require(length <= UINT64_MAX - range.from);
  range.to = range.from + length;
  return range;
}

ClassMeta read_class(ByteReader& reader) {
  ClassMeta meta;
  meta.priority.value = reader.byte();
  reader.require(meta.priority.value < kPriorityClassCount);
  meta.durable_count = reader.varint();
  meta.durable_bytes = reader.varint();
  meta.volatile_count = reader.varint();
  meta.next = reader.varint();
  meta.low = reader.varint();
  reader.require(meta.low >= 1 && meta.low <= meta.next);
  meta.returned = read_range(reader);
  const std::uint64_t ranges = reader.varint();
  reader.require(ranges <= kDeadRangesMax);
  for (std::uint64_t i = 0; i < ranges && reader.ok(); ++i)
    meta.dead.push_back(read_range(reader));
  return meta;
}

// Since format 3, and only where there is something: so records of format 2 are read as they are.
void encode_deferred(const QueueMeta& meta, std::string& out) {
  for (const ClassMeta& entry : meta.classes) {
    if (entry.deferred.length() == 0) continue;
    out.push_back(static_cast<char>(entry.priority.value));
    put_varint(entry.deferred.from, out);
    put_varint(entry.deferred.length(), out);
    put_varint(entry.deferred_bytes, out);
  }
}

void read_deferred(ByteReader& reader, QueueMeta& meta) {
  while (reader.ok() && !reader.complete()) {
    const PriorityClass priority{reader.byte()};
    const auto entry = std::find_if(
        meta.classes.begin(), meta.classes.end(),
        [priority](const ClassMeta& candidate) { return candidate.priority == priority; });
    reader.require(entry != meta.classes.end());
    if (!reader.ok()) return;
    entry->deferred = read_range(reader);
    entry->deferred_bytes = reader.varint();
    reader.require(entry->deferred.length() > 0 && entry->deferred.to <= entry->low);
  }
}

}  // namespace

std::uint64_t IndexEntry::bytes() const {
  Message sizes;  // the rule for what a message counts stands in one place only
  return body_bytes + header_block.size() + sizes.bytes();
}

void encode_store(const StoreRecord& record, std::string& out) {
  put_varint(record.format, out);
  put_text(record.identity, out);
  put_varint(record.epoch, out);
  put_varint(record.inline_bytes_least, out);
}

std::optional<StoreRecord> decode_store(std::string_view bytes) {
  ByteReader reader(bytes);
  StoreRecord record;
  record.format = reader.varint32();
  // Of a newer format only the number is known.
  if (reader.ok() && record.format > kStoreFormat) return record;
  record.identity = std::string(reader.text());
  record.epoch = reader.varint32();
  record.inline_bytes_least = reader.varint();
  reader.require(record.format >= 1);
  if (!reader.complete()) return std::nullopt;
  return record;
}

void encode_name(const QueueName& name, std::string& out) {
  put_text(name.name, out);
  put_text(name.attributes, out);
}

std::optional<QueueName> decode_name(std::string_view bytes) {
  ByteReader reader(bytes);
  QueueName name;
  name.name = std::string(reader.text());
  name.attributes = std::string(reader.text());
  if (!reader.complete()) return std::nullopt;
  return name;
}

void encode_last_queue(QueueId queue, std::string& out) {
  put_varint(queue.value, out);
}

std::optional<QueueId> decode_last_queue(std::string_view bytes) {
  ByteReader reader(bytes);
  const QueueId queue{reader.varint32()};
  if (!reader.complete()) return std::nullopt;
  return queue;
}

void encode_meta(const QueueMeta& meta, std::string& out) {
  out.push_back(static_cast<char>(meta.classes.size()));
  for (const ClassMeta& entry : meta.classes)
    encode_class(entry, out);
  encode_deferred(meta, out);
}

std::optional<QueueMeta> decode_meta(std::string_view bytes) {
  ByteReader reader(bytes);
  QueueMeta meta;
  const std::uint8_t classes = reader.byte();
  reader.require(classes <= kPriorityClassCount);
  for (std::uint8_t i = 0; i < classes && reader.ok(); ++i) {
    meta.classes.push_back(read_class(reader));
  }
  read_deferred(reader, meta);
  if (!reader.complete()) return std::nullopt;
  return meta;
}

void encode_index(const Message& message, std::string_view queue_name, BodyPlace body_place,
                  std::string& out) {
  std::uint8_t flags = 0;
  if (message.persistence == Persistence::kVolatile) flags |= kFlagVolatile;
  if (message.block_is_plain) flags |= kFlagPlainBlock;
  if (message.destination != queue_name) flags |= kFlagOwnDestination;
  if (body_place == BodyPlace::kApart) flags |= kFlagBodyApart;
  if (message.expires_ms != 0) flags |= kFlagExpires;
  out.push_back(static_cast<char>(flags));
  put_fixed64(message.id.value, out);
  put_fixed64(static_cast<std::uint64_t>(message.arrived_ms), out);
  if ((flags & kFlagExpires) != 0) put_fixed64(static_cast<std::uint64_t>(message.expires_ms), out);
  if ((flags & kFlagOwnDestination) != 0) put_text(message.destination, out);
  put_text(message.header_block, out);
  if (body_place == BodyPlace::kApart) {
    put_varint(message.body.size(), out);
  } else {
    out.append(message.body);
  }
}

std::optional<IndexEntry> decode_index(std::string_view bytes) {
  ByteReader reader(bytes);
  IndexEntry entry;
  const std::uint8_t flags = reader.byte();
  reader.require((flags & ~kKnownFlags) == 0);
  entry.persistence = (flags & kFlagVolatile) != 0 ? Persistence::kVolatile : Persistence::kDurable;
  entry.block_is_plain = (flags & kFlagPlainBlock) != 0;
  entry.destination_is_queue = (flags & kFlagOwnDestination) == 0;
  entry.body_place = (flags & kFlagBodyApart) != 0 ? BodyPlace::kApart : BodyPlace::kInline;
  entry.id.value = reader.fixed64();
  entry.arrived_ms = static_cast<std::int64_t>(reader.fixed64());
  if ((flags & kFlagExpires) != 0) {
    entry.expires_ms = static_cast<std::int64_t>(reader.fixed64());
  }
  if (!entry.destination_is_queue) entry.destination = reader.text();
  entry.header_block = reader.text();
  if (entry.body_place == BodyPlace::kApart) {
    entry.body_bytes = reader.varint();
  } else {
    entry.inline_body = reader.rest();
    entry.body_bytes = entry.inline_body.size();
  }
  if (!reader.complete()) return std::nullopt;
  return entry;
}

void encode_deliveries(std::uint32_t deliveries, std::string& out) {
  put_varint(deliveries, out);
}

std::optional<std::uint32_t> decode_deliveries(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint32_t deliveries = reader.varint32();
  if (!reader.complete()) return std::nullopt;
  return deliveries;
}

}  // namespace stompbox::queue
