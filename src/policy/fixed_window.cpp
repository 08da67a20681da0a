#include "policy/fixed_window.hpp"

#include <algorithm>

#include "policy/check.hpp"
#include "policy/share.hpp"

namespace ratelimit::policy {

FixedWindowRule::View FixedWindowRule::after(const View& view, const Call& call,
                                             std::int64_t times) const {
  View seen = view;
  seen.healed = view.healed && times == 0;
  if (!call.may_write() || view.used >= limit_) return seen;
  seen.used += std::min(times, (limit_ - view.used) / call.cost) * call.cost;
  return seen;
}

std::optional<FixedWindowRule::View> FixedWindowRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The window may be one ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 1, 2 * window())) {
    return std::nullopt;
  }
  return View{.used = fields[0], .ends_in = fields[1], .healed = healed};
}

FixedWindow share_of(FixedWindow policy, std::int64_t instances) {
  policy.limit = share_of(policy.limit, instances);
  return policy;
}

Result<FixedWindowRule> compile(const FixedWindow& policy, const LimiterOptions& /*options*/) {
  Check check("FixedWindow");
  check.count("limit", policy.limit).span("window", policy.window);
  if (check.error()) return *check.error();
  return FixedWindowRule(policy);
}

}  // namespace ratelimit::policy
