// What holds for every backend and policy, however many threads ask.
#include <atomic>
#include <random>
#include <string>
#include <vector>

#include "conformance/backend_under_test.hpp"
#include "stress/threads.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

constexpr int kThreads = 16;

class Stress : public Conformance {};

TEST_P(Stress, ThreadsOnOneKeyAreAdmittedExactlyTheLimit) {
  const std::int64_t limit = usual_decisions() / 25;
  const auto limiter = this->limiter(with_limit(GetParam(), limit));
  std::atomic<std::int64_t> admitted = 0;
  std::atomic<int> degraded = 0;
  on_threads(kThreads, [&](int number) {
    std::int64_t mine = 0;
    for (std::int64_t call = 0; call < limit / kThreads; ++call) {
      const std::int64_t cost = 1 + (call + number) % 3;
      const Decision decision = limiter->allow("key", cost);
      if (decision) mine += cost;
      degraded += decision.degraded();
    }
    admitted += mine;
  });
  EXPECT_EQ(degraded, 0);
  // What costs of up to three could not use up, ones do.
  for (std::int64_t i = 0; i < limit; ++i) admitted += limiter->allow("key").allowed;
  EXPECT_EQ(admitted, limit);
}

TEST_P(Stress, ThreadsOfSeveralLimitersOnManyKeysAreAdmittedExactlyTheLimits) {
  constexpr int kKeys = 20;
  constexpr int kCalls = 400;
  std::vector<std::atomic<std::int64_t>> admitted(kKeys);
  std::atomic<int> degraded = 0;
  on_threads(kThreads, [&](int number) {
    const auto limiter = this->limiter(GetParam());
    std::minstd_rand bits(static_cast<unsigned>(number + 1));
    for (int call = 0; call < kCalls; ++call) {
      const auto key = bits() % kKeys;
      const Decision decision = limiter->allow(std::to_string(key));
      admitted[key] += decision.allowed;
      degraded += decision.degraded();
    }
  });
  EXPECT_EQ(degraded, 0);
  for (const auto& count : admitted) EXPECT_EQ(count, limit_of(GetParam()));
}

TEST_P(Stress, LimitersGoOnWhileTheirBackendIsDropped) {
  std::vector<std::shared_ptr<Limiter>> limiters;
  for (int i = 0; i < kThreads; ++i) limiters.push_back(limiter(GetParam()));
  std::atomic<std::int64_t> admitted = 0;
  std::atomic<int> degraded = 0;
  on_threads(kThreads + 1, [&](int number) {
    if (number == kThreads) {
      backend_.reset();
      return;
    }
    auto& mine = limiters[static_cast<std::size_t>(number)];
    for (int call = 0; call < 50; ++call) {
      const Decision decision = mine->allow("key");
      admitted += decision.allowed;
      degraded += decision.degraded();
    }
    mine.reset();
  });
  EXPECT_EQ(degraded, 0);
  EXPECT_EQ(admitted, limit_of(GetParam()));
}

// Everything at once: calls of all kinds, limiters that come and go, a clock that moves both ways.
TEST_P(Stress, AnythingMayBeCalledFromAnywhere) {
  std::atomic<bool> sane = true;
  on_threads(kThreads, [&](int number) {
    std::minstd_rand bits(static_cast<unsigned>(number + 1));
    auto mine = limiter(GetParam());
    for (int call = 0; call < 200; ++call) {
      const std::string key = std::to_string(bits() % 5);
      Decision decision;
      switch (bits() % 8) {
        case 0:
          mine = limiter(GetParam());
          break;
        case 1:
          clock_->advance(Duration(static_cast<std::int64_t>(bits() % 9'000'000) - 4'000'000));
          break;
        case 2:
          if (mine->reset(key) != Errc::ok) sane = false;
          break;
        case 3:
          (void)backend_->statistics();
          break;
        case 4:
          decision = mine->peek(key, static_cast<std::int64_t>(bits() % 12));
          break;
        default:
          decision = mine->allow(key, static_cast<std::int64_t>(bits() % 4));
      }
      if (decision.degraded() || decision.remaining > 10) sane = false;
    }
  });
  EXPECT_TRUE(sane);
}

INSTANTIATE_TEST_SUITE_P(Each, Stress, ::testing::ValuesIn(policies_of_ten_a_minute()), kind_name);

}  // namespace
}  // namespace ratelimit::testing
