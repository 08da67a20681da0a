// SlidingWindowCounter, made ready to decide: an estimate from two fixed windows, in exact
// integers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policy/call.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit::policy {

class SlidingWindowCounterRule {
 public:
  static constexpr std::string_view kScript = "sliding_window_counter";
  static constexpr std::string_view kStateTag = "c1";

  struct State {
    Micros start = 0;  // of the window that `count` was admitted in
    std::int64_t count = 0;
    std::int64_t previous = 0;  // admitted in the window before that
  };

  struct View {
    static constexpr std::size_t kFields = 3;
    std::int64_t count = 0;
    std::int64_t previous = 0;
    Micros elapsed = 0;  // since the window's start; negative where the clock stepped back
    bool healed = false;
  };

  explicit SlidingWindowCounterRule(const SlidingWindowCounter& policy)
      : limit_(policy.limit), window_(policy.window.count()) {}

  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& /*view*/) const { return false; }
  void store(const View& view, const Call& call, bool allowed, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return window_start(state.start, window_) + (state.count > 0 ? 2 : 1) * window_;
  }

  /// The charge (0 for a peek), the limit and the window.
  [[nodiscard]] std::array<std::int64_t, 3> script_arguments(const Call& call) const {
    return {call.charge(), limit_, window_};
  }
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

 private:
  [[nodiscard]] Micros wait_for(const View& view, std::int64_t cost) const;

  std::int64_t limit_;
  Micros window_;
};

Result<SlidingWindowCounterRule> compile(const SlidingWindowCounter& policy,
                                         const LimiterOptions& options);

}  // namespace ratelimit::policy
