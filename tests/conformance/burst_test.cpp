// Bursts at one microsecond, at rates that do not divide a second: exactly as many as fit.
#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"

namespace ratelimit::testing {
namespace {

class Burst : public WithBackend, public ::testing::TestWithParam<std::int64_t> {
 protected:
  void expect_exactly(std::int64_t n, const Policy& policy) {
    const auto limiter = this->limiter(policy);
    const std::string key = std::to_string(n) + kind_of(policy);
    std::int64_t admitted = 0;
    for (std::int64_t i = 0; i < n + 2; ++i) admitted += limiter->allow(key).allowed;
    ASSERT_EQ(admitted, n) << describe(policy);
  }
};

TEST_P(Burst, AdmitsExactlyWhatFits) {
  constexpr Duration kSecond = std::chrono::seconds(1);
  for (const std::int64_t n : {1, 2, 3, 5, 7, 10, 33, 100, 333, 999, 1000}) {
    expect_exactly(n, TokenBucket{n, GetParam(), kSecond});
    if (n > 100) continue;  // the arithmetic is the same; the first policy shows the large ones
    expect_exactly(n, LeakyBucket{n, GetParam(), kSecond});
    expect_exactly(n, FixedWindow{n, kSecond});
    expect_exactly(n, SlidingWindowLog{n, kSecond});
    expect_exactly(n, SlidingWindowCounter{n, kSecond});
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, Burst, ::testing::Values(3, 7, 333, 9'973, 150'000),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace ratelimit::testing
