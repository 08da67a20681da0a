// What a limiter may be made of: each bound from both sides, and errors that name the field, its
// value and the bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "policy/rules.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"

namespace ratelimit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMost = (std::int64_t{1} << 53) - 1;
constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kLongest = std::chrono::hours(366 * 24);

bool accepts(const Policy& policy, LimiterOptions options = {}) {
  return policy::compile("name", policy, options).has_value();
}

/// The text with which a policy is refused; empty if it is not.
std::string refusal(const Policy& policy, LimiterOptions options = {}) {
  const auto rule = policy::compile("name", policy, options);
  if (rule) return {};
  EXPECT_EQ(rule.error().code, Errc::invalid_argument);
  return rule.error().message;
}

auto names(const std::string& field, const std::string& value, const std::string& bound) {
  return AllOf(HasSubstr(field), HasSubstr(value), HasSubstr(bound));
}

TEST(PolicyCheck, CountsArePositive) {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-7}}) {
    const std::string value = "is " + std::to_string(bad);
    const auto expect = [&](const Policy& policy, const std::string& field) {
      EXPECT_THAT(refusal(policy), names(field, value, "at least 1"));
    };
    expect(TokenBucket{bad, 1, kSecond}, "TokenBucket.capacity");
    expect(TokenBucket{1, bad, kSecond}, "TokenBucket.refill");
    expect(LeakyBucket{bad, 1, kSecond}, "LeakyBucket.capacity");
    expect(LeakyBucket{1, bad, kSecond}, "LeakyBucket.leak");
    expect(FixedWindow{bad, kSecond}, "FixedWindow.limit");
    expect(SlidingWindowLog{bad, kSecond}, "SlidingWindowLog.limit");
    expect(SlidingWindowCounter{bad, kSecond}, "SlidingWindowCounter.limit");
  }
}

TEST(PolicyCheck, CountsAreBelow2To53) {
  const std::string value = std::to_string(kMost + 1);
  const std::string bound = "at most " + std::to_string(kMost);
  EXPECT_THAT(refusal(TokenBucket{kMost + 1, 1, Duration(1)}),
              names("TokenBucket.capacity", value, bound));
  EXPECT_THAT(refusal(TokenBucket{1, kMost + 1, Duration(1)}),
              names("TokenBucket.refill", value, bound));
  EXPECT_THAT(refusal(LeakyBucket{1, kMost + 1, Duration(1)}),
              names("LeakyBucket.leak", value, bound));
  EXPECT_THAT(refusal(FixedWindow{kMost + 1, Duration(1)}),
              names("FixedWindow.limit", value, bound));
  EXPECT_THAT(refusal(SlidingWindowCounter{kMost + 1, Duration(1)}),
              names("SlidingWindowCounter.limit", value, bound));
  EXPECT_TRUE(accepts(TokenBucket{kMost, kMost, Duration(1)}));
  EXPECT_TRUE(accepts(LeakyBucket{kMost, 1, Duration(1)}));
  EXPECT_TRUE(accepts(FixedWindow{kMost, kLongest}));
  EXPECT_TRUE(accepts(SlidingWindowCounter{kMost, Duration(1)}));
}

TEST(PolicyCheck, ExtremeNumbersAreRefusedNotOverflowed) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t bad : {kMax, kMin}) {
    EXPECT_FALSE(accepts(TokenBucket{bad, bad, Duration(bad)}));
    EXPECT_FALSE(accepts(LeakyBucket{bad, bad, Duration(bad)}));
    EXPECT_FALSE(accepts(FixedWindow{1, Duration(bad)}));
    EXPECT_FALSE(accepts(SlidingWindowLog{bad, kSecond}));
    EXPECT_FALSE(accepts(SlidingWindowCounter{bad, Duration(bad)}));
  }
  EXPECT_THAT(refusal(TokenBucket{1, 1, Duration(kMin)}), HasSubstr(std::to_string(kMin)));
}

TEST(PolicyCheck, SpansArePositive) {
  for (const Duration bad : {Duration(0), Duration(-1)}) {
    const std::string value = "is " + std::to_string(bad.count()) + " us";
    EXPECT_THAT(refusal(TokenBucket{1, 1, bad}),
                names("TokenBucket.period", value, "at least 1 us"));
    EXPECT_THAT(refusal(LeakyBucket{1, 1, bad}),
                names("LeakyBucket.period", value, "at least 1 us"));
    EXPECT_THAT(refusal(FixedWindow{1, bad}), names("FixedWindow.window", value, "at least 1 us"));
    EXPECT_THAT(refusal(SlidingWindowLog{1, bad}),
                names("SlidingWindowLog.window", value, "at least 1 us"));
    EXPECT_THAT(refusal(SlidingWindowCounter{1, bad}),
                names("SlidingWindowCounter.window", value, "at least 1 us"));
  }
}

TEST(PolicyCheck, SpansAreAtMost366Days) {
  const Duration over = kLongest + Duration(1);
  const std::string value = "is 31622400000001 us";
  EXPECT_THAT(refusal(TokenBucket{1, 1, over}), names("TokenBucket.period", value, "366 days"));
  EXPECT_THAT(refusal(LeakyBucket{1, 1, over}), names("LeakyBucket.period", value, "366 days"));
  EXPECT_THAT(refusal(FixedWindow{1, over}), names("FixedWindow.window", value, "366 days"));
  EXPECT_THAT(refusal(SlidingWindowLog{1, over}),
              names("SlidingWindowLog.window", value, "366 days"));
  EXPECT_THAT(refusal(SlidingWindowCounter{1, over}),
              names("SlidingWindowCounter.window", value, "366 days"));
  EXPECT_TRUE(accepts(TokenBucket{1, 1, kLongest}));
  EXPECT_TRUE(accepts(LeakyBucket{1, 1, kLongest}));
  EXPECT_TRUE(accepts(FixedWindow{1, kLongest}));
  EXPECT_TRUE(accepts(SlidingWindowLog{1, kLongest}));
  EXPECT_TRUE(accepts(SlidingWindowCounter{1, kLongest}));
}

