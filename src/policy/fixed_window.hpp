// FixedWindow, made ready to decide.
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

class FixedWindowRule {
 public:
  static constexpr std::string_view kScript = "fixed_window";
  static constexpr std::string_view kStateTag = "f1";

  struct State {
    Micros start = 0;  // of the window that `count` was admitted in
    std::int64_t count = 0;
  };

  struct View {
    static constexpr std::size_t kFields = 2;
    std::int64_t used = 0;
    Micros ends_in = 0;  // > 0; more than a window where the clock stepped back
    bool healed = false;
  };

  explicit FixedWindowRule(const FixedWindow& policy)
      : limit_(policy.limit), window_(policy.window.count()) {}

  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& /*view*/) const { return false; }
  void store(const View& view, const Call& call, bool allowed, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return window_start(state.start, window_) + window_;
  }

  /// The charge (0 for a peek), the limit and the window.
  [[nodiscard]] std::array<std::int64_t, 3> script_arguments(const Call& call) const {
    return {call.charge(), limit_, window_};
  }
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

 private:
  std::int64_t limit_;
  Micros window_;
};

Result<FixedWindowRule> compile(const FixedWindow& policy, const LimiterOptions& options);

}  // namespace ratelimit::policy
