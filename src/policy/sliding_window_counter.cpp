#include "policy/sliding_window_counter.hpp"

#include <algorithm>
#include <string>

#include "policy/check.hpp"
#include "policy/share.hpp"

namespace ratelimit::policy {

SlidingWindowCounterRule::View SlidingWindowCounterRule::after(const View& view, const Call& call,
                                                               std::int64_t times) const {
  View seen = view;
  seen.healed = view.healed && times == 0;
  const Wide left = left_in(view);
  if (!call.may_write() || left <= 0) return seen;
  const Wide fitting = left / (Wide{call.cost} * window());
  seen.count += static_cast<std::int64_t>(std::min(Wide{times}, fitting)) * call.cost;
  return seen;
}

std::optional<SlidingWindowCounterRule::View> SlidingWindowCounterRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The present window may start up to a window ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 0, kExactBound) ||
      !is_within(fields[2], -window(), window() - 1)) {
    return std::nullopt;
  }
  return View{.count = fields[0], .previous = fields[1], .elapsed = fields[2], .healed = healed};
}

SlidingWindowCounter share_of(SlidingWindowCounter policy, std::int64_t instances) {
  policy.limit = share_of(policy.limit, instances);
  return policy;
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
