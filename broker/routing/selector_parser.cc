#include "broker/routing/selector_parser.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/routing/selector_token.h"

namespace stompbox::routing {
namespace {

using Op = SelectorTree::Op;
using Node = SelectorTree::Node;

enum class Type : std::uint8_t {
  kHeader,  // becomes what it is compared with
  kNumber,
  kText,
  kCondition,
};

std::string_view describe(Type type) {
  switch (type) {
    case Type::kHeader: return "a header";
    case Type::kNumber: return "a number";
    case Type::kText: return "a text";
    case Type::kCondition: return "a condition";
  }
  return "";
}

bool may_be(Type type, Type wanted) {
  return type == wanted || type == Type::kHeader;
}

struct Operand {
  Node node;
  Type type = Type::kHeader;
  std::size_t position = 0;
  std::size_t depth = 0;  // of its tree
  bool is_name = false;
};
// Nothing after an error, which the parser keeps.
using Part = std::optional<Operand>;

class Parser {
 public:
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  storage::Result<SelectorTree> parse();

 private:
  [[nodiscard]] const Token& token() const { return tokens_[at_]; }
  [[nodiscard]] bool is(TokenKind kind) const { return token().kind == kind; }
  bool accept(TokenKind kind);
  bool require(TokenKind kind, std::string_view expected);
  std::nullopt_t fail(std::size_t position, std::string_view what);
  std::nullopt_t expected(std::string_view what);
  bool require_type(const Operand& operand, Type type);
  Part make(Op op, Type type, const std::vector<Operand>& operands);
  Part leaf(Node node, Type type);
  Part negated(Part condition, bool is_negated);
  bool enter();
  void leave() { --depth_; }

