// A decision at an instant that the caller gives, and many in one call: what one by one gives.
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;

using GivenTime = Conformance;

TEST_P(GivenTime, DecidesAsTheClockWouldAtThatInstant) {
  const auto given = this->limiter(GetParam(), "given");
  const auto read = this->limiter(GetParam(), "read");
  for (const int second : {0, 0, 1, 7, 7, 6, 40, 59, 61, 30, 125}) {
    const TimePoint at = kStart + seconds(second);
    clock_->set(at);
    const Decision peeked = read->peek("key", 4);
    const Decision allowed = read->allow("key", 3);
    clock_->set(kStart - seconds(1000));
    EXPECT_EQ(describe(given->peek_at("key", at, 4)), describe(peeked)) << second;
    EXPECT_EQ(describe(given->allow_at("key", at, 3)), describe(allowed)) << second;
  }
}

TEST_P(GivenTime, RefusesWhatIsRefusedOtherwise) {
  const auto limiter = this->limiter(GetParam());
  EXPECT_EQ(limiter->allow_at("key", kStart, -1).error, Errc::invalid_argument);
  EXPECT_EQ(limiter->peek_at(std::string(65537, 'k'), kStart).error, Errc::invalid_argument);
  EXPECT_EQ(limiter->allow_at("key", kStart, 11).retry_after, never);
}

// Before 1970 and after 2112.
TEST_P(GivenTime, ReadsInstantsOutOfBoundsAsTheBounds) {
  const auto limiter = this->limiter(GetParam());
  EXPECT_TRUE(limiter->allow_at("early", TimePoint::min(), 10));
  EXPECT_FALSE(limiter->allow_at("early", TimePoint(Duration(0))));
  EXPECT_TRUE(limiter->allow_at("late", TimePoint::max(), 10));
  EXPECT_FALSE(limiter->allow_at("late", TimePoint(Duration(std::int64_t{1} << 52))));
}

INSTANTIATE_TEST_SUITE_P(Each, GivenTime, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

using ManyAtOnce = Conformance;

TEST_P(ManyAtOnce, DecideAsOneByOne) {
  const auto together = this->limiter(GetParam(), "together");
  const auto alone = this->limiter(GetParam(), "alone");
  for (const std::size_t count : {0U, 1U, 2U, 31U, 32U, 33U, 100U}) {
    std::vector<std::string> keys;
    std::vector<Request> requests;
    for (std::size_t i = 0; i < count; ++i) keys.push_back("key " + std::to_string(i % 7));
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back({keys[i], static_cast<std::int64_t>(i % 13) - 1});
    }
    std::vector<Decision> decisions(count);
    together->allow_many(requests.data(), count, decisions.data());
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(describe(decisions[i]), describe(alone->allow(keys[i], requests[i].cost)))
          << i << " of " << count;
    }
    clock_->advance(seconds(11));
  }
}

TEST_P(ManyAtOnce, RefuseOnlyWhatIsWrong) {
  const auto limiter = this->limiter(GetParam());
  const std::string too_long(65537, 'k');
  const std::vector<Request> requests = {{"key", 9}, {too_long, 1}, {"key", -1}, {"key"}, {"key"}};
  std::vector<Decision> decisions(requests.size());
  limiter->allow_many(requests.data(), requests.size(), decisions.data());
  EXPECT_TRUE(decisions[0]);
  EXPECT_EQ(decisions[1].error, Errc::invalid_argument);
  EXPECT_EQ(decisions[2].error, Errc::invalid_argument);
  EXPECT_EQ(decisions[3].remaining, 0);
  EXPECT_FALSE(decisions[4]);
}

INSTANTIATE_TEST_SUITE_P(Each, ManyAtOnce, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

}  // namespace
}  // namespace ratelimit::testing
