// The arithmetic that TokenBucket and LeakyBucket share: the generic cell rate algorithm in exact
// integers.
//
// With g = gcd(rate, period in us), num = period / g and den = rate / g, a unit of cost weighs num,
// a microsecond drains den, and a bucket holds at most full = capacity * num. What is owed, the
// debt, is counted in these units. The state is the instant at which the debt is drained, clear_at
// + fraction / den us, so it keeps its meaning when capacity or rate are changed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>

#include "base/divisor.hpp"
#include "policy/call.hpp"
#include "policy/word.hpp"
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

  /// A word holds the instant and, below it, the fraction.
  struct Packing {
    explicit Packing(std::int64_t /*packing*/) {}
    [[nodiscard]] Word pack(const State& state) const {
      return word_at(state.clear_at) + static_cast<Word>(state.fraction);
    }
    [[nodiscard]] State unpack(Word word) const {
      return {.clear_at = recovery_of(word),
              .fraction = static_cast<std::int64_t>(word & ((Word{1} << kOwnBits) - 1))};
    }
  };

  [[nodiscard]] std::int64_t limit() const { return capacity_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& view) const { return view.healed; }
  void store(const View& view, const Call& call, bool allowed, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return state.clear_at + (state.fraction != 0);
  }

  [[nodiscard]] State owing_until(Micros instant, Micros now) const {
    if (instant - now <= full_drains_in_) return {.clear_at = instant};
    return {.clear_at = now + full_drains_in_, .fraction = full_ - full_drains_in_ * den_.value()};
  }

  /// The charge (0 for a peek), full and den.
  [[nodiscard]] std::array<std::int64_t, 3> script_arguments(const Call& call) const;
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

  /// The same for all whose fraction and whose latest instant fit.
  [[nodiscard]] std::int64_t packing() const {
    constexpr Micros kLongest = kLatestInstant - 2;
    return den_.value() <= 1 << kOwnBits && full_drains_in_ <= kLongest ? 1 : 0;
  }

 protected:
  /// Requires: all positive; capacity * period / gcd(rate, period) below 2^53.
  Bucket(std::int64_t capacity, std::int64_t rate, Duration period)
      : capacity_(capacity),
        num_(period.count() / std::gcd(rate, std::int64_t{period.count()})),
        den_(rate / std::gcd(rate, std::int64_t{period.count()})),
        full_(capacity * num_.value()),
        full_drains_in_(den_.quotient(full_)) {}

  [[nodiscard]] Micros time_to_drain(std::int64_t debt) const { return den_.quotient_up(debt); }

 private:
  /// What `cost` weighs. Requires: cost <= capacity.
  [[nodiscard]] std::int64_t weight(std::int64_t cost) const { return cost * num_.value(); }

  std::int64_t capacity_;
  Divisor num_;
  Divisor den_;
  std::int64_t full_;
  Micros full_drains_in_;  // rounded down
};

inline Bucket::View Bucket::look(const State& state, const Call& call) const {
  const Micros ahead = state.clear_at - call.now;
  if (ahead < 0) return {};
  if (ahead > full_drains_in_)
    return {.debt = full_, .healed = true};  // also bounds the product below
  // A fraction not below den was stored at another rate; it is less than a microsecond all the
  // same.
  const std::int64_t debt = ahead * den_.value() + std::min(state.fraction, den_.value() - 1);
  if (debt > full_) return {.debt = full_, .healed = true};
  return {.debt = debt};
}

inline Decision Bucket::decide(const View& view, const Call& call) const {
  Decision decision;
  decision.limit = capacity_;
  const std::int64_t room = full_ - view.debt;
  const bool ever_fits = call.cost <= capacity_;
  decision.allowed = ever_fits && weight(call.cost) <= room;
  if (!decision.allowed) {
    decision.retry_after = ever_fits ? Duration(time_to_drain(weight(call.cost) - room)) : never;
  }
  const std::int64_t debt = view.debt + (decision.allowed ? weight(call.charge()) : 0);
  decision.remaining = num_.quotient(full_ - debt);
  decision.reset_after = Duration(time_to_drain(debt));
  return decision;
}

inline void Bucket::store(const View& view, const Call& call, bool allowed, State& state) const {
  const std::int64_t debt = view.debt + (allowed ? weight(call.charge()) : 0);
  const Micros drains_in = den_.quotient(debt);
  state.clear_at = call.now + drains_in;
  state.fraction = debt - drains_in * den_.value();
}

/// Checks the fields of a bucket whose rate its policy calls `rate_field`.
std::optional<Error> check_bucket(std::string_view policy, std::string_view rate_field,
                                  std::int64_t capacity, std::int64_t rate, Duration period);

}  // namespace ratelimit::policy
