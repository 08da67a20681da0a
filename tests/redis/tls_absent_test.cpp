// A build without TLS says so, and never speaks plain where TLS was asked for.
#include <gmock/gmock.h>

#include "ratelimit/redis.hpp"

namespace ratelimit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TlsAbsent, IsSaidByTheNameOfTheOption) {
  const auto backend = make_redis_backend({.url = "rediss://app:s3cret@localhost"});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::invalid_argument);
  EXPECT_THAT(backend.error().message, AllOf(HasSubstr("RedisOptions.url"),
                                             HasSubstr("RATELIMIT_TLS"), Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace ratelimit::testing
