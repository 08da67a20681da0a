// The arithmetic that TokenBucket and LeakyBucket share: the generic cell rate algorithm in exact
// integers.
//
// With g = gcd(rate, period in us), num = period / g and den = rate / g, a unit of cost weighs num,
// a microsecond drains den, and a bucket holds at most full = capacity * num. What is owed, the
// debt, is counted in these units, or as the time in which it drains, in whole microseconds and
// 1/den us: then a charge is an addition, and only `remaining` needs a division. The state is the
// instant at which the debt is drained, so it keeps its meaning when capacity or rate are changed.
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

  /// The time in which a debt drains: whole + part / den us.
  struct Debt {
    Micros whole = 0;
    std::int64_t part = 0;  // below den
    [[gnu::always_inline]] bool operator<=(const Debt& other) const {
      return whole < other.whole || (whole == other.whole && part <= other.part);
    }
    [[nodiscard]] Micros rounded_up() const { return whole + (part != 0); }
  };

  struct View {
    static constexpr std::size_t kFields = 1;
    Debt debt;  // at most full
    bool healed = false;
  };

  struct Verdict {
    bool allowed;
    Debt after;  // what is owed once the call is over
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
  [[nodiscard]] Verdict judge(const View& view, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Verdict& verdict, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& view) const { return view.healed; }
  void store(const View& view, const Verdict& verdict, const Call& call, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return state.clear_at + (state.fraction != 0);
  }

  [[nodiscard]] View after(const View& view, const Call& call, std::int64_t times) const;

  /// Full and den; the charge is 0 for a peek. All in units of 1/den us.
  [[nodiscard]] std::array<std::int64_t, 2> script_terms() const {
    return {full_units_, den_.value()};
  }
  [[nodiscard]] std::int64_t script_charge(const Call& call) const;
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

  [[nodiscard]] State inherited(Word floor, Micros at, Micros now, const Packing& packing) const {
    if (at - now > full_.whole) return {};
    const Word most =
        packing.pack({.clear_at = std::min(at, now) + full_.whole, .fraction = full_.part});
    return packing.unpack(std::min(floor, most));
  }

  [[nodiscard]] Micros longest_wait() const { return full_.whole + 1; }

  /// The same for all whose fraction and whose latest instant fit.
  [[nodiscard]] std::int64_t packing() const {
    constexpr Micros kLongest = kLatestInstant - 2;
    return den_.value() <= 1 << kOwnBits && full_.whole <= kLongest ? 1 : 0;
  }

 protected:
  /// Requires: all positive; capacity * period / gcd(rate, period) below 2^53.
  Bucket(std::int64_t capacity, std::int64_t rate, Duration period)
      : capacity_(capacity),
        num_(period.count() / std::gcd(rate, std::int64_t{period.count()})),
        den_(rate / std::gcd(rate, std::int64_t{period.count()})),
        unit_(debt_of(num_.value())),
        full_(debt_of(capacity * num_.value())),
        full_units_(capacity * num_.value()) {}

 private:
  /// What `cost` weighs. Requires: cost <= capacity.
  [[nodiscard, gnu::always_inline]] Debt weight(std::int64_t cost) const {
    return cost == 1 ? unit_ : debt_of(cost * num_.value());
  }

  /// A debt in units, and back.
  [[nodiscard, gnu::always_inline]] Debt debt_of(std::int64_t units) const {
    const Micros whole = den_.quotient(units);
    return {.whole = whole, .part = units - whole * den_.value()};
  }
  [[nodiscard, gnu::always_inline]] std::int64_t units(const Debt& debt) const {
    return debt.whole * den_.value() + debt.part;
  }

  /// One of two, by its fields: as a whole it would go through memory.
  [[gnu::always_inline]] static Debt either(bool first, const Debt& a, const Debt& b) {
    return {.whole = first ? a.whole : b.whole, .part = first ? a.part : b.part};
  }

  [[nodiscard, gnu::always_inline]] Debt sum(const Debt& a, const Debt& b) const {
    const std::int64_t part = a.part + b.part;
    const bool carry = part >= den_.value();
    return {.whole = a.whole + b.whole + (carry ? 1 : 0),
            .part = part - (carry ? den_.value() : 0)};
  }

  std::int64_t capacity_;
  Divisor num_;
  Divisor den_;
  Debt unit_;  // what a cost of 1 weighs
  Debt full_;
  std::int64_t full_units_;
};

[[gnu::always_inline]] inline Bucket::View Bucket::look(const State& state,
                                                        const Call& call) const {
  const Micros ahead = state.clear_at - call.now;
  const bool owes = ahead >= 0;
  // A fraction not below den was stored at another rate; it is less than a microsecond all the
  // same.
  const Debt debt{.whole = owes ? ahead : 0,
                  .part = owes ? std::min(state.fraction, den_.value() - 1) : 0};
  const bool healed = !(debt <= full_);
  return {.debt = either(healed, full_, debt), .healed = healed};
}

[[gnu::always_inline]] inline Bucket::Verdict Bucket::judge(const View& view,
                                                            const Call& call) const {
  if (call.cost > capacity_) [[unlikely]] {
    return {.allowed = false, .after = view.debt};
  }
  const Debt charged = sum(view.debt, weight(call.cost));
  const bool allowed = charged <= full_;
  return {.allowed = allowed,
          .after = either(allowed && call.op == Op::charge, charged, view.debt)};
}

[[gnu::always_inline]] inline Decision Bucket::decide(const View& /*view*/, const Verdict& verdict,
                                                      const Call& call) const {
  Decision decision;
  decision.allowed = verdict.allowed;
  decision.limit = capacity_;
  const std::int64_t left = full_units_ - units(verdict.after);
  decision.remaining = num_.quotient(left);
  if (!verdict.allowed) {
    decision.retry_after = call.cost <= capacity_
                               ? Duration(den_.quotient_up(call.cost * num_.value() - left))
                               : never;
  }
  decision.reset_after = Duration(verdict.after.rounded_up());
  return decision;
}

[[gnu::always_inline]] inline void Bucket::store(const View& /*view*/, const Verdict& verdict,
                                                 const Call& call, State& state) const {
  state.clear_at = call.now + verdict.after.whole;
  state.fraction = verdict.after.part;
}

/// Checks the fields of a bucket whose rate its policy calls `rate_field`.
std::optional<Error> check_bucket(std::string_view policy, std::string_view rate_field,
                                  std::int64_t capacity, std::int64_t rate, Duration period);

}  // namespace ratelimit::policy
