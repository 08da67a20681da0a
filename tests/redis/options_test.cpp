// What a Redis backend may be made of, with no server near: each bound from both sides.
#include <gmock/gmock.h>

#include "redis/with_server.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The text with which options are refused; empty if they are not.
std::string refusal(RedisOptions options) {
  const auto backend = make_redis_backend(std::move(options));
  if (backend) return {};
  EXPECT_EQ(backend.error().code, Errc::invalid_argument);
  return backend.error().message;
}

auto names(const std::string& field, const std::string& value, const std::string& bound) {
  return AllOf(HasSubstr("RedisOptions." + field), HasSubstr(value), HasSubstr(bound));
}

TEST(RedisOptions, HaveDefaultsThatAreAccepted) { EXPECT_EQ(refusal({}), ""); }

TEST(RedisOptions, TimeoutIsAMicrosecondToAnHour) {
  EXPECT_EQ(refusal({.timeout = Duration(1)}), "");
  EXPECT_EQ(refusal({.timeout = hours(1)}), "");
  EXPECT_THAT(refusal({.timeout = Duration(0)}), names("timeout", "is 0 us", "at least 1 us"));
  EXPECT_THAT(refusal({.timeout = Duration(-5)}), names("timeout", "is -5 us", "at least 1 us"));
  EXPECT_THAT(refusal({.timeout = hours(1) + Duration(1)}),
              names("timeout", "is 3600000001 us", "at most"));
}

TEST(RedisOptions, TextsAreBounded) {
  EXPECT_EQ(refusal({.prefix = std::string(255, 'p')}), "");
  EXPECT_EQ(refusal({.prefix = ""}), "");
  EXPECT_EQ(refusal({.prefix = std::string("\0\xff\r\n", 4)}), "") << "any bytes";
  EXPECT_THAT(refusal({.prefix = std::string(256, 'p')}), names("prefix", "256", "255"));
  EXPECT_EQ(refusal({.client_name = std::string(255, 'n')}), "");
  EXPECT_EQ(refusal({.client_name = ""}), "");
  EXPECT_THAT(refusal({.client_name = std::string(256, 'n')}), names("client_name", "256", "255"));
  for (const char* bad : {"a b", "a\nb", "\x7f", "\xc3\xa4", "\t"}) {
    EXPECT_THAT(refusal({.client_name = bad}), HasSubstr("RedisOptions.client_name")) << bad;
  }
}

TEST(RedisOptions, CountsAreBounded) {
  EXPECT_EQ(refusal({.max_connections = 1}), "");
  EXPECT_EQ(refusal({.max_connections = 1024}), "");
  EXPECT_THAT(refusal({.max_connections = 0}), names("max_connections", "is 0", "at least 1"));
  EXPECT_THAT(refusal({.max_connections = 1025}),
              names("max_connections", "is 1025", "at most 1024"));
  EXPECT_EQ(refusal({.local_max_keys = 1}), "");
  EXPECT_THAT(refusal({.local_max_keys = (std::int64_t{1} << 40) + 1}),
              names("local_max_keys", "is 1099511627777", "at most 1099511627776"));
  EXPECT_THAT(refusal({.local_max_keys = 0}), names("local_max_keys", "is 0", "at least 1"));
  EXPECT_EQ(refusal({.local_log_bytes = 4096}), "");
  EXPECT_THAT(refusal({.local_log_bytes = 4095}),
              names("local_log_bytes", "is 4095", "at least 4096"));
}

TEST(RedisOptions, UrlsThatAreRefusedShowNoPassword) {
  for (const char* const url :
       {"rediss://app:s3cret@", "http://app:s3cret@host", "redis://app:s3cret@host:99999",
        "redis://app:s3cret@host/none", "unix://app:s3cret@", "redis://app:s3cret@",
        "redis://app:s3%cret@host"}) {
    const std::string text = refusal({.url = url});
    EXPECT_THAT(text, HasSubstr("RedisOptions.url")) << url;
    EXPECT_THAT(text, Not(HasSubstr("cret"))) << url;
  }
}

TEST(RedisOptions, NoConnectionIsMadeBeforeItIsNeeded) {
  RedisOptions options = options_for(server().url());
  const auto backend = backend_with(options);
  const auto limiter = backend->make_limiter("test", TokenBucket{1, 1, hours(1)}).value();
  EXPECT_EQ(backend->statistics().connects, 0U);
  (void)limiter->allow("key", -1);
  EXPECT_EQ(backend->statistics().connects, 0U);
  (void)limiter->allow("key");
  EXPECT_EQ(backend->statistics().connects, 1U);
}

}  // namespace
}  // namespace ratelimit::testing
