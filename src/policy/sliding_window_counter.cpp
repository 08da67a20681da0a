#include "policy/sliding_window_counter.hpp"

#include <algorithm>
#include <string>

#include "policy/check.hpp"

namespace ratelimit::policy {
namespace {

// The limit times the window is below 2^53, but counts kept from a larger limit may go past int64
// when multiplied by the window.
__extension__ using Wide = __int128;

}  // namespace

SlidingWindowCounterRule::View SlidingWindowCounterRule::look(const State& state,
                                                              const Call& call) const {
  const Micros present = window_start(call.now, window_);
  // Aligned anew, so that a changed window length starts afresh only where the windows do not meet.
  const Micros start = window_start(state.start, window_);
  const View unused{.elapsed = call.now - present};
  if (start - call.now > window_) return {.elapsed = unused.elapsed, .healed = true};
  if (start >= present) {
    return {.count = state.count, .previous = state.previous, .elapsed = call.now - start};
  }
  if (start == present - window_) return {.previous = state.count, .elapsed = unused.elapsed};
  return unused;
}

Decision SlidingWindowCounterRule::decide(const View& view, const Call& call) const {
  Decision decision;
  decision.limit = limit_;
  const Micros elapsed = std::max<Micros>(0, view.elapsed);
  // All in units of 1/window: what is left of the limit.
  const Wide left = Wide{limit_ - view.count} * window_ - Wide{view.previous} * (window_ - elapsed);
  const bool ever_fits = call.cost <= limit_;
  decision.allowed = call.cost == 0 || (ever_fits && Wide{call.cost} * window_ <= left);
  if (!decision.allowed) {
    decision.retry_after = ever_fits ? Duration(wait_for(view, call.cost)) : never;
  }
  const std::int64_t added = decision.allowed ? call.charge() : 0;
  const Wide rest = left - Wide{added} * window_;
  const bool cut_up =
      rest < 0 && rest % window_ != 0;  // division cuts towards 0, the floor is below
  decision.remaining = static_cast<std::int64_t>(rest / window_) - (cut_up ? 1 : 0);
  if (view.count + added > 0) {
    decision.reset_after = Duration(2 * window_ - view.elapsed);
  } else if (view.previous > 0) {
    decision.reset_after = Duration(window_ - view.elapsed);
  }
  return decision;
}

// The wait until `cost`, which does not fit now but is within the limit, does. While a window lasts
// the previous one's weight falls in a straight line, so the instant is found by one division.
Micros SlidingWindowCounterRule::wait_for(const View& view, std::int64_t cost) const {
  const std::int64_t room = limit_ - cost - view.count;
  if (room >= 0) return window_ - room * window_ / view.previous - view.elapsed;
  // Not in this window. In the next one its count is the previous one's.
  return 2 * window_ - (limit_ - cost) * window_ / view.count - view.elapsed;
}

void SlidingWindowCounterRule::store(const View& view, const Call& call, bool /*allowed*/,
                                     State& state) const {
  state.start = call.now - view.elapsed;
  state.count = view.count + call.cost;
  state.previous = view.previous;
}

std::optional<SlidingWindowCounterRule::View> SlidingWindowCounterRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The present window may start up to a window ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 0, kExactBound) ||
      !is_within(fields[2], -window_, window_ - 1)) {
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
