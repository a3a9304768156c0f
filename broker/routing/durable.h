#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/routing/destination.h"
#include "broker/routing/pattern.h"
#include "broker/routing/selector.h"
#include "storage/result.h"

namespace stompbox::routing {

// What a durable subscription listens to (fact 2.5). It stands in the attributes of its queue, so
// that it survives a restart:
//
//   topic NAME\n       one line each
//   pattern NAME\n     the same, of names with wildcards
//   selector TEXT\n    at most one
//
// with `\\` and `\n` for a backslash and a line feed within a value. Lines of other words are a
// newer program's and refused.
struct DurableInterest {
  std::vector<Destination> topics;
  std::string selector;  // empty: everything

  [[nodiscard]] std::string to_attributes() const;
  [[nodiscard]] static storage::Result<DurableInterest> parse(std::string_view attributes);

  friend bool operator==(const DurableInterest&, const DurableInterest&) = default;
};

// The same, ready to be asked.
class DurableFilter {
 public:
  // kInvalid where the selector makes no sense.
  [[nodiscard]] static storage::Result<DurableFilter> make(DurableInterest interest);

  [[nodiscard]] bool listens_to(std::string_view topic) const;
  [[nodiscard]] bool wants(const queue::Message& message) const {
    return selector_ == nullptr || selector_->matches(message);
  }
  [[nodiscard]] const DurableInterest& interest() const { return interest_; }

 private:
  DurableInterest interest_;
  std::vector<Pattern> patterns_;  // of those with wildcards
  std::shared_ptr<const Selector> selector_;
};

}  // namespace stompbox::routing
