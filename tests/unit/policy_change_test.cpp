// A policy's numbers may be changed in place: what is owed is kept.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/policies.hpp"
#include "support/pure.hpp"
#include "unit/generators.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart(seconds(1'700'000'000));  // where windows of 1 s and of 20 s begin

template <class Bucket>
void expect_debt_is_kept() {
  EXPECT_TRUE(rc::check([] {
    const Policy before = *any_policy<Bucket>();
    const Policy after = *any_policy<Bucket>();
    Walk walk(before, *any_start());
    PureKey key(before);
    Question question;
    for (const Step& step : *forward_schedule()) {
      question = walk.next(step);
      walk.heard(question, key.ask(question));
    }
    question.op = TraceOp::peek;
    question.cost = 0;
    const Duration owed = key.ask(question).reset_after;
    key.change(after);
    const Duration still_owed = key.ask(question).reset_after;
    // The state is an instant, so the time until it stays what it was, up to a part of a
    // microsecond; but no bucket owes more than it holds.
    const Duration expected = std::min(owed, span_of(after));
    RC_ASSERT(still_owed >= expected - Duration(1));
    RC_ASSERT(still_owed <= expected + Duration(1));
  }));
}

TEST(PolicyChange, BucketKeepsTheTimeUntilItIsFull) {
  expect_debt_is_kept<TokenBucket>();
  expect_debt_is_kept<LeakyBucket>();
}

TEST(PolicyChange, BucketOfALowerCapacityIsEmptyNotLocked) {
  PureKey key(TokenBucket{100, 1, seconds(1)});
  ASSERT_TRUE(key.ask({kStart, TraceOp::allow, 100}).allowed);
  key.change(TokenBucket{10, 1, seconds(1)});
  const Decision denied = key.ask({kStart});
  EXPECT_FALSE(denied.allowed);
  EXPECT_EQ(denied.retry_after, seconds(1));
  EXPECT_EQ(denied.reset_after, seconds(10));
}

TEST(PolicyChange, CountsAreJudgedAgainstTheNewLimit) {
  for (const Policy& policy : policies_of_ten_a_minute()) {
    if (std::holds_alternative<TokenBucket>(policy) ||
        std::holds_alternative<LeakyBucket>(policy)) {
      continue;
    }
    PureKey key(policy);
    ASSERT_TRUE(key.ask({kStart, TraceOp::allow, 6}).allowed);
    key.change(with_limit(policy, 8));
    EXPECT_EQ(key.ask({kStart, TraceOp::peek, 0}).remaining, 2) << kind_of(policy);
    key.change(with_limit(policy, 4));
    const Decision denied = key.ask({kStart});
    EXPECT_FALSE(denied.allowed) << kind_of(policy);
    const bool is_counter = std::holds_alternative<SlidingWindowCounter>(policy);
    EXPECT_EQ(denied.remaining, is_counter ? -2 : 0) << kind_of(policy);
    key.change(policy);
    EXPECT_EQ(key.ask({kStart, TraceOp::peek, 0}).remaining, 4) << kind_of(policy);
  }
}

TEST(PolicyChange, NegativeRemainingIsWhatTheLimitLacks) {
  PureKey key(SlidingWindowCounter{10, seconds(60)});
  ASSERT_TRUE(key.ask({kStart, TraceOp::allow, 10}).allowed);
  key.change(SlidingWindowCounter{3, seconds(60)});
  EXPECT_EQ(key.ask({kStart, TraceOp::peek, 0}).remaining, -7);
  key.change(SlidingWindowCounter{10, seconds(60)});
  EXPECT_EQ(key.ask({kStart, TraceOp::peek, 0}).remaining, 0);
}

TEST(PolicyChange, LongerWindowKeepsWhatFallsIntoIt) {
  PureKey fixed(FixedWindow{5, seconds(1)});
  ASSERT_TRUE(fixed.ask({kStart + seconds(3), TraceOp::allow, 2}).allowed);
  fixed.change(FixedWindow{5, seconds(20)});
  const Decision in_fixed = fixed.ask({kStart + seconds(9), TraceOp::peek, 0});
  EXPECT_EQ(in_fixed.remaining, 3);
  EXPECT_EQ(in_fixed.reset_after, seconds(11)) << "until the end of the longer window";

  PureKey log(SlidingWindowLog{5, seconds(1)});
  ASSERT_TRUE(log.ask({kStart + seconds(3), TraceOp::allow, 2}).allowed);
  log.change(SlidingWindowLog{5, seconds(20)});
  EXPECT_EQ(log.ask({kStart + seconds(22), TraceOp::peek, 0}).remaining, 3);
  EXPECT_EQ(log.ask({kStart + seconds(23), TraceOp::peek, 0}).remaining, 5);

  PureKey counter(SlidingWindowCounter{5, seconds(1)});
  ASSERT_TRUE(counter.ask({kStart + seconds(3), TraceOp::allow, 2}).allowed);
  counter.change(SlidingWindowCounter{5, seconds(20)});
  const Decision in_counter = counter.ask({kStart + seconds(9), TraceOp::peek, 0});
  EXPECT_EQ(in_counter.remaining, 3);
  EXPECT_EQ(in_counter.reset_after, seconds(31)) << "until the end of the window after it";
}

TEST(PolicyChange, ShorterWindowStartsAfreshOnlyWhereTheWindowsDoNotMeet) {
  PureKey fixed(FixedWindow{5, seconds(20)});
  ASSERT_TRUE(fixed.ask({kStart, TraceOp::allow, 2}).allowed);
  fixed.change(FixedWindow{5, seconds(1)});
  EXPECT_EQ(fixed.ask({kStart, TraceOp::peek, 0}).remaining, 3);
  EXPECT_EQ(fixed.ask({kStart + seconds(1), TraceOp::peek, 0}).remaining, 5);

  PureKey log(SlidingWindowLog{5, seconds(20)});
  ASSERT_TRUE(log.ask({kStart, TraceOp::allow, 2}).allowed);
  log.change(SlidingWindowLog{5, seconds(1)});
  EXPECT_EQ(log.ask({kStart + seconds(1) - Duration(1), TraceOp::peek, 0}).remaining, 3);
  EXPECT_EQ(log.ask({kStart + seconds(1), TraceOp::peek, 0}).remaining, 5);

  PureKey counter(SlidingWindowCounter{5, seconds(20)});
  ASSERT_TRUE(counter.ask({kStart, TraceOp::allow, 2}).allowed);
  counter.change(SlidingWindowCounter{5, seconds(1)});
  EXPECT_EQ(counter.ask({kStart, TraceOp::peek, 0}).remaining, 3);
}

}  // namespace
}  // namespace ratelimit::testing
