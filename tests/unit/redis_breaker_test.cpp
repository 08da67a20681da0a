// The breaker, by instants that the tests choose.
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "redis/breaker.hpp"

namespace ratelimit::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kFailures = 3;

class BreakerTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool admits(Breaker::Span after) {
    return breaker_.admits(start_ + after, deadline_);
  }

  void fail(int times, Breaker::Span after, Errc why = Errc::unreachable) {
    for (int i = 0; i < times; ++i) breaker_.fail(why, start_ + after, start_ + after);
  }

  const Breaker::Instant start_ = Deadline::Clock::now();
  const Deadline deadline_{1h};  // of every call
  Breaker breaker_{kFailures, 1};
};

TEST_F(BreakerTest, OpensAfterSoManyFailuresInARow) {
  fail(kFailures - 1, 0s);
  EXPECT_TRUE(admits(0s));
  breaker_.succeed();
  fail(kFailures - 1, 0s);
  EXPECT_TRUE(admits(0s));
  EXPECT_EQ(breaker_.openings(), 0U);
  fail(1, 1ms);
  EXPECT_FALSE(admits(0s));
  EXPECT_EQ(breaker_.openings(), 1U);
}

TEST_F(BreakerTest, LetsOneProbeInOnceTheSpanIsOver) {
  fail(kFailures, 0s);
  EXPECT_TRUE(admits(10ms)) << "the first span is at most so long";
  EXPECT_FALSE(admits(10ms)) << "while the probe is out";
  EXPECT_FALSE(admits(1s));
  EXPECT_TRUE(admits(1010ms)) << "a probe that heard nothing for a second has failed";
}

TEST_F(BreakerTest, AProbeThatHeardNothingByItsDeadlineHasFailed) {
  fail(kFailures, 0s);
  const Deadline soon(Duration(100ms));
  ASSERT_TRUE(breaker_.admits(start_ + 10ms, soon));
  EXPECT_FALSE(admits(50ms));
  EXPECT_TRUE(breaker_.admits(soon.at(), deadline_));
}

TEST_F(BreakerTest, ClosesWhenTheProbeSucceeds) {
  fail(kFailures, 0s);
  ASSERT_TRUE(admits(10ms));
  breaker_.succeed();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admits(10ms));
  fail(kFailures - 1, 11ms);
  EXPECT_TRUE(admits(11ms)) << "it counts from none again";
}

TEST_F(BreakerTest, StaysOpenForNoLongerThanAFifthOfASecond) {
  fail(1000, 0s);
  EXPECT_EQ(breaker_.openings(), 1U);
  EXPECT_TRUE(admits(200ms));
  fail(1, 200ms);
  EXPECT_TRUE(admits(400ms));
}

TEST_F(BreakerTest, LeavesAServerThatRefusesUsAloneForSeconds) {
  breaker_.refuse(start_, start_);
  EXPECT_EQ(breaker_.openings(), 1U) << "at once";
  for (int i = 1; i < 20; ++i) breaker_.refuse(start_, start_);
  EXPECT_FALSE(admits(0s));
  EXPECT_TRUE(admits(10s));
}

TEST_F(BreakerTest, WhatACommandMayNotDoCountsAsAFailure) {
  fail(kFailures - 1, 0s, Errc::access_denied);
  EXPECT_TRUE(admits(0s));
  fail(1, 0s, Errc::access_denied);
  EXPECT_EQ(breaker_.openings(), 1U);
}

TEST_F(BreakerTest, FailuresOfWhatWasAskedBeforeSayNothingNew) {
  fail(kFailures, 10ms);
  ASSERT_TRUE(admits(20ms)) << "the probe";
  for (int i = 0; i < 5; ++i) breaker_.fail(Errc::timeout, start_ + 9ms, start_ + 21ms);
  EXPECT_FALSE(admits(30ms)) << "it is still out";
}

TEST_F(BreakerTest, StartedOverItIsClosed) {
  fail(kFailures, 0s);
  breaker_.start_over(2);
  EXPECT_TRUE(admits(0s));
}

TEST_F(BreakerTest, NeverOpensWhereItIsToldSo) {
  Breaker never(0, 1);
  for (int i = 0; i < 100; ++i) never.refuse(start_, start_);
  EXPECT_TRUE(never.admits(start_, deadline_));
}

// Clients that fail together do not come back together: the spans are random, and fill the whole
// range.
TEST_F(BreakerTest, SpansDifferFromClientToClient) {
  std::set<Breaker::Span> spans;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    Breaker breaker(1, seed);
    for (int i = 0; i < 20; ++i) breaker.fail(Errc::timeout, start_, start_);
    Breaker::Span span = 0s;
    while (!breaker.admits(start_ + span, deadline_)) span += 10ms;
    spans.insert(span);
  }
  EXPECT_GE(spans.size(), 12U);
  EXPECT_LE(*spans.begin(), 40ms);
  EXPECT_GE(*spans.rbegin(), 160ms);
}

}  // namespace
}  // namespace ratelimit::redis
