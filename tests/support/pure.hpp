// One key under a pure policy: no backend, no clock, no lock. For tests of src/policy itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/rules.hpp"
#include "ratelimit/policy.hpp"
#include "support/schedule.hpp"

namespace ratelimit::testing {

class PureKey {
 public:
  /// Throws BadResultAccess for a policy that is refused.
  explicit PureKey(const Policy& policy);
  PureKey(const PureKey& other);
  PureKey& operator=(const PureKey& other);
  ~PureKey() = default;

  /// Answers and keeps the state. A reset has no answer.
  Decision ask(const Question& question);

  /// Whether the last answer found a state from a clock that ran wild.
  [[nodiscard]] bool healed() const { return healed_; }

  /// Goes on under another policy of the same kind, keeping the state.
  void change(const Policy& policy);

  /// The state, field by field; equal where the states are.
  [[nodiscard]] std::vector<std::int64_t> fields() const;

  /// The rule, and the state as the rule sees it.
  [[nodiscard]] const policy::Rule& rule() const { return rule_; }
  [[nodiscard]] const policy::AnyState& state() const { return state_; }

  /// The instant from which the state counts as none.
  [[nodiscard]] std::int64_t reset_time() const;

 private:
  policy::Rule rule_;
  policy::AnyState state_;
  std::vector<std::byte> room_;  // what a state that is a view of room views
  bool healed_ = false;
};

}  // namespace ratelimit::testing
