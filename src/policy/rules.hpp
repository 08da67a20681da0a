// All rules, as one type. Whoever needs to handle any policy visits it; nothing else names them.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "policy/fixed_window.hpp"
#include "policy/leaky_bucket.hpp"
#include "policy/sliding_window_counter.hpp"
#include "policy/sliding_window_log.hpp"
#include "policy/token_bucket.hpp"

namespace ratelimit::policy {

using Rule = std::variant<TokenBucketRule, LeakyBucketRule, FixedWindowRule, SlidingWindowLogRule,
                          SlidingWindowCounterRule>;

template <class AnyRule>
struct StateOf;
template <class... Each>
struct StateOf<std::variant<Each...>> {
  using Type = std::variant<typename Each::State...>;
};

/// The state of a key, whatever its policy.
using AnyState = StateOf<Rule>::Type;

/// Checks all that a limiter is made of and gives the rule that decides for it.
///
/// Errors: Errc::invalid_argument, naming the field, its value and the bound.
Result<Rule> compile(std::string_view name, const Policy& policy, const LimiterOptions& options);

/// The policy for one of several instances that share its limit without knowing of each other: with
/// that part of limit and rate, rounded down, 1 at least.
Policy share_of(const Policy& policy, std::int64_t instances);

}  // namespace ratelimit::policy
