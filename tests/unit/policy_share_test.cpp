// What is left of a policy for one of several instances.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "policy/rules.hpp"
#include "unit/generators.hpp"

namespace ratelimit::testing {
namespace {

using policy::share_of;
using std::chrono::hours;
using std::chrono::seconds;

TEST(PolicyShare, DividesABucketsCapacityAndRate) {
  const TokenBucket bucket = share_of(TokenBucket{10, 7, seconds(1)}, 3);
  EXPECT_EQ(bucket.capacity, 3);
  EXPECT_EQ(bucket.refill, 7);
  EXPECT_EQ(bucket.period, seconds(3)) << "exactly a third";
  const LeakyBucket queue = share_of(LeakyBucket{4, 1, seconds(2)}, 4);
  EXPECT_EQ(queue.capacity, 1);
  EXPECT_EQ(queue.leak, 1);
  EXPECT_EQ(queue.period, seconds(8));
}

TEST(PolicyShare, DividesTheRateItselfWhereThePeriodMayNotGrow) {
  const TokenBucket bucket = share_of(TokenBucket{100, 50, hours(24 * 366)}, 8);
  EXPECT_EQ(bucket.refill, 6);
  EXPECT_EQ(bucket.period, hours(24 * 366));
}

TEST(PolicyShare, DividesTheLimitOfAWindow) {
  EXPECT_EQ(share_of(FixedWindow{100, seconds(1)}, 3).limit, 33);
  EXPECT_EQ(share_of(SlidingWindowLog{9, seconds(1)}, 3).limit, 3);
  const SlidingWindowCounter counter = share_of(SlidingWindowCounter{2, seconds(5)}, 3);
  EXPECT_EQ(counter.limit, 1) << "nobody is locked out";
  EXPECT_EQ(counter.window, seconds(5));
}

TEST(PolicyShare, IsAPolicyThatMayBeMade) {
  EXPECT_TRUE(rc::check([] {
    const auto instances = *rc::gen::inRange<std::int64_t>(1, 1'000'001);
    const auto holds = [&](const Policy& policy) {
      const auto made = policy::compile("share", share_of(policy, instances), LimiterOptions{});
      RC_ASSERT(made.has_value());
    };
    holds(*any_policy<TokenBucket>());
    holds(*any_policy<LeakyBucket>());
    holds(*any_policy<FixedWindow>());
    holds(*any_policy<SlidingWindowLog>());
    holds(*any_policy<SlidingWindowCounter>());
  }));
}

}  // namespace
}  // namespace ratelimit::testing
