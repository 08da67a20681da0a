// What each policy guarantees, counted over everything that random schedules got admitted: by every
// interval, whoever asked and wherever the clock stepped.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "support/policies.hpp"
#include "support/pure.hpp"
#include "unit/generators.hpp"
#include "unit/kinds.hpp"

namespace ratelimit::testing {
namespace {

__extension__ using Wide = __int128;

struct Admission {
  std::int64_t now;
  std::int64_t cost;
  std::int64_t delay;
};
/// What was admitted with no reset and no healing in between.
using Stretch = std::vector<Admission>;

std::vector<Stretch> admitted(const Policy& policy, TimePoint start, const Schedule& schedule) {
  std::vector<Stretch> runs(1);
  Walk walk(policy, start);
  PureKey key(policy);
  for (const Step& step : schedule) {
    const Question question = walk.next(step);
    const Decision decision = key.ask(question);
    walk.heard(question, decision);
    const bool writes = question.op == TraceOp::allow && question.cost > 0;
    if (question.op == TraceOp::reset || (writes && key.healed())) runs.emplace_back();
    if (writes && decision.allowed) {
      runs.back().push_back(
          {question.now.time_since_epoch().count(), question.cost, decision.delay.count()});
    }
  }
  return runs;
}

/// The same with a clock that stands still where it stepped back.
Stretch never_falling(Stretch run) {
  std::int64_t latest = 0;
  for (Admission& each : run) each.now = latest = std::max(latest, each.now);
  return run;
}

void expect_bucket_bound(const Stretch& run, Wide capacity, Wide rate, Wide period) {
  for (std::size_t first = 0; first < run.size(); ++first) {
    Wide units = 0;
    std::int64_t from = run[first].now;
    std::int64_t to = from;
    for (std::size_t last = first; last < run.size(); ++last) {
      units += run[last].cost;
      from = std::min(from, run[last].now);
      to = std::max(to, run[last].now);
      RC_ASSERT(units * period <= capacity * period + (Wide{to} - from) * rate);
    }
  }
}

void expect_window_bound(const Stretch& run, std::int64_t limit, std::int64_t window) {
  std::map<std::int64_t, Wide> admitted_in;
  for (const Admission& each : run) admitted_in[each.now / window] += each.cost;
  for (const auto& [index, units] : admitted_in) RC_ASSERT(units <= limit);
}

TEST(PolicyGuarantee, TokenBucketBoundsEveryInterval) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<TokenBucket>();
    for (const Stretch& run : admitted(policy, *any_start(), *any_schedule())) {
      expect_bucket_bound(run, policy.capacity, policy.refill, policy.period.count());
    }
  }));
}

TEST(PolicyGuarantee, LeakyBucketBoundsEveryInterval) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<LeakyBucket>();
    for (const Stretch& run : admitted(policy, *any_start(), *any_schedule())) {
      expect_bucket_bound(run, policy.capacity, policy.leak, policy.period.count());
    }
  }));
}

TEST(PolicyGuarantee, LeakyBucketLetsWorkOutEvenly) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<LeakyBucket>();
    for (const Stretch& run : admitted(policy, *any_start(), *forward_schedule())) {
      for (std::size_t first = 0; first < run.size(); ++first) {
        Wide ahead = 0;  // the work let out from `first` on, before `next`
        for (std::size_t next = first + 1; next < run.size(); ++next) {
          ahead += run[next - 1].cost;
          const Wide between =
              Wide{run[next].now} + run[next].delay - run[first].now - run[first].delay;
          // Delays are rounded up to whole microseconds, so the gap may be short by less than one.
          RC_ASSERT(ahead * policy.period.count() < (between + 1) * policy.leak);
        }
      }
    }
  }));
}

TEST(PolicyGuarantee, FixedWindowBoundsEveryWindow) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<FixedWindow>();
    for (const Stretch& run : admitted(policy, *any_start(), *any_schedule())) {
      expect_window_bound(never_falling(run), policy.limit, policy.window.count());
    }
  }));
}

TEST(PolicyGuarantee, SlidingWindowCounterBoundsEveryWindow) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<SlidingWindowCounter>();
    for (const Stretch& run : admitted(policy, *any_start(), *any_schedule())) {
      expect_window_bound(never_falling(run), policy.limit, policy.window.count());
    }
  }));
}

TEST(PolicyGuarantee, SlidingWindowLogBoundsEveryIntervalOfItsLength) {
  EXPECT_TRUE(rc::check([] {
    const auto policy = *any_policy<SlidingWindowLog>();
    for (const Stretch& fallen : admitted(policy, *any_start(), *any_schedule())) {
      const Stretch run = never_falling(fallen);
      std::size_t first = 0;
      Wide units = 0;
      for (const Admission& each : run) {
        units += each.cost;
        while (run[first].now <= each.now - policy.window.count()) units -= run[first++].cost;
        RC_ASSERT(units <= policy.limit);
      }
    }
  }));
}

template <class Kind>
class PolicyLock : public ::testing::Test {};
TYPED_TEST_SUITE(PolicyLock, AllKinds, KindNames);

// How many spans a state of the kind matters for: a counter's window also weighs in the next one.
template <class Kind>
constexpr std::int64_t kSpans = 1;
template <>
constexpr std::int64_t kSpans<SlidingWindowCounter> = 2;

// The same where the clock stepped back, by up to a span. A bucket's state is the instant when it
// is full, and one span ahead is all that is believed; a window's or log's is the instant it began.
template <class Kind>
constexpr std::int64_t kSpansSteppedBack = kSpans<Kind> + 1;
template <>
constexpr std::int64_t kSpansSteppedBack<TokenBucket> = 1;
template <>
constexpr std::int64_t kSpansSteppedBack<LeakyBucket> = 1;

TYPED_TEST(PolicyLock, EndsInTimeWhileTheClockMovesOn) {
  EXPECT_TRUE(rc::check([] {
    const Policy policy = *any_policy<TypeParam>();
    const Duration longest = kSpans<TypeParam> * span_of(policy);
    Walk walk(policy, *any_start());
    PureKey key(policy);
    for (const Step& step : *forward_schedule()) {
      const Question question = walk.next(step);
      const Decision decision = key.ask(question);
      walk.heard(question, decision);
      RC_ASSERT(!key.healed());
      RC_ASSERT(decision.reset_after <= longest);
      RC_ASSERT(question.cost > limit_of(policy) || decision.retry_after <= longest);
    }
  }));
}

TYPED_TEST(PolicyLock, EndsInTimeWhereverTheClockJumps) {
  EXPECT_TRUE(rc::check([] {
    const Policy policy = *any_policy<TypeParam>();
    const Duration longest = kSpansSteppedBack<TypeParam> * span_of(policy);
    Walk walk(policy, *any_start());
    PureKey key(policy);
    for (const Step& step : *any_schedule()) {
      const Question question = walk.next(step);
      const Decision decision = key.ask(question);
      walk.heard(question, decision);
      const auto at = *rc::gen::inRange<std::int64_t>(0, kLastInstant + 1);
      PureKey jumped = key;
      const Decision after =
          jumped.ask({TimePoint(Duration(at)), TraceOp::allow, limit_of(policy)});
      RC_ASSERT(after.retry_after <= longest);
      RC_ASSERT(after.reset_after <= longest);
      RC_ASSERT(decision.reset_after <= longest);
    }
  }));
}

}  // namespace
}  // namespace ratelimit::testing