template <class Bucket>
void expect_bucket_product_bound(const std::string& rate_field) {
  // 2^53 - 1 = 441,650,591 * 20,394,401: exactly the largest product, then one unit more.
  EXPECT_TRUE(accepts(Bucket{441'650'591, 1, Duration(20'394'401)}));
  EXPECT_THAT(refusal(Bucket{441'650'592, 1, Duration(20'394'401)}),
              AllOf(names("capacity 441650592", "441650592 * 20394401", "below 2^53"),
                    HasSubstr("{capacity 441650591, " + rate_field + " 1, period 20394401 us}")));
  // Exactly 2^53 is refused.
  EXPECT_TRUE(accepts(Bucket{(kMost + 1) / 2 - 1, 1, Duration(2)}));
  EXPECT_FALSE(accepts(Bucket{(kMost + 1) / 2, 1, Duration(2)}));
  // What counts is the period over the common divisor.
  EXPECT_TRUE(accepts(Bucket{kMost, 1'000'000, kSecond}));
  EXPECT_FALSE(accepts(Bucket{kMost, 999'999, kSecond}));
}

TEST(PolicyCheck, BucketsStayExact) {
  expect_bucket_product_bound<TokenBucket>("refill");
  expect_bucket_product_bound<LeakyBucket>("leak");
}

TEST(PolicyCheck, CountersStayExact) {
  EXPECT_TRUE(accepts(SlidingWindowCounter{441'650'591, Duration(20'394'401)}));
  EXPECT_THAT(refusal(SlidingWindowCounter{441'650'592, Duration(20'394'401)}),
              AllOf(names("SlidingWindowCounter: limit 441650592", "window 20394401 us", "2^53"),
                    HasSubstr("SlidingWindowCounter{limit 441650591, window 20394401 us}")));
  EXPECT_TRUE(accepts(SlidingWindowCounter{(kMost + 1) / 2 - 1, Duration(2)}));
  EXPECT_FALSE(accepts(SlidingWindowCounter{(kMost + 1) / 2, Duration(2)}));
}

TEST(PolicyCheck, LogsAreBoundedByTheirCap) {
  EXPECT_TRUE(accepts(SlidingWindowLog{100'000, kSecond}));
  EXPECT_THAT(refusal(SlidingWindowLog{100'001, kSecond}),
              names("SlidingWindowLog.limit", "100001", "log_cap, which is 100000"));
  EXPECT_TRUE(accepts(SlidingWindowLog{100'001, kSecond}, {.log_cap = 100'001}));
  EXPECT_TRUE(accepts(SlidingWindowLog{5, kSecond}, {.log_cap = 5}));
  EXPECT_THAT(refusal(SlidingWindowLog{6, kSecond}, {.log_cap = 5}),
              names("SlidingWindowLog.limit", "6", "which is 5"));
}

TEST(PolicyCheck, TheCapItselfIsBounded) {
  const TokenBucket any{1, 1, kSecond};
  EXPECT_TRUE(accepts(any, {.log_cap = 1}));
  EXPECT_THAT(refusal(any, {.log_cap = 0}), names("LimiterOptions.log_cap", "0", "at least 1"));
  EXPECT_TRUE(accepts(any, {.log_cap = 10'000'000}));
  EXPECT_THAT(refusal(any, {.log_cap = 10'000'001}),
              names("LimiterOptions.log_cap", "10000001", "at most 10000000"));
}

/// The text with which a name is refused; empty if it is not.
std::string name_refusal(const std::string& name) {
  const auto rule = policy::compile(name, TokenBucket{1, 1, kSecond}, {});
  return rule ? "" : rule.error().message;
}

TEST(PolicyCheck, NamesHave1To255Characters) {
  EXPECT_THAT(name_refusal(""), names("name", "empty", "at least 1"));
  EXPECT_EQ(name_refusal("n"), "");
  EXPECT_EQ(name_refusal(std::string(255, 'n')), "");
  EXPECT_THAT(name_refusal(std::string(256, 'n')), names("name", "256", "at most 255"));
  EXPECT_LT(name_refusal(std::string(1'000'000, 'n')).size(), 300U);
}

TEST(PolicyCheck, NamesArePrintableAscii) {
  for (int code = 0; code < 256; ++code) {
    const auto c = static_cast<char>(code);
    const std::string text = name_refusal(std::string("a") + c);
    if (code >= 0x20 && code <= 0x7e) {
      EXPECT_EQ(text, "") << code;
    } else {
      EXPECT_THAT(text, names("name", "\\x", "printable ASCII")) << code;
      EXPECT_THAT(text, Not(HasSubstr(std::string(1, c)))) << "must not be shown raw: " << code;
    }
  }
  EXPECT_THAT(name_refusal("tab\there"), HasSubstr("\"tab\\x09here\""));
}

}  // namespace
}  // namespace ratelimit::testing
