// SlidingWindowLog, made ready to decide: keeps the time of every admitted unit.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policy/call.hpp"
#include "policy/time_ring.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit::policy {

class SlidingWindowLogRule {
 public:
  static constexpr std::string_view kScript = "sliding_window_log";
  static constexpr std::string_view kStateTag = "s2";

  using State = TimeRing;  // of the admitted units

  struct View {
    static constexpr std::size_t kFields = 3;
    std::int64_t used = 0;
    Micros retry_in = 0;   // until the cost fits; 0 where it does, or never will
    Micros clears_in = 0;  // until the newest unit leaves the window; 0 where nothing is used
    bool healed = false;
  };

  struct Verdict {
    bool allowed;
  };

  /// A log fits no word.
  struct Packing {
    explicit Packing(std::int64_t /*packing*/) {}
  };
  [[nodiscard]] std::int64_t packing() const { return 0; }
  [[nodiscard]] Micros longest_wait() const { return 2 * window_; }

  explicit SlidingWindowLogRule(const SlidingWindowLog& policy)
      : limit_(policy.limit), window_(policy.window.count()), width_(width_for(window_)) {}

  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Verdict judge(const View& view, const Call& call) const {
    return {.allowed = call.cost == 0 || (call.cost <= limit_ && view.used <= limit_ - call.cost)};
  }
  [[nodiscard]] Decision decide(const View& view, const Verdict& verdict, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& /*view*/) const { return false; }
  void store(const View& view, const Verdict& verdict, const Call& call, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return state.size() == 0 ? 0 : state.newest() + window_;
  }

  [[nodiscard]] std::size_t room_for(const State& state, const View& view, const Call& call) const;
  void move(const View& view, std::span<std::byte> room, State& state) const;
  [[nodiscard]] std::size_t most_room() const {
    return TimeRing::room_for(limit_, TimeRing::Width::wide);
  }

  /// Requires: view.retry_in is that of the first of the calls that does not fit. So it stays.
  [[nodiscard]] View after(const View& view, const Call& call, std::int64_t times) const;

  /// The limit and the window; the charge is negative for a peek.
  [[nodiscard]] std::array<std::int64_t, 2> script_terms() const { return {limit_, window_}; }
  [[nodiscard]] std::int64_t script_charge(const Call& call) const {
    return call.op == Op::charge ? call.cost : -call.cost;
  }
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

 private:
  using Width = TimeRing::Width;

  /// What is stored lies within two windows: the newest may be one ahead of now, the oldest one
  /// behind.
  static Width width_for(Micros window) {
    return 2 * window <= TimeRing::kNarrowSpan ? Width::narrow : Width::wide;
  }

  /// How the times are to be kept together with those that the call adds. What is wide stays so
  /// while anything of it matters: limiters of one name and different windows do not undo each
  /// other's work.
  [[nodiscard]] Width width_after(const State& state, const View& view) const {
    return view.used == 0 ? width_ : std::max(width_, state.width());
  }

  std::int64_t limit_;
  Micros window_;
  Width width_;
};

SlidingWindowLog share_of(SlidingWindowLog policy, std::int64_t instances);

Result<SlidingWindowLogRule> compile(const SlidingWindowLog& policy, const LimiterOptions& options);

}  // namespace ratelimit::policy
