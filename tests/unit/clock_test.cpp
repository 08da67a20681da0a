// ManualClock, and what limiters make of clocks.
#include "ratelimit/clock.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "ratelimit/memory.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr TimePoint kStart(seconds(1'700'000'000));

std::shared_ptr<Limiter> limiter_on(std::shared_ptr<const Clock> clock, const Policy& policy) {
  const auto backend = make_memory_backend({.clock = std::move(clock)}).value();
  return backend->make_limiter("test", policy).value();
}

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(kStart);
  EXPECT_EQ(clock.now(), kStart);
  EXPECT_EQ(clock.now(), kStart);
  clock.advance(seconds(5));
  EXPECT_EQ(clock.now(), kStart + seconds(5));
  clock.advance(-seconds(6));
  EXPECT_EQ(clock.now(), kStart - seconds(1));
  clock.set(TimePoint(Duration(-7)));
  EXPECT_EQ(clock.now(), TimePoint(Duration(-7)));
}

TEST(Clock, IsReadOnEveryCall) {
  const auto clock = std::make_shared<ManualClock>(kStart);
  const auto limiter = limiter_on(clock, TokenBucket{1, 1, seconds(1)});
  EXPECT_TRUE(limiter->allow("key"));
  EXPECT_EQ(limiter->allow("key").retry_after, seconds(1));
  clock->advance(seconds(1) - Duration(1));
  EXPECT_EQ(limiter->allow("key").retry_after, Duration(1));
  clock->advance(Duration(1));
  EXPECT_TRUE(limiter->allow("key"));
}

TEST(Clock, IsTheSystemsWhereNoneIsGiven) {
  const auto limiter = limiter_on(nullptr, FixedWindow{1, hours(1)});
  const auto before = std::chrono::system_clock::now();
  const Decision decision = limiter->allow("key");
  const auto after = std::chrono::system_clock::now();
  // The window ends on a whole hour of Unix time, counted from the call's whole microsecond.
  const auto end_of_hour = [](auto instant) {
    return std::chrono::floor<hours>(instant) + hours(1);
  };
  EXPECT_GE(after + decision.reset_after, end_of_hour(before));
  EXPECT_LE(before + decision.reset_after, end_of_hour(after) + Duration(1));
}

TEST(Clock, IsReadAs1970WhereItIsEarlier) {
  const auto clock = std::make_shared<ManualClock>(TimePoint::min());
  const auto limiter = limiter_on(clock, FixedWindow{2, seconds(1)});
  EXPECT_EQ(limiter->allow("key").reset_after, seconds(1));
  clock->set(TimePoint(Duration(-1)));
  EXPECT_EQ(limiter->allow("key").remaining, 0);
  clock->set(TimePoint(Duration(999'999)));
  EXPECT_EQ(limiter->allow("key").retry_after, Duration(1));
}

TEST(Clock, IsReadAs2112WhereItIsLater) {
  constexpr Duration kLatest(std::int64_t{1} << 52);
  const auto clock = std::make_shared<ManualClock>(TimePoint::max());
  const auto limiter = limiter_on(clock, TokenBucket{2, 1, hours(366 * 24)});
  EXPECT_TRUE(limiter->allow("key", 2));
  clock->set(TimePoint(kLatest + seconds(1)));
  EXPECT_EQ(limiter->allow("key").retry_after, hours(366 * 24));
  clock->set(TimePoint(kLatest - seconds(1)));
  EXPECT_FALSE(limiter->allow("key"));
}

}  // namespace
}  // namespace ratelimit::testing
