#include "policy/sliding_window_log.hpp"

#include <algorithm>
#include <string>

#include "policy/check.hpp"
#include "policy/share.hpp"

namespace ratelimit::policy {

SlidingWindowLogRule::View SlidingWindowLogRule::look(const State& state, const Call& call) const {
  if (state.size() == 0) return {};
  if (state.newest() - call.now > window_) return {.healed = true};

  View view;
  view.used = state.count_after(call.now - window_);
  if (view.used == 0) return view;
  view.clears_in = state.newest() + window_ - call.now;
  if (call.cost > 0 && call.cost <= limit_) {
    const std::int64_t excess = view.used - (limit_ - call.cost);
    const std::int64_t old = state.size() - view.used;
    if (excess > 0) view.retry_in = state[old + excess - 1] + window_ - call.now;
  }
  return view;
}

Decision SlidingWindowLogRule::decide(const View& view, const Verdict& verdict,
                                      const Call& call) const {
  Decision decision;
  decision.allowed = verdict.allowed;
  decision.limit = limit_;
  if (!verdict.allowed) {
    decision.retry_after = call.cost <= limit_ ? Duration(view.retry_in) : never;
  }
  const std::int64_t added = verdict.allowed ? call.charge() : 0;
  decision.remaining = std::max<std::int64_t>(0, limit_ - view.used - added);
  // What is added is put down at now, or at the newest unit's time where that is ahead of now.
  decision.reset_after = Duration(added > 0 ? std::max(view.clears_in, window_) : view.clears_in);
  return decision;
}

void SlidingWindowLogRule::store(const View& view, const Verdict& /*verdict*/, const Call& call,
                                 State& state) const {
  const Micros at = view.used == 0 ? call.now : std::max(call.now, state.newest());
  if (view.used == 0) {
    state.clear(width_);
  } else {
    state.keep_newest(view.used);
  }
  state.append(at, call.cost);
}

SlidingWindowLogRule::View SlidingWindowLogRule::after(const View& view, const Call& call,
                                                       std::int64_t times) const {
  View seen = view;
  seen.healed = view.healed && times == 0;
  if (!call.may_write() || view.used >= limit_) return seen;
  const std::int64_t added = std::min(times, (limit_ - view.used) / call.cost) * call.cost;
  if (added == 0) return seen;
  seen.used += added;
  seen.clears_in = std::max(view.clears_in, window_);
  return seen;
}

std::size_t SlidingWindowLogRule::room_for(const State& state, const View& view,
                                           const Call& call) const {
  if (!call.may_write() || !judge(view, call).allowed) return 0;
  const Width width = width_after(state, view);
  const std::size_t room = TimeRing::room_for(view.used + call.cost, width);
  const bool suffices = room <= state.room().size() && (view.used == 0 || width == state.width());
  return suffices ? 0 : room;
}

void SlidingWindowLogRule::move(const View& view, std::span<std::byte> room, State& state) const {
  const Width width = width_after(state, view);
  state.keep_newest(view.used);
  state.move_to(room, width);
}

std::optional<SlidingWindowLogRule::View> SlidingWindowLogRule::view_of(
    std::span<const std::int64_t, View::kFields> fields, bool healed) const {
  // The newest unit may be a window ahead of now.
  if (!is_within(fields[0], 0, kExactBound) || !is_within(fields[1], 0, 2 * window_) ||
      !is_within(fields[2], 0, 2 * window_)) {
    return std::nullopt;
  }
  return View{.used = fields[0], .retry_in = fields[1], .clears_in = fields[2], .healed = healed};
}

SlidingWindowLog share_of(SlidingWindowLog policy, std::int64_t instances) {
  policy.limit = share_of(policy.limit, instances);
  return policy;
}

Result<SlidingWindowLogRule> compile(const SlidingWindowLog& policy,
                                     const LimiterOptions& options) {
  Check check("SlidingWindowLog");
  check.count("limit", policy.limit).span("window", policy.window);
  if (!check.error() && policy.limit > options.log_cap) {
    return invalid_argument("SlidingWindowLog.limit is " + std::to_string(policy.limit) +
                            "; it must be at most LimiterOptions.log_cap, which is " +
                            std::to_string(options.log_cap));
  }
  if (check.error()) return *check.error();
  return SlidingWindowLogRule(policy);
}

}  // namespace ratelimit::policy
