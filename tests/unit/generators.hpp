// RapidCheck generators: policies of every size that is accepted, and schedules.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <vector>

#include "ratelimit/policy.hpp"
#include "support/policies.hpp"
#include "support/schedule.hpp"

namespace ratelimit {

// Found by argument-dependent look-up when RapidCheck shows a counterexample.
inline void showValue(const Policy& policy, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << testing::describe(policy);
}

}  // namespace ratelimit

namespace ratelimit::testing {

inline constexpr std::int64_t kMost = (std::int64_t{1} << 53) - 1;
inline constexpr std::int64_t kLongestSpan = std::int64_t{366} * 24 * 60 * 60 * 1'000'000;

/// Small numbers, numbers of any size, and the largest ones, all in [1, most].
inline rc::Gen<std::int64_t> count_up_to(std::int64_t most) {
  const auto inside = [most](std::int64_t count) {
    return std::clamp<std::int64_t>(count, 1, most);
  };
  return rc::gen::map(rc::gen::weightedOneOf<std::int64_t>(
                          {{6, rc::gen::inRange<std::int64_t>(1, 30)},
                           {3, rc::gen::resize(100, rc::gen::inRange<std::int64_t>(1, most + 1))},
                           {1, rc::gen::inRange<std::int64_t>(most - 2, most + 1)}}),
                      inside);
}

/// Round spans, odd ones, the shortest and the longest.
inline rc::Gen<std::int64_t> any_span() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{4, rc::gen::element<std::int64_t>(1'000, 1'000'000, 60'000'000, 3'600'000'000,
                                          std::int64_t{1} << 31, 7'200'000'000)},
       {2, rc::gen::element<std::int64_t>(1, 2, 7, kLongestSpan - 1, kLongestSpan)},
       {3, rc::gen::inRange<std::int64_t>(1, 5'000)},
       {2, rc::gen::inRange<std::int64_t>(1, kLongestSpan + 1)}});
}

template <class Bucket>
rc::Gen<Bucket> any_bucket() {
  return rc::gen::exec([] {
    const std::int64_t period = *any_span();
    const std::int64_t rate = *count_up_to(kMost);
    const std::int64_t weight = period / std::gcd(period, rate);
    return Bucket{*count_up_to(kMost / weight), rate, Duration(period)};
  });
}

template <class Kind>
rc::Gen<Kind> any_policy();
template <>
inline rc::Gen<TokenBucket> any_policy() {
  return any_bucket<TokenBucket>();
}
template <>
inline rc::Gen<LeakyBucket> any_policy() {
  return any_bucket<LeakyBucket>();
}
template <>
inline rc::Gen<FixedWindow> any_policy() {
  return rc::gen::exec([] { return FixedWindow{*count_up_to(kMost), Duration(*any_span())}; });
}
template <>
inline rc::Gen<SlidingWindowLog> any_policy() {
  return rc::gen::exec([] { return SlidingWindowLog{*count_up_to(60), Duration(*any_span())}; });
}
template <>
inline rc::Gen<SlidingWindowCounter> any_policy() {
  return rc::gen::exec([] {
    const std::int64_t window = *any_span();
    return SlidingWindowCounter{*count_up_to(kMost / window), Duration(window)};
  });
}

inline rc::Gen<Step> any_step() {
  return rc::gen::map(rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()),
                      [](std::uint64_t seed) {
                        std::mt19937_64 bits(seed);
                        return random_step(bits);
                      });
}

using Schedule = std::vector<Step>;

inline rc::Gen<Schedule> any_schedule() {
  return rc::gen::scale(4, rc::gen::container<Schedule>(any_step()));
}

/// The same without a clock that steps back.
inline rc::Gen<Schedule> forward_schedule() {
  return rc::gen::map(any_schedule(), [](Schedule schedule) {
    std::erase_if(schedule, [](const Step& step) {
      return step.move == Move::back_tick || step.move == Move::to_first_instant ||
             (step.move >= Move::back_within_span && step.move <= Move::back_two_spans);
    });
    return schedule;
  });
}

inline rc::Gen<TimePoint> any_start() {
  return rc::gen::map(
      rc::gen::weightedOneOf<std::int64_t>(
          {{5, rc::gen::inRange<std::int64_t>(1'700'000'000'000'000, 1'800'000'000'000'000)},
           {1, rc::gen::element<std::int64_t>(0, 1, kLastInstant - 1)}}),
      [](std::int64_t at) { return TimePoint(Duration(at)); });
}

}  // namespace ratelimit::testing
