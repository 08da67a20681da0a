// Division by multiplication is exact, also at the edges.
#include "base/divisor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

namespace ratelimit::testing {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

void expect_exact(std::int64_t n, std::int64_t d) {
  const Divisor divisor(d);
  ASSERT_EQ(divisor.quotient(n), n / d) << n << " / " << d;
  ASSERT_EQ(divisor.quotient_up(n), n / d + (n % d != 0)) << n << " / " << d;
  const std::int64_t floor = n - n % d;
  ASSERT_EQ(divisor.floor(n), floor) << n << " / " << d;
  ASSERT_EQ(divisor.floor(n, floor), floor) << n << " / " << d;
  ASSERT_EQ(divisor.floor(n, 0), floor) << n << " / " << d;
  if (floor <= kMost - d) {
    ASSERT_EQ(divisor.floor(n, floor + d), floor) << n << " / " << d;
  }
}

TEST(Divisor, IsExactAroundEveryMultipleThatMatters) {
  for (const std::int64_t d : {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{7},
                               std::int64_t{10}, std::int64_t{999'983}, std::int64_t{1} << 32,
                               (std::int64_t{1} << 53) - 1, kMost - 1, kMost}) {
    for (const std::int64_t multiple :
         {std::int64_t{0}, std::int64_t{1}, kMost / d / 2, kMost / d}) {
      const std::int64_t n = multiple * d;
      expect_exact(n, d);
      if (n > 0) expect_exact(n - 1, d);
      if (n < kMost) expect_exact(n + 1, d);
    }
    expect_exact(kMost, d);
  }
}

TEST(Divisor, IsExactAnywhere) {
  EXPECT_TRUE(rc::check([](std::uint64_t n, std::uint64_t d) {
    const auto shift = *rc::gen::inRange(1, 63);
    const auto dividend = static_cast<std::int64_t>(n >> 1);
    const auto divisor = static_cast<std::int64_t>(d >> shift) | 1;
    RC_ASSERT(Divisor(divisor).quotient(dividend) == dividend / divisor);
  }));
}

}  // namespace
}  // namespace ratelimit::testing
