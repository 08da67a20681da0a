// Bursts: N calls in one microsecond find room for exactly N, at rates that do not divide a second.
#include <gtest/gtest.h>

#include <array>

#include "support/policies.hpp"
#include "support/pure.hpp"

namespace ratelimit::testing {
namespace {

constexpr std::int64_t kLargestBurst = 1000;
constexpr TimePoint kStart(Duration(1'700'000'000'123'457));

class PolicyBurst : public ::testing::TestWithParam<std::int64_t> {};

/// Asks one unit at a time, all at one instant, and counts the allowed ones.
std::int64_t admitted_at_once(const Policy& policy, std::int64_t calls) {
  PureKey key(policy);
  std::int64_t admitted = 0;
  for (std::int64_t i = 0; i < calls; ++i) admitted += key.ask({kStart}).allowed;
  return admitted;
}

TEST_P(PolicyBurst, OfAsManyAsFitIsAdmittedAndNoMore) {
  const std::int64_t rate = GetParam();
  constexpr Duration kSecond = std::chrono::seconds(1);
  for (std::int64_t n = 1; n <= kLargestBurst; ++n) {
    const std::array<Policy, 5> policies = {
        TokenBucket{n, rate, kSecond}, LeakyBucket{n, rate, kSecond}, FixedWindow{n, kSecond},
        SlidingWindowLog{n, kSecond}, SlidingWindowCounter{n, kSecond}};
    for (const Policy& policy : policies) {
      ASSERT_EQ(admitted_at_once(policy, n + 3), n) << describe(policy);
    }
  }
}

TEST_P(PolicyBurst, AsOneCostIsAllOrNothing) {
  const std::int64_t rate = GetParam();
  for (std::int64_t n = 1; n <= kLargestBurst; ++n) {
    PureKey key(TokenBucket{n, rate, std::chrono::seconds(1)});
    ASSERT_FALSE(key.ask({kStart, TraceOp::allow, n + 1}).allowed);
    ASSERT_TRUE(key.ask({kStart, TraceOp::allow, n}).allowed);
    ASSERT_FALSE(key.ask({kStart}).allowed);
  }
}

// The next token comes after ceil(1 s / rate), not a microsecond earlier.
TEST_P(PolicyBurst, RefillsExactly) {
  const std::int64_t rate = GetParam();
  PureKey key(TokenBucket{kLargestBurst, rate, std::chrono::seconds(1)});
  ASSERT_TRUE(key.ask({kStart, TraceOp::allow, kLargestBurst}).allowed);
  for (std::int64_t tokens = 1; tokens <= kLargestBurst; ++tokens) {
    const Duration due((tokens * 1'000'000 + rate - 1) / rate);
    ASSERT_FALSE(key.ask({kStart + due - Duration(1), TraceOp::peek, tokens}).allowed);
    ASSERT_TRUE(key.ask({kStart + due, TraceOp::peek, tokens}).allowed);
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, PolicyBurst, ::testing::Values(3, 7, 333, 9'973, 150'000),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace ratelimit::testing
