#include "broker/routing/selector_tree.h"

#include <cassert>
#include <utility>

namespace stompbox::routing {
namespace {

constexpr std::int64_t kDefaultPriority = 4;  // JMS

Arithmetic arithmetic_of(SelectorTree::Op op) {
  switch (op) {
    case SelectorTree::Op::kAdd: return Arithmetic::kAdd;
    case SelectorTree::Op::kSubtract: return Arithmetic::kSubtract;
    case SelectorTree::Op::kMultiply: return Arithmetic::kMultiply;
    default: return Arithmetic::kDivide;
  }
}

// A priority is a digit; anything else on the wire is taken for none.
Number priority_of(const std::optional<std::string_view>& header) {
  const auto number = header ? Number::read(*header) : std::nullopt;
  return number.value_or(Number(kDefaultPriority));
}

}  // namespace

const SelectorTree::FieldName SelectorTree::kFieldNames[] = {
    {"JMSType", Source::kHeader, "type"},
    {"JMSCorrelationID", Source::kHeader, "correlation-id"},
    {"JMSReplyTo", Source::kHeader, "reply-to"},
    {"JMSPriority", Source::kPriority, "priority"},
    {"JMSTimestamp", Source::kTimestamp, "timestamp"},
    {"JMSExpiration", Source::kExpiration, ""},
    {"JMSDeliveryMode", Source::kDeliveryMode, ""},
    {"JMSDestination", Source::kDestination, ""},
};

SelectorTree::Node SelectorTree::add_leaf(Op op, std::size_t leaf) {
  nodes_.push_back({op, 0, 0, static_cast<std::uint32_t>(leaf)});
  return {static_cast<std::uint32_t>(nodes_.size() - 1)};
}

SelectorTree::Node SelectorTree::add_text(std::string text) {
  texts_.push_back(std::move(text));
  return add_leaf(Op::kText, texts_.size() - 1);
}

SelectorTree::Node SelectorTree::add_number(Number number) {
  numbers_.push_back(number);
  return add_leaf(Op::kNumber, numbers_.size() - 1);
}

SelectorTree::Node SelectorTree::add_field(std::string_view name) {
  Field field{Source::kHeader, std::string(name)};
  if (name.starts_with("JMS") && !name.starts_with("JMSX")) {
    field = {Source::kNothing, {}};
    for (const FieldName& known : kFieldNames) {
      if (known.name == name) field = {known.source, std::string(known.header)};
    }
  }
  fields_.push_back(std::move(field));
  return add_leaf(Op::kField, fields_.size() - 1);
}

SelectorTree::Node SelectorTree::add_like(Node text, LikePattern pattern) {
  likes_.push_back(std::move(pattern));
  const Node node = add(Op::kLike, {text});
  nodes_[node.index].leaf = static_cast<std::uint32_t>(likes_.size() - 1);
  return node;
}

SelectorTree::Node SelectorTree::add(Op op, const std::vector<Node>& operands) {
  Stored stored{op, static_cast<std::uint32_t>(operands_.size()),
                static_cast<std::uint32_t>(operands.size()), 0};
  operands_.insert(operands_.end(), operands.begin(), operands.end());
  nodes_.push_back(stored);
  return {static_cast<std::uint32_t>(nodes_.size() - 1)};
}

bool SelectorTree::is_number_field(Node field) const {
  assert(at(field).op == Op::kField);
  const Source source = fields_[at(field).leaf].source;
  return source == Source::kPriority || source == Source::kTimestamp ||
         source == Source::kExpiration;
}

std::optional<Selector::Equality> SelectorTree::equality() const {
  const Stored& root = at(root_);
  if (root.op != Op::kTextEqual) return std::nullopt;
  const Stored* field = &at(operand(root, 0));
  const Stored* text = &at(operand(root, 1));
  if (field->op != Op::kField) std::swap(field, text);
  if (field->op != Op::kField || text->op != Op::kText) return std::nullopt;
  if (fields_[field->leaf].source != Source::kHeader) return std::nullopt;
  return Selector::Equality{fields_[field->leaf].header, texts_[text->leaf]};
}

Truth SelectorTree::evaluate(const queue::Message& message) const {
  return truth(root_, message);
}

Truth SelectorTree::truth(Node node, const queue::Message& message) const {
  const Stored& stored = at(node);
  std::string scratch;
  switch (stored.op) {
    case Op::kTrue: return Truth::kTrue;
    case Op::kFalse: return Truth::kFalse;
    case Op::kField: return read_truth(text(node, message, scratch).value_or(""));
    case Op::kAnd: return junction(stored, message, Truth::kFalse);
    case Op::kOr: return junction(stored, message, Truth::kTrue);
    case Op::kNot: return negate(truth(operand(stored, 0), message));
    case Op::kTextIn: return text_in(stored, message);
    case Op::kNumberIn: return number_in(stored, message);
    case Op::kLike: return like(stored, message);
    case Op::kIsNull: return truth_of(!text(operand(stored, 0), message, scratch));
    default: return compare(stored, message);
  }
}

// AND and OR: one operand that is `decides` is enough; else one that is unknown makes it unknown.
Truth SelectorTree::junction(const Stored& stored, const queue::Message& message,
                             Truth decides) const {
  Truth result = negate(decides);
  for (std::uint32_t i = 0; i < stored.count; ++i) {
    const Truth one = truth(operand(stored, i), message);
    if (one == decides) return decides;
    if (one == Truth::kUnknown) result = one;
  }
  return result;
}

Truth SelectorTree::compare(const Stored& stored, const queue::Message& message) const {
  const Node left = operand(stored, 0);
  const Node right = operand(stored, 1);
  if (stored.op == Op::kTextEqual) {
    std::string left_scratch;
    std::string right_scratch;
    const auto left_text = text(left, message, left_scratch);
    const auto right_text = text(right, message, right_scratch);
    return left_text && right_text ? truth_of(*left_text == *right_text) : Truth::kUnknown;
  }
  if (stored.op == Op::kTruthEqual) {
    const Truth left_truth = truth(left, message);
    const Truth right_truth = truth(right, message);
    if (left_truth == Truth::kUnknown || right_truth == Truth::kUnknown) return Truth::kUnknown;
    return truth_of(left_truth == right_truth);
  }
  const auto left_number = number(left, message);
  const auto right_number = number(right, message);
  if (!left_number || !right_number) return Truth::kUnknown;
  const std::partial_ordering order = *left_number <=> *right_number;
  if (order == std::partial_ordering::unordered) return Truth::kUnknown;
  if (stored.op == Op::kNumberEqual) return truth_of(order == 0);
  return truth_of(stored.op == Op::kLess ? order < 0 : order <= 0);
}

Truth SelectorTree::text_in(const Stored& stored, const queue::Message& message) const {
  std::string scratch;
  const auto sought = text(operand(stored, 0), message, scratch);
  if (!sought) return Truth::kUnknown;
  for (std::uint32_t i = 1; i < stored.count; ++i) {
    if (texts_[at(operand(stored, i)).leaf] == *sought) return Truth::kTrue;
  }
  return Truth::kFalse;
}

Truth SelectorTree::number_in(const Stored& stored, const queue::Message& message) const {
  const auto sought = number(operand(stored, 0), message);
  if (!sought) return Truth::kUnknown;
  for (std::uint32_t i = 1; i < stored.count; ++i) {
    if ((numbers_[at(operand(stored, i)).leaf] <=> *sought) == 0) return Truth::kTrue;
  }
  return Truth::kFalse;
}

Truth SelectorTree::like(const Stored& stored, const queue::Message& message) const {
  std::string scratch;
  const auto subject = text(operand(stored, 0), message, scratch);
  return subject ? truth_of(likes_[stored.leaf].matches(*subject)) : Truth::kUnknown;
}

std::optional<Number> SelectorTree::number(Node node, const queue::Message& message) const {
  const Stored& stored = at(node);
  if (stored.op == Op::kNumber) return numbers_[stored.leaf];
  if (stored.op == Op::kField) return field_number(fields_[stored.leaf], message);
  const auto left = number(operand(stored, 0), message);
  const auto right = number(operand(stored, 1), message);
  if (!left || !right) return std::nullopt;
  return compute(arithmetic_of(stored.op), *left, *right);
}

std::optional<std::string_view> SelectorTree::text(Node node, const queue::Message& message,
                                                   std::string& scratch) const {
  const Stored& stored = at(node);
  if (stored.op == Op::kText) return texts_[stored.leaf];
  return field_text(fields_[stored.leaf], message, scratch);
}

std::optional<std::string_view> SelectorTree::field_text(const Field& field,
                                                         const queue::Message& message,
                                                         std::string& scratch) {
  switch (field.source) {
    case Source::kHeader: return find_header(message, field.header, scratch);
    case Source::kDestination: return message.destination;
    case Source::kDeliveryMode:
      return message.persistence == queue::Persistence::kDurable ? "PERSISTENT" : "NON_PERSISTENT";
    case Source::kNothing: return std::nullopt;
    default: return "";  // a number that is always there, asked for IS NULL
  }
}

std::optional<Number> SelectorTree::field_number(const Field& field,
                                                 const queue::Message& message) {
  std::string scratch;
  if (field.source == Source::kExpiration) return Number(message.expires_ms);
  if (field.source == Source::kPriority)
    return priority_of(find_header(message, field.header, scratch));
  if (field.source == Source::kTimestamp) {
    const auto header = find_header(message, field.header, scratch);
    return header ? Number::read(*header) : Number(message.arrived_ms);
  }
  const auto header = field_text(field, message, scratch);
  return header ? Number::read(*header) : std::nullopt;
}

}  // namespace stompbox::routing
