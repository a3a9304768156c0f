#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/selector.h"
#include "broker/routing/selector_like.h"
#include "broker/routing/selector_value.h"
#include "storage/queue/message.h"

namespace stompbox::routing {

// A selector as it is evaluated: nodes in one vector, each after its operands. Whoever builds it
// sees to it that operands are of the type that the operation wants, a field being of any type.
class SelectorTree {
 public:
  struct Node {
    std::uint32_t index = 0;
  };
  enum class Op : std::uint8_t {
    // Leaves.
    kText,
    kNumber,
    kTrue,
    kFalse,
    kField,
    // Numbers of numbers; `-x` is 0 - x.
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    // Conditions.
    kAnd,  // of two or more
    kOr,
    kNot,
    kTextEqual,
    kNumberEqual,
    kTruthEqual,
    kLess,
    kLessOrEqual,
    kTextIn,  // the first among the others, which are leaves
    kNumberIn,
    kLike,
    kIsNull,
  };

  Node add_text(std::string text);
  Node add_number(Number number);
  Node add_field(std::string_view name);  // with the names of JMS, see selector.h
  Node add_like(Node text, LikePattern pattern);
  Node add(Op op, const std::vector<Node>& operands = {});
  void set_root(Node root) { root_ = root; }

  // Whether the field is a number by its nature: JMSPriority and the like.
  [[nodiscard]] bool is_number_field(Node field) const;
  [[nodiscard]] Truth evaluate(const queue::Message& message) const;
  [[nodiscard]] std::optional<Selector::Equality> equality() const;

 private:
  enum class Source : std::uint8_t {
    kHeader,
    kPriority,
    kTimestamp,
    kExpiration,
    kDeliveryMode,
    kDestination,
    kNothing,  // known to JMS, not to us
  };
  struct Field {
    Source source = Source::kHeader;
    std::string header;
  };
  struct FieldName {
    std::string_view name;
    Source source;
    std::string_view header;
  };
  struct Stored {
    Op op = Op::kTrue;
    std::uint32_t first = 0;  // of its operands in operands_
    std::uint32_t count = 0;
    std::uint32_t leaf = 0;  // in texts_, numbers_, fields_ or likes_
  };
  static const FieldName kFieldNames[];

  Node add_leaf(Op op, std::size_t leaf);
  [[nodiscard]] const Stored& at(Node node) const { return nodes_[node.index]; }
  [[nodiscard]] Node operand(const Stored& stored, std::uint32_t i) const {
    return operands_[stored.first + i];
  }
  [[nodiscard]] Truth truth(Node node, const queue::Message& message) const;
  [[nodiscard]] Truth junction(const Stored& stored, const queue::Message& message,
                               Truth decides) const;
  [[nodiscard]] Truth compare(const Stored& stored, const queue::Message& message) const;
  [[nodiscard]] Truth text_in(const Stored& stored, const queue::Message& message) const;
  [[nodiscard]] Truth number_in(const Stored& stored, const queue::Message& message) const;
  [[nodiscard]] Truth like(const Stored& stored, const queue::Message& message) const;
  [[nodiscard]] std::optional<Number> number(Node node, const queue::Message& message) const;
  [[nodiscard]] std::optional<std::string_view> text(Node node, const queue::Message& message,
                                                     std::string& scratch) const;
  [[nodiscard]] static std::optional<std::string_view> field_text(const Field& field,
                                                                  const queue::Message& message,
                                                                  std::string& scratch);
  [[nodiscard]] static std::optional<Number> field_number(const Field& field,
                                                          const queue::Message& message);

  std::vector<Stored> nodes_;
  std::vector<Node> operands_;
  std::vector<std::string> texts_;
  std::vector<Number> numbers_;
  std::vector<Field> fields_;
  std::vector<LikePattern> likes_;
  Node root_;
};

}  // namespace stompbox::routing
