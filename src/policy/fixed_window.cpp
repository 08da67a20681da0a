#include "policy/fixed_window.hpp"

#include <algorithm>

#include "policy/check.hpp"

namespace ratelimit::policy {

FixedWindowRule::View FixedWindowRule::look(const State& state, const Call& call) const {
  const Micros present = window_start(call.now, window_);
  // Aligned anew, so that a changed window length starts afresh only where the windows do not meet.
  const Micros start = window_start(state.start, window_);
  const View unused{.ends_in = present + window_ - call.now};
  if (state.count == 0 || start < present) return unused;
  if (start - call.now > window_) return {.ends_in = unused.ends_in, .healed = true};
  return {.used = state.count, .ends_in = start + window_ - call.now};
}

Decision FixedWindowRule::decide(const View& view, const Call& call) const {
  Decision decision;
  decision.limit = limit_;
  const bool ever_fits = call.cost <= limit_;
  decision.allowed = call.cost == 0 || (ever_fits && view.used <= limit_ - call.cost);
  if (!decision.allowed) decision.retry_after = ever_fits ? Duration(view.ends_in) : never;
  const std::int64_t used = view.used + (decision.allowed ? call.charge() : 0);
  decision.remaining = std::max<std::int64_t>(0, limit_ - used);
  decision.reset_after = Duration(used > 0 ? view.ends_in : 0);
  return decision;
}

void FixedWindowRule::store(const View& view, const Call& call, bool /*allowed*/,
                            State& state) const {
  state.start = call.now + view.ends_in - window_;
  state.count = view.used + call.cost;
}

std::optional<FixedWindowRule::View> FixedWindowRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The window may be one ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 1, 2 * window_)) {
    return std::nullopt;
  }
  return View{.used = fields[0], .ends_in = fields[1], .healed = healed};
}

Result<FixedWindowRule> compile(const FixedWindow& policy, const LimiterOptions& /*options*/) {
  Check check("FixedWindow");
  check.count("limit", policy.limit).span("window", policy.window);
  if (check.error()) return *check.error();
  return FixedWindowRule(policy);
}

}  // namespace ratelimit::policy
