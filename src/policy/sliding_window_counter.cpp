#include "policy/sliding_window_counter.hpp"

#include <string>

#include "policy/check.hpp"

namespace ratelimit::policy {

std::optional<SlidingWindowCounterRule::View> SlidingWindowCounterRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The present window may start up to a window ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 0, kExactBound) ||
      !is_within(fields[2], -window(), window() - 1)) {
    return std::nullopt;
  }
  return View{.count = fields[0], .previous = fields[1], .elapsed = fields[2], .healed = healed};
}

Result<SlidingWindowCounterRule> compile(const SlidingWindowCounter& policy,
                                         const LimiterOptions& /*options*/) {
  Check check("SlidingWindowCounter");
  check.count("limit", policy.limit).span("window", policy.window);
  const std::string window = std::to_string(policy.window.count()) + " us";
  check.product("limit " + std::to_string(policy.limit) + " * window " + window, policy.limit,
                policy.window.count(), [&](std::int64_t fits) {
                  return "SlidingWindowCounter{limit " + std::to_string(fits) + ", window " +
                         window + "}";
                });
  if (check.error()) return *check.error();
  return SlidingWindowCounterRule(policy);
}

}  // namespace ratelimit::policy
