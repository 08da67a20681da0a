// Which limiters share the state of their keys, and what becomes of it when a policy is changed.
#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

class Sharing : public Conformance {};

TEST_P(Sharing, LimitersOfOneNameAndKindShareTheirKeys) {
  const auto one = limiter(GetParam());
  const auto other = limiter(GetParam());
  EXPECT_EQ(one->allow("key", 4).remaining, 6);
  EXPECT_EQ(other->allow("key", 4).remaining, 2);
  EXPECT_FALSE(one->allow("key", 3));
  EXPECT_EQ(other->reset("key"), Errc::ok);
  EXPECT_TRUE(one->allow("key", 10));
}

TEST_P(Sharing, LimitersOfOneNameAndDifferentKindsDoNot) {
  for (const Policy& policy : policies_of_ten_a_minute()) {
    EXPECT_EQ(limiter(policy)->allow("key", 10).remaining, 0) << kind_of(policy);
  }
  const auto limiter = this->limiter(GetParam());
  EXPECT_EQ(limiter->reset("key"), Errc::ok);
  EXPECT_TRUE(limiter->allow("key", 10));
}

TEST_P(Sharing, KeysOutliveTheirLimiters) {
  EXPECT_TRUE(limiter(GetParam())->allow("key", 10));
  EXPECT_FALSE(limiter(GetParam())->allow("key"));
}

TEST_P(Sharing, LimitersOutliveTheirBackend) {
  const auto limiter = this->limiter(GetParam());
  EXPECT_TRUE(limiter->allow("key", 10));
  backend_.reset();
  const Decision denied = limiter->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_EQ(denied.error, Errc::ok);
  clock_->advance(denied.retry_after);
  EXPECT_TRUE(limiter->allow("key"));
}

TEST_P(Sharing, RaisedLimitGivesRoomAtOnce) {
  EXPECT_TRUE(limiter(GetParam())->allow("key", 10));
  const auto raised = limiter(with_limit(GetParam(), 15));
  EXPECT_EQ(raised->peek("key", 0).remaining, 5);
  EXPECT_TRUE(raised->allow("key", 5));
  EXPECT_FALSE(raised->allow("key", 1));
}

TEST_P(Sharing, LoweredLimitKeepsWhatIsOwed) {
  EXPECT_TRUE(limiter(GetParam())->allow("key", 9));
  const auto lowered = limiter(with_limit(GetParam(), 5));
  const Decision denied = lowered->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_LE(denied.remaining, 0);
  clock_->advance(denied.retry_after - Duration(1));
  EXPECT_FALSE(lowered->allow("key"));
  clock_->advance(Duration(1));
  EXPECT_TRUE(lowered->allow("key"));
}

INSTANTIATE_TEST_SUITE_P(Each, Sharing, ::testing::ValuesIn(policies_of_ten_a_minute()), kind_name);

}  // namespace
}  // namespace ratelimit::testing
