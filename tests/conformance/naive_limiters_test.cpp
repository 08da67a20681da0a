// What naive limiters get wrong, each shown right. What only a server can get wrong is in
// tests/redis.
#include <string>

#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NaiveLimiters : public WithBackend, public ::testing::Test {
 protected:
  /// Asks for one unit every `pause` from now on, for as long as `span`; returns how many it got.
  int admitted(Limiter& limiter, Duration span, Duration pause) {
    int count = 0;
    const TimePoint end = clock_->now() + span;
    for (; clock_->now() < end; clock_->advance(pause)) count += limiter.allow("key").allowed;
    return count;
  }
};

// A bucket that floors whole seconds and moves its clock at each call starves after 10 grants.
// Exactly 10 + floor(599 / 6) units come free up to the last of 600 calls.
TEST_F(NaiveLimiters, BucketPolledOnceASecondDoesNotStarve) {
  const auto limiter = this->limiter(TokenBucket{10, 10, seconds(60)});
  EXPECT_EQ(admitted(*limiter, seconds(600), seconds(1)), 109);
}

TEST_F(NaiveLimiters, BucketPolledEveryMicrosecondDoesNotStarve) {
  const auto limiter = this->limiter(TokenBucket{1, 3, milliseconds(1)});
  // One at once, then one every 333 1/3 us: within 2000 us up to the one at 1666 2/3.
  EXPECT_EQ(admitted(*limiter, milliseconds(2), Duration(1)), 6);
}

// Limiters that count whole seconds admit 200 in 20 ms around the tick at 100 a second.
class SecondResolution : public NaiveLimiters {
 protected:
  int admitted_around_the_tick(const Policy& policy) {
    const auto limiter = this->limiter(policy, describe(policy));
    clock_->set(TimePoint(seconds(1'700'000'000) - milliseconds(10)));
    return admitted(*limiter, milliseconds(20), Duration(50));
  }
};

TEST_F(SecondResolution, IsNotThatOfTokenBuckets) {
  EXPECT_EQ(admitted_around_the_tick(TokenBucket{100, 100, seconds(1)}), 101);
}
TEST_F(SecondResolution, IsNotThatOfLeakyBuckets) {
  EXPECT_EQ(admitted_around_the_tick(LeakyBucket{100, 100, seconds(1)}), 101);
}
TEST_F(SecondResolution, IsNotThatOfSlidingWindowLogs) {
  EXPECT_EQ(admitted_around_the_tick(SlidingWindowLog{100, seconds(1)}), 100);
}
TEST_F(SecondResolution, IsNotThatOfSlidingWindowCounters) {
  EXPECT_EQ(admitted_around_the_tick(SlidingWindowCounter{100, seconds(1)}), 100);
}
// By its definition it admits its limit on either side of an edge, and no more.
TEST_F(SecondResolution, IsThatOfFixedWindowsOfASecondAlone) {
  EXPECT_EQ(admitted_around_the_tick(FixedWindow{100, seconds(1)}), 200);
  EXPECT_EQ(admitted_around_the_tick(FixedWindow{100, seconds(7)}), 100);
}

// State that lives one second whatever the period admits 60 in 6 s at 10 a minute.
TEST_F(NaiveLimiters, StateLivesAsLongAsItMatters) {
  for (const Policy& policy : policies_of_ten_a_minute()) {
    const auto limiter = this->limiter(policy);
    clock_->set(kStart);
    EXPECT_EQ(admitted(*limiter, seconds(6), milliseconds(100)), 10) << kind_of(policy);
  }
}

// Timestamps as members of a set: calls in one microsecond collapse into one.
TEST_F(NaiveLimiters, CallsInOneMicrosecondAllCount) {
  for (const Policy& policy : policies_of_ten_a_minute()) {
    const auto limiter = this->limiter(policy);
    int count = 0;
    for (int i = 0; i < 30; ++i) count += limiter->allow("key").allowed;
    EXPECT_EQ(count, 10) << kind_of(policy);
  }
}

// Lua's tostring prints 14 digits, where microseconds have 16: times would be off by up to 100 us.
// Some servers misprint numbers that are multiples of 1e8.
TEST_F(NaiveLimiters, MicrosecondsAreKeptInFull) {
  for (const std::int64_t at : {1'700'000'000'123'456, 1'700'000'000'199'999, 1'700'000'100'000'000,
                                1'700'000'000'000'000, 1'699'999'999'999'999}) {
    for (const Policy& policy :
         {Policy(TokenBucket{1, 1, Duration(10)}), Policy(LeakyBucket{1, 1, Duration(10)}),
          Policy(SlidingWindowLog{1, Duration(10)})}) {
      const auto limiter = this->limiter(policy, "at " + std::to_string(at));
      clock_->set(TimePoint(Duration(at)));
      ASSERT_TRUE(limiter->allow("key"));
      for (int wait = 10; wait > 0; --wait, clock_->advance(Duration(1))) {
        ASSERT_EQ(limiter->allow("key").retry_after, Duration(wait)) << describe(policy);
      }
      ASSERT_TRUE(limiter->allow("key")) << describe(policy);
    }
  }
}

// Counts and spans close to 2^53 stay exact, too.
TEST_F(NaiveLimiters, LargeNumbersAreKeptInFull) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 53) - 1;
  for (const Policy& policy :
       {Policy(TokenBucket{kMost, 1, Duration(1)}), Policy(LeakyBucket{kMost, 1, Duration(1)}),
        Policy(FixedWindow{kMost, std::chrono::hours(24)}),
        Policy(SlidingWindowCounter{kMost, Duration(1)})}) {
    clock_->set(TimePoint(Duration(0)));
    const auto limiter = this->limiter(policy);
    ASSERT_EQ(limiter->allow("key", 1).remaining, kMost - 1) << describe(policy);
    ASSERT_EQ(limiter->allow("key", kMost - 2).remaining, 1) << describe(policy);
    ASSERT_FALSE(limiter->allow("key", 2)) << describe(policy);
    ASSERT_TRUE(limiter->allow("key", 1)) << describe(policy);
    ASSERT_FALSE(limiter->allow("key", 1)) << describe(policy);
  }
}

}  // namespace
}  // namespace ratelimit::testing