  Part condition() { return chain(TokenKind::kOr, Op::kOr, &Parser::conjunction); }
  Part conjunction() { return chain(TokenKind::kAnd, Op::kAnd, &Parser::negation); }
  Part chain(TokenKind word, Op op, Part (Parser::*part)());
  Part negation();
  Part predicate();
  Part set_predicate(const Operand& left);
  Part comparison(const Operand& left);
  Part equal(const Operand& left, const Operand& right);
  Part is_null(const Operand& left);
  Part between(const Operand& left);
  Part in(const Operand& left);
  Part in_item();
  Part like(const Operand& left);
  Part sum();
  Part product();
  Part arithmetic(const Operand& left, Op op, const Part& right);
  Part signed_value();
  Part value();
  Part name();

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  SelectorTree tree_;
  storage::Error error_;
};

storage::Result<SelectorTree> Parser::parse() {
  const Part root = condition();
  if (!root) return error_;
  if (!require(TokenKind::kEnd, "AND, OR or the end")) return error_;
  if (!require_type(*root, Type::kCondition)) return error_;
  tree_.set_root(root->node);
  return std::move(tree_);
}

bool Parser::accept(TokenKind kind) {
  if (!is(kind)) return false;
  ++at_;
  return true;
}

bool Parser::require(TokenKind kind, std::string_view what) {
  if (!is(kind)) {
    expected(what);
    return false;
  }
  if (kind != TokenKind::kEnd) ++at_;
  return true;
}

std::nullopt_t Parser::fail(std::size_t position, std::string_view what) {
  error_ = selector_error(position, what);
  return std::nullopt;
}

std::nullopt_t Parser::expected(std::string_view what) {
  return fail(token().position, "expected " + std::string(what) + ", found " + shown(token()));
}

bool Parser::require_type(const Operand& operand, Type type) {
  if (may_be(operand.type, type)) return true;
  fail(operand.position, "expected " + std::string(describe(type)) + ", found " +
                             std::string(describe(operand.type)));
  return false;
}

Part Parser::make(Op op, Type type, const std::vector<Operand>& operands) {
  Operand made{{}, type, operands.front().position};
  std::vector<Node> nodes;
  for (const Operand& operand : operands) {
    nodes.push_back(operand.node);
    made.depth = std::max(made.depth, operand.depth + 1);
  }
  if (made.depth > Selector::kDepthMax) return fail(made.position, "this is nested too deep");
  made.node = tree_.add(op, nodes);
  return made;
}

// Of the token that has just been taken.
Part Parser::leaf(Node node, Type type) {
  return Operand{node, type, tokens_[at_ - 1].position};
}

Part Parser::negated(Part condition, bool is_negated) {
  if (!condition || !is_negated) return condition;
  return make(Op::kNot, Type::kCondition, {*condition});
}

bool Parser::enter() {
  if (++depth_ <= Selector::kDepthMax) return true;
  fail(token().position, "this is nested too deep");
  return false;
}

Part Parser::chain(TokenKind word, Op op, Part (Parser::*part)()) {
  const Part first = (this->*part)();
  if (!first || !is(word)) return first;
  if (!require_type(*first, Type::kCondition)) return std::nullopt;
  std::vector<Operand> operands{*first};
  while (accept(word)) {
    const Part next = (this->*part)();
    if (!next || !require_type(*next, Type::kCondition)) return std::nullopt;
    operands.push_back(*next);
  }
  return make(op, Type::kCondition, operands);
}

Part Parser::negation() {
  if (!accept(TokenKind::kNot)) return predicate();
  if (!enter()) return std::nullopt;
  const Part inner = negation();
  leave();
  if (!inner || !require_type(*inner, Type::kCondition)) return std::nullopt;
  return negated(inner, true);
}

Part Parser::predicate() {
  const Part left = sum();
  if (!left) return std::nullopt;
  switch (token().kind) {
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessOrEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterOrEqual: return comparison(*left);
    case TokenKind::kIs: return is_null(*left);
    case TokenKind::kNot:
    case TokenKind::kBetween:
    case TokenKind::kIn:
    case TokenKind::kLike: return set_predicate(*left);
    default: return left;
  }
}

Part Parser::set_predicate(const Operand& left) {
  const bool is_negated = accept(TokenKind::kNot);
  if (accept(TokenKind::kBetween)) return negated(between(left), is_negated);
  if (accept(TokenKind::kIn)) return negated(in(left), is_negated);
  if (accept(TokenKind::kLike)) return negated(like(left), is_negated);
  return expected("BETWEEN, IN or LIKE");
}

Part Parser::comparison(const Operand& left) {
  const Token& sign = token();
  ++at_;
  const Part right = sum();
  if (!right) return std::nullopt;
  if (sign.kind == TokenKind::kEqual) return equal(left, *right);
  if (sign.kind == TokenKind::kNotEqual) return negated(equal(left, *right), true);
  for (const Operand& side : {left, *right}) {
    if (!may_be(side.type, Type::kNumber))
      return fail(side.position, "only numbers can be compared with " + shown(sign));
  }
  const bool is_swapped =
      sign.kind == TokenKind::kGreater || sign.kind == TokenKind::kGreaterOrEqual;
  const bool is_strict = sign.kind == TokenKind::kLess || sign.kind == TokenKind::kGreater;
  const Op op = is_strict ? Op::kLess : Op::kLessOrEqual;
  return is_swapped ? make(op, Type::kCondition, {*right, left})
                    : make(op, Type::kCondition, {left, *right});
}

Part Parser::equal(const Operand& left, const Operand& right) {
  // Two headers are compared as the texts that they are.
  const Type decides = left.type == Type::kHeader ? right.type : left.type;
  const Type type = decides == Type::kHeader ? Type::kText : decides;
  if (!may_be(right.type, type)) {
    return fail(right.position, std::string(describe(left.type)) + " cannot be compared with " +
                                    std::string(describe(right.type)));
  }
  if (type == Type::kNumber) return make(Op::kNumberEqual, Type::kCondition, {left, right});
  if (type == Type::kCondition) return make(Op::kTruthEqual, Type::kCondition, {left, right});
  return make(Op::kTextEqual, Type::kCondition, {left, right});
}

Part Parser::is_null(const Operand& left) {
  if (!left.is_name) return fail(left.position, "only a header can be NULL");
  ++at_;
  const bool is_negated = accept(TokenKind::kNot);
  if (!require(TokenKind::kNull, is_negated ? "NULL" : "NULL or NOT NULL")) return std::nullopt;
  return negated(make(Op::kIsNull, Type::kCondition, {left}), is_negated);
}

Part Parser::between(const Operand& left) {
  const Part low = sum();
  if (!low || !require(TokenKind::kAnd, "AND")) return std::nullopt;
  const Part high = sum();
  if (!high) return std::nullopt;
  for (const Operand& operand : {left, *low, *high}) {
    if (!require_type(operand, Type::kNumber)) return std::nullopt;
  }
  const Part above = make(Op::kLessOrEqual, Type::kCondition, {*low, left});
  const Part below = make(Op::kLessOrEqual, Type::kCondition, {left, *high});
  if (!above || !below) return std::nullopt;
  return make(Op::kAnd, Type::kCondition, {*above, *below});
}

Part Parser::in(const Operand& left) {
  if (!require(TokenKind::kOpen, "'('")) return std::nullopt;
  std::vector<Operand> operands{left};
  do {
    const Part item = in_item();
    if (!item) return std::nullopt;
    if (!may_be(left.type, item->type) || (operands.size() > 1 && operands[1].type != item->type))
      return fail(item->position, "all values of IN have to be of one kind");
    operands.push_back(*item);
  } while (accept(TokenKind::kComma));
  if (!require(TokenKind::kClose, "',' or ')'")) return std::nullopt;
  const bool is_text = operands[1].type == Type::kText;
  return make(is_text ? Op::kTextIn : Op::kNumberIn, Type::kCondition, operands);
}

Part Parser::in_item() {
  if (accept(TokenKind::kText))
    return leaf(tree_.add_text(unquoted(tokens_[at_ - 1])), Type::kText);
  const bool is_minus = accept(TokenKind::kMinus);
  if (!accept(TokenKind::kNumber)) return expected("a text in quotes or a number");
  const Number number = tokens_[at_ - 1].number;
  const auto value = is_minus ? compute(Arithmetic::kSubtract, Number(), number) : number;
  return leaf(tree_.add_number(*value), Type::kNumber);
}

Part Parser::like(const Operand& left) {
  if (!require_type(left, Type::kText)) return std::nullopt;
  if (!require(TokenKind::kText, "a text in quotes")) return std::nullopt;
  const Token& pattern = tokens_[at_ - 1];
  std::string escape;
  if (accept(TokenKind::kEscape)) {
    if (!require(TokenKind::kText, "one character in quotes")) return std::nullopt;
    escape = unquoted(tokens_[at_ - 1]);
    if (escape.empty() || first_character(escape) != escape)
      return fail(tokens_[at_ - 1].position, "ESCAPE wants one character");
  }
  auto made = LikePattern::make(unquoted(pattern), escape);
  if (!made) return fail(pattern.position, "the pattern ends with its escape character");
  Operand operand = left;
  operand.type = Type::kCondition;
  operand.is_name = false;
  ++operand.depth;
  operand.node = tree_.add_like(left.node, std::move(*made));
  return operand;
}

Part Parser::sum() {
  Part left = product();
  while (left && (is(TokenKind::kPlus) || is(TokenKind::kMinus))) {
    const Op op = is(TokenKind::kPlus) ? Op::kAdd : Op::kSubtract;
    ++at_;
    left = arithmetic(*left, op, product());
  }
  return left;
}

Part Parser::product() {
  Part left = signed_value();
  while (left && (is(TokenKind::kTimes) || is(TokenKind::kDivide))) {
    const Op op = is(TokenKind::kTimes) ? Op::kMultiply : Op::kDivide;
    ++at_;
    left = arithmetic(*left, op, signed_value());
  }
  return left;
}

Part Parser::arithmetic(const Operand& left, Op op, const Part& right) {
  if (!right || !require_type(left, Type::kNumber) || !require_type(*right, Type::kNumber))
    return std::nullopt;
  return make(op, Type::kNumber, {left, *right});
}

Part Parser::signed_value() {
  if (!is(TokenKind::kPlus) && !is(TokenKind::kMinus)) return value();
  if (!enter()) return std::nullopt;
  const std::size_t position = token().position;
  const Op op = is(TokenKind::kPlus) ? Op::kAdd : Op::kSubtract;
  ++at_;
  const Part operand = signed_value();
  leave();
  const Operand zero{tree_.add_number(Number()), Type::kNumber, position};
  return arithmetic(zero, op, operand);
}

Part Parser::value() {
  if (accept(TokenKind::kName)) return name();
  if (accept(TokenKind::kText))
    return leaf(tree_.add_text(unquoted(tokens_[at_ - 1])), Type::kText);
  if (accept(TokenKind::kNumber))
    return leaf(tree_.add_number(tokens_[at_ - 1].number), Type::kNumber);
  if (accept(TokenKind::kTrue)) return leaf(tree_.add(Op::kTrue), Type::kCondition);
  if (accept(TokenKind::kFalse)) return leaf(tree_.add(Op::kFalse), Type::kCondition);
  if (!accept(TokenKind::kOpen)) return expected("a header, a value or '('");
  if (!enter()) return std::nullopt;
  const Part inner = condition();
  leave();
  if (!inner || !require(TokenKind::kClose, "')'")) return std::nullopt;
  return inner;
}

Part Parser::name() {
  Part field = leaf(tree_.add_field(tokens_[at_ - 1].text), Type::kHeader);
  field->is_name = true;
  if (tree_.is_number_field(field->node)) field->type = Type::kNumber;
  return field;
}

}  // namespace

storage::Result<SelectorTree> parse_selector(std::string_view text) {
  const auto tokens = read_tokens(text);
  if (!tokens) return tokens.error();
  return Parser(*tokens).parse();
}

}  // namespace stompbox::routing
