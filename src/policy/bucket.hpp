// The arithmetic that TokenBucket and LeakyBucket share: the generic cell rate algorithm in exact
// integers.
//
// With g = gcd(rate, period in us), num = period / g and den = rate / g, a unit of cost weighs num,
// a microsecond drains den, and a bucket holds at most full = capacity * num. What is owed, the
// debt, is counted in these units. The state is the instant at which the debt is drained, clear_at
// + fraction / den us, so it keeps its meaning when capacity or rate are changed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policy/call.hpp"
#include "ratelimit/error.hpp"

namespace ratelimit::policy {

class Bucket {
 public:
  static constexpr std::string_view kScript = "bucket";

  struct State {
    Micros clear_at = 0;
    std::int64_t fraction = 0;  // in 1/den us, below den
  };

  struct View {
    static constexpr std::size_t kFields = 1;
    std::int64_t debt = 0;  // in units of 1/den us, at most full
    bool healed = false;
  };

  [[nodiscard]] std::int64_t limit() const { return capacity_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& view) const { return view.healed; }
  void store(const View& view, const Call& call, bool allowed, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return state.clear_at + (state.fraction != 0);
  }

  /// The charge (0 for a peek), full and den.
  [[nodiscard]] std::array<std::int64_t, 3> script_arguments(const Call& call) const;
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

 protected:
  /// Requires: all positive; capacity * period / gcd(rate, period) below 2^53.
  Bucket(std::int64_t capacity, std::int64_t rate, Duration period);

  [[nodiscard]] Micros time_to_drain(std::int64_t debt) const { return ceil_div(debt, den_); }

 private:
  /// What `cost` weighs. Requires: cost <= capacity.
  [[nodiscard]] std::int64_t weight(std::int64_t cost) const { return cost * num_; }

  std::int64_t capacity_;
  std::int64_t num_;
  std::int64_t den_;
  std::int64_t full_;
};

/// Checks the fields of a bucket whose rate its policy calls `rate_field`.
std::optional<Error> check_bucket(std::string_view policy, std::string_view rate_field,
                                  std::int64_t capacity, std::int64_t rate, Duration period);

}  // namespace ratelimit::policy
