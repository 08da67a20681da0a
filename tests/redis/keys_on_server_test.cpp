// What a limiter keeps on the server: one key for each of its keys, and how it is called.
#include <gmock/gmock.h>

#include "redis/with_server.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class KeysOnServer : public OnServer {};

// Two keys for one bucket are a naive limiter's: one may be evicted without the other.
TEST_F(KeysOnServer, AreOneForEachLimiterAndKey) {
  for (const Policy& policy : policies_of_ten_a_year()) {
    server().flush();
    const auto limiter = this->limiter(policy);
    for (int i = 0; i < 12; ++i) (void)limiter->allow("alice");
    EXPECT_THAT(server().keys(), ElementsAre(state_key(policy, "alice"))) << kind_of(policy);
    (void)limiter->allow("bob");
    EXPECT_THAT(server().keys(),
                UnorderedElementsAre(state_key(policy, "alice"), state_key(policy, "bob")));
  }
}

TEST_F(KeysOnServer, AreCalledAfterTheLimiterAndTheKey) {
  const TokenBucket policy{10, 10, seconds(60)};
  (void)backend_->make_limiter("login", policy).value()->allow("alice");
  EXPECT_THAT(server().keys(), ElementsAre("rl:t2:login:alice"));
  server().flush();
  (void)backend_->make_limiter("a:b%c", policy).value()->allow("d:e%f\r\n{g}");
  EXPECT_THAT(server().keys(), ElementsAre("rl:t2:a%3Ab%25c:d:e%f\r\n{g}"));
}

TEST_F(KeysOnServer, HoldAnyBytesOfTheUsersKey) {
  const std::string key("\0\xff{}\r\n", 6);
  (void)limiter(TokenBucket{10, 10, seconds(60)})->allow(key);
  EXPECT_THAT(server().keys(), ElementsAre(std::string("rl:t2:test:") + key));
}

TEST_F(KeysOnServer, CarryThePrefix) {
  RedisOptions options = options_for(server().url());
  options.prefix = "shop{1}:";
  const TokenBucket policy{10, 10, seconds(60)};
  const auto other = backend_with(options)->make_limiter("test", policy).value();
  EXPECT_TRUE(other->allow("key", 10));
  EXPECT_TRUE(limiter(policy)->allow("key", 10)) << "another prefix, another state";
  EXPECT_THAT(server().keys(), UnorderedElementsAre("shop{1}:t2:test:key", "rl:t2:test:key"));
}

TEST_F(KeysOnServer, AreSharedByBackendsOfOnePrefix) {
  const TokenBucket policy{10, 10, seconds(60)};
  const auto elsewhere =
      backend_with(options_for(server().unix_url()))->make_limiter("test", policy).value();
  EXPECT_TRUE(limiter(policy)->allow("key", 10));
  EXPECT_FALSE(elsewhere->allow("key"));
  EXPECT_EQ(elsewhere->reset("key"), Errc::ok);
  EXPECT_TRUE(limiter(policy)->allow("key", 10));
}

TEST_F(KeysOnServer, StaySmall) {
  const auto bytes_of = [](const Policy& policy, const char* key) {
    return server().command({"MEMORY", "USAGE", state_key(policy, key), "SAMPLES", "0"}).integer;
  };
  for (const Policy& policy : policies_of_ten_a_year()) {
    ASSERT_TRUE(limiter(policy)->allow("key"));
    EXPECT_LE(bytes_of(policy, "key"), 200) << kind_of(policy);
  }
  const SlidingWindowLog log{1000, seconds(60)};
  const auto limiter = this->limiter(log);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(limiter->allow("log"));
  EXPECT_LE(bytes_of(log, "log"), 1000 * 25) << "some 10 bytes an entry, and room to append";
}

}  // namespace
}  // namespace ratelimit::testing
