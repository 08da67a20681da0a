// Threads that lease units of one key: what they admit together is what the limit admits.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <vector>

#include "ratelimit/memory.hpp"
#include "stress/threads.hpp"
#include "support/policies.hpp"
#include "support/pure.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;

constexpr int kThreads = 4;
constexpr TimePoint kStart(seconds(1'700'000'040));

class LeaseStress : public ::testing::TestWithParam<Policy> {
 protected:
  std::shared_ptr<Limiter> limiter() const {
    return backend_->make_limiter("test", GetParam(), {.lease = 16}).value();
  }

  std::shared_ptr<Backend> backend_ =
      make_memory_backend({.clock = std::make_shared<ManualClock>(kStart)}).value();
};

// Whoever has leased goes on until its units are given out, so nothing is missing in the end.
TEST_P(LeaseStress, GivesOutTheLimitToTheUnit) {
  const auto limiter = this->limiter();
  const std::int64_t limit = limit_of(GetParam());
  std::atomic<std::int64_t> admitted = 0;
  on_threads(kThreads, [&](int) {
    std::int64_t mine = 0;
    for (std::int64_t call = 0; call < limit; ++call) mine += limiter->allow("key").allowed ? 1 : 0;
    admitted += mine;
  });
  EXPECT_EQ(admitted, limit);
  EXPECT_EQ(limiter->peek("key", 0).remaining, 0);
}

// Time goes on between rounds, now little and now much, and steps back. After some quiet rounds, in
// which leases are not used up, many ask at once: what has expired must not come on top. All that
// was admitted, each at its instant, is what the policy admits.
TEST_P(LeaseStress, AdmitsNothingBeyondTheLimitAsTimePasses) {
  const auto limiter = this->limiter();
  constexpr int kRounds = 400;
  const auto time_of = [&](int round) {
    const int tenths = round % 7 == 0 ? round + 3 : round;
    return kStart + span_of(GetParam()) * (tenths + round / 40 * 30) / 10;
  };
  std::vector<std::atomic<int>> admitted(kRounds);
  std::barrier round_ends(kThreads);
  on_threads(kThreads, [&](int) {
    for (int round = 0; round < kRounds; ++round) {
      const TimePoint now = time_of(round);
      const int calls = round % 40 == 0 ? 1000 : 25;
      int mine = 0;
      for (int call = 0; call < calls; ++call) {
        mine += limiter->allow_at("key", now).allowed ? 1 : 0;
      }
      admitted[static_cast<std::size_t>(round)] += mine;
      round_ends.arrive_and_wait();
    }
  });
  PureKey pure(GetParam());
  int all = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < admitted[static_cast<std::size_t>(round)]; ++i, ++all) {
      ASSERT_TRUE(pure.ask({time_of(round), TraceOp::allow, 1})) << i << " in round " << round;
    }
    // What was denied may have healed what a step back left.
    if (!pure.ask({time_of(round), TraceOp::peek, 1})) {
      (void)pure.ask({time_of(round), TraceOp::allow, 1});
    }
  }
  EXPECT_GT(all, 3 * limit_of(GetParam())) << "or this shows little";
}

INSTANTIATE_TEST_SUITE_P(Each, LeaseStress,
                         ::testing::Values(Policy(TokenBucket{2'000, 5'000, seconds(1)}),
                                           Policy(FixedWindow{2'000, seconds(1)}),
                                           Policy(SlidingWindowCounter{2'000, seconds(1)})),
                         kind_name);

TEST(Lease, IsRefusedWhereThereIsNone) {
  const auto backend = make_memory_backend().value();
  const auto error_of = [&](const Policy& policy, std::int64_t lease) {
    const auto limiter = backend->make_limiter("test", policy, {.lease = lease});
    return limiter ? "" : limiter.error().message;
  };
  EXPECT_EQ(error_of(LeakyBucket{10, 1, seconds(1)}, 1),
            "LimiterOptions.lease is 1; for this policy it must be 0");
  EXPECT_EQ(error_of(SlidingWindowLog{10, seconds(1)}, 1),
            "LimiterOptions.lease is 1; for this policy it must be 0");
  EXPECT_EQ(error_of(TokenBucket{10, 1, seconds(1)}, -1),
            "LimiterOptions.lease is -1; it must be at least 0");
  EXPECT_EQ(error_of(TokenBucket{10, 1, seconds(1)}, 1001),
            "LimiterOptions.lease is 1001; it must be at most 1000");
  EXPECT_EQ(error_of(TokenBucket{10, 1, seconds(1)}, 1000), "");
}

}  // namespace
}  // namespace ratelimit::testing
