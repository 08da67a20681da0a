// What the public API promises, whatever the policy.
#include <limits>

#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kLimit = 10;
constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TEST_P(Conformance, AdmitsUpToTheLimit) {
  const auto limiter = this->limiter(GetParam());
  for (std::int64_t left = kLimit - 1; left >= 0; --left) {
    const Decision decision = limiter->allow("key");
    EXPECT_TRUE(decision);
    EXPECT_EQ(decision.error, Errc::ok);
    EXPECT_EQ(decision.limit, kLimit);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_EQ(decision.retry_after, Duration(0));
  }
  const Decision denied = limiter->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_FALSE(denied.degraded()) << "denied is an answer, not an error";
  EXPECT_EQ(denied.remaining, 0);
  EXPECT_GT(denied.retry_after, Duration(0));
  EXPECT_EQ(denied.delay, Duration(0));
}

TEST_P(Conformance, CostIsOneUnlessSaid) {
  const auto limiter = this->limiter(GetParam());
  EXPECT_EQ(limiter->allow("key").remaining, kLimit - 1);
  EXPECT_TRUE(limiter->peek("key"));
  EXPECT_TRUE(limiter->allow("key", kLimit - 1));
  EXPECT_FALSE(limiter->peek("key"));
}

TEST_P(Conformance, CostIsAllOrNothing) {
  const auto limiter = this->limiter(GetParam());
  EXPECT_EQ(limiter->allow("key", 7).remaining, 3);
  const Decision denied = limiter->allow("key", 4);
  EXPECT_FALSE(denied);
  EXPECT_EQ(denied.remaining, 3);
  EXPECT_TRUE(limiter->allow("key", 3));
  EXPECT_FALSE(limiter->allow("key", 1));
}

TEST_P(Conformance, CostOfZeroIsAllowedAndChangesNothing) {
  const auto limiter = this->limiter(GetParam());
  const Decision fresh = limiter->allow("key", 0);
  EXPECT_TRUE(fresh);
  EXPECT_EQ(fresh.remaining, kLimit);
  EXPECT_EQ(fresh.reset_after, Duration(0));
  const Decision spent = limiter->allow("key", kLimit);
  const Decision nothing = limiter->allow("key", 0);
  EXPECT_TRUE(nothing);
  EXPECT_EQ(nothing.remaining, 0);
  EXPECT_EQ(nothing.reset_after, spent.reset_after);
  EXPECT_TRUE(limiter->peek("key", 0));
}

TEST_P(Conformance, NegativeCostIsRefused) {
  for (const OnError on_error : {OnError::local, OnError::allow, OnError::deny}) {
    const auto limiter = this->limiter(GetParam(), "test", {.on_error = on_error});
    for (const std::int64_t cost : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
      for (const Decision& decision : {limiter->allow("key", cost), limiter->peek("key", cost)}) {
        EXPECT_FALSE(decision);
        EXPECT_EQ(decision.error, Errc::invalid_argument);
        EXPECT_EQ(decision.limit, kLimit);
      }
    }
    EXPECT_EQ(limiter->peek("key", 0).remaining, kLimit);
  }
}

TEST_P(Conformance, CostOverTheLimitNeverFits) {
  const auto limiter = this->limiter(GetParam());
  for (const std::int64_t cost : {kLimit + 1, std::int64_t{1} << 53, kHuge}) {
    for (const Decision& decision : {limiter->allow("key", cost), limiter->peek("key", cost)}) {
      EXPECT_FALSE(decision);
      EXPECT_EQ(decision.error, Errc::ok);
      EXPECT_EQ(decision.retry_after, never);
      EXPECT_EQ(decision.remaining, kLimit);
      EXPECT_EQ(decision.reset_after, Duration(0));
    }
  }
}

TEST_P(Conformance, PeekChangesNothing) {
  const auto limiter = this->limiter(GetParam());
  (void)limiter->allow("key", 4);
  for (int i = 0; i < 3; ++i) {
    const Decision fits = limiter->peek("key", 6);
    EXPECT_TRUE(fits);
    EXPECT_EQ(fits.remaining, 6) << "as it is, without the cost taken";
    const Decision does_not = limiter->peek("key", 7);
    EXPECT_FALSE(does_not);
    EXPECT_GT(does_not.retry_after, Duration(0));
    EXPECT_EQ(does_not.remaining, 6);
  }
  EXPECT_TRUE(limiter->allow("key", 6));
}

