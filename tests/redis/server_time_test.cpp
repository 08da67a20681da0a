// Without a clock of one's own, time is the server's, for everybody.
#include <atomic>
#include <thread>

#include "redis/with_server.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;

class ServerTime : public OnServer {};

TEST_F(ServerTime, RulesTheWindows) {
  const auto limiter = this->limiter(FixedWindow{10, hours(1)});
  const auto end_of_hour = [](std::int64_t at) { return at - at % 3'600'000'000 + 3'600'000'000; };
  const std::int64_t before = server_time();
  const Decision decision = limiter->allow("key");
  const std::int64_t after = server_time();
  EXPECT_GE(after + decision.reset_after.count(), end_of_hour(before));
  EXPECT_LE(before + decision.reset_after.count(), end_of_hour(after));
}

TEST_F(ServerTime, PassesBetweenCalls) {
  const auto limiter = this->limiter(TokenBucket{1, 1, hours(1)});
  const std::int64_t before = server_time();
  ASSERT_TRUE(limiter->allow("key"));
  const Decision denied = limiter->allow("key");
  const std::int64_t after = server_time();
  EXPECT_FALSE(denied);
  EXPECT_LE(denied.retry_after, Duration(hours(1)));
  EXPECT_GE(denied.retry_after, Duration(hours(1)) - Duration(after - before));
}

TEST_F(ServerTime, LetsTokensComeBackAsItPasses) {
  // A token each 20 us: less than a round trip takes, so each call finds one.
  const auto limiter = this->limiter(TokenBucket{1, 50'000, std::chrono::seconds(1)});
  const std::int64_t start = server_time();
  std::int64_t admitted = 0;
  for (int i = 0; i < 500; ++i) admitted += limiter->allow("key").allowed;
  const std::int64_t passed = server_time() - start;
  EXPECT_GT(admitted, 1);
  EXPECT_LE(admitted, 1 + passed / 20);
}

// Eight threads of one backend and of several: whoever asks, the limit is one.
TEST_F(ServerTime, IsOneForAllThreads) {
  constexpr int kThreads = 8;
  constexpr int kLimit = 300;
  for (const Policy& policy :
       {Policy(TokenBucket{kLimit, 1, hours(24)}), Policy(LeakyBucket{kLimit, 1, hours(24)}),
        Policy(FixedWindow{kLimit, hours(366 * 24)}), Policy(SlidingWindowLog{kLimit, hours(24)}),
        Policy(SlidingWindowCounter{kLimit, hours(366 * 24) / 20})}) {
    const auto own = backend_with(options_for(server().url()));
    std::atomic<int> admitted = 0;
    std::atomic<int> degraded = 0;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back(
          [&, limiter = (i % 2 == 0 ? own : backend_)->make_limiter("test", policy).value()] {
            for (int call = 0; call < kLimit / 4; ++call) {
              const Decision decision = limiter->allow("key");
              admitted += decision.allowed;
              degraded += decision.degraded();
            }
          });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(admitted, kLimit) << describe(policy);
    EXPECT_EQ(degraded, 0) << describe(policy);
  }
}

}  // namespace
}  // namespace ratelimit::testing