TEST_P(Conformance, DeniedCallsDoNotPutOffTheRetry) {
  const auto limiter = this->limiter(GetParam());
  (void)limiter->allow("key", kLimit);
  const TimePoint retry_at = clock_->now() + limiter->peek("key").retry_after;
  while (clock_->now() < retry_at) {
    const Decision denied = limiter->allow("key");
    ASSERT_FALSE(denied);
    ASSERT_EQ(clock_->now() + denied.retry_after, retry_at);
    clock_->advance(std::max(Duration(1), (retry_at - clock_->now()) / 2));
  }
  EXPECT_TRUE(limiter->allow("key"));
}

TEST_P(Conformance, ResetForgetsTheKeyAlone) {
  const auto limiter = this->limiter(GetParam());
  (void)limiter->allow("key", kLimit);
  (void)limiter->allow("other", 3);
  EXPECT_EQ(limiter->reset("key"), Errc::ok);
  EXPECT_EQ(limiter->reset("never seen"), Errc::ok);
  EXPECT_EQ(limiter->peek("key", 0).remaining, kLimit);
  EXPECT_EQ(limiter->peek("other", 0).remaining, kLimit - 3);
  EXPECT_TRUE(limiter->allow("key", kLimit));
}

TEST_P(Conformance, IsStricterNotLooserWhereTheClockStepsBack) {
  const auto limiter = this->limiter(GetParam());
  (void)limiter->allow("key", 5);
  clock_->advance(-seconds(20));
  EXPECT_LE(limiter->peek("key", 0).remaining, 5);
  EXPECT_TRUE(limiter->allow("key", 1));
  clock_->advance(seconds(20));
  EXPECT_LE(limiter->peek("key", 0).remaining, 5);
}

TEST_P(Conformance, IsNotLockedByAClockThatRanWild) {
  const auto limiter = this->limiter(GetParam());
  clock_->advance(std::chrono::hours(24 * 365));
  EXPECT_TRUE(limiter->allow("key", kLimit));
  clock_->advance(-std::chrono::hours(24 * 365));
  EXPECT_EQ(backend_->statistics().healed, 0U);
  // A bucket has no tokens left now, and fills up from here; the others count as unused.
  const Decision decision = limiter->allow("key");
  const bool is_bucket = std::holds_alternative<TokenBucket>(GetParam()) ||
                         std::holds_alternative<LeakyBucket>(GetParam());
  EXPECT_EQ(decision.allowed, !is_bucket);
  EXPECT_EQ(backend_->statistics().healed, 1U);
  clock_->advance(seconds(120));
  EXPECT_TRUE(limiter->allow("key", kLimit));
  EXPECT_EQ(backend_->statistics().healed, 1U) << "what was stored since is sane";
}

TEST_P(Conformance, ReadsClocksOutOfRangeAsTheNearestInstant) {
  const auto limiter = this->limiter(GetParam());
  clock_->set(TimePoint::min());
  EXPECT_TRUE(limiter->allow("early", kLimit));
  clock_->set(TimePoint(Duration(0)));
  EXPECT_FALSE(limiter->allow("early"));
  clock_->set(TimePoint::max());
  EXPECT_TRUE(limiter->allow("late", kLimit));
  clock_->set(TimePoint(Duration(kLastInstant)));
  EXPECT_FALSE(limiter->allow("late"));
}

TEST_P(Conformance, RefusesWhatNoLimiterCanBeMadeOf) {
  const auto refused = [&](std::string_view name, const Policy& policy) {
    const auto limiter = backend_->make_limiter(name, policy);
    return !limiter && limiter.error().code == Errc::invalid_argument &&
           !limiter.error().message.empty();
  };
  EXPECT_TRUE(refused("", GetParam()));
  EXPECT_TRUE(refused(std::string(256, 'n'), GetParam()));
  EXPECT_TRUE(refused("new\nline", GetParam()));
  EXPECT_TRUE(refused("test", with_limit(GetParam(), 0)));
  EXPECT_TRUE(refused("test", with_limit(GetParam(), std::int64_t{1} << 53)));
  EXPECT_FALSE(refused(std::string(255, 'n'), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Semantics, Conformance, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

class LeakyBucketConformance : public WithBackend, public ::testing::Test {};

TEST_F(LeakyBucketConformance, SaysHowLongToWait) {
  const auto limiter = this->limiter(LeakyBucket{10, 10, seconds(60)});
  EXPECT_EQ(limiter->allow("key").delay, seconds(0));
  EXPECT_EQ(limiter->allow("key", 3).delay, seconds(6));
  EXPECT_EQ(limiter->peek("key").delay, seconds(24));
  clock_->advance(seconds(10));
  EXPECT_EQ(limiter->allow("key").delay, seconds(14));
}

}  // namespace
}  // namespace ratelimit::testing
