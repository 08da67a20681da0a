// Every write leaves an expiry that covers the state's life, and not much more; nothing else
// touches it; and no decision looks at it.
#include "redis/with_server.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Expiry : public OnServerByKind {
 protected:
  std::string state_key() const { return testing::state_key(GetParam(), "key"); }

  /// Charges `cost`, which must fit, and expects an expiry that is at least the state's life away
  /// and at most `slack` more.
  void charge_and_expect(Limiter& limiter, std::int64_t cost, Duration slack) {
    const std::int64_t before = server_time();
    const Decision decision = limiter.allow("key", cost);
    const std::int64_t after = server_time();
    ASSERT_TRUE(decision) << describe(decision);
    const Duration life = decision.reset_after;
    const std::int64_t until = kept(state_key()).until_ms * 1000;
    ASSERT_GE(until, before + life.count()) << describe(decision);
    ASSERT_LE(until, after + (life + slack).count()) << describe(decision);
  }
};

TEST_P(Expiry, CoversTheStatesLifeByTheServersClock) {
  const auto limiter = this->limiter(GetParam());
  for (const std::int64_t cost : {1, 1, 3, 5}) charge_and_expect(*limiter, cost, minutes(1));
}

TEST_P(Expiry, CoversTheStatesLifeByASentClock) {
  const auto clock = std::make_shared<ManualClock>(TimePoint(seconds(1'700'000'000)));
  RedisOptions options = options_for(server().url());
  options.clock = clock;
  const auto limiter = backend_with(options)->make_limiter("test", GetParam()).value();
  for (int step = 0; step < 200; ++step) {
    clock->advance(Duration(61'234'567));
    charge_and_expect(*limiter, 1 + step % 5, hours(1));
    if (HasFatalFailure()) return;
  }
  // Where the clock stepped back the state lives for longer, and so does the key.
  clock->advance(hours(1));
  charge_and_expect(*limiter, 1, hours(1));
  clock->advance(-seconds(45));
  charge_and_expect(*limiter, 1, hours(1));
  // A state from a clock that ran wild is healed, with an expiry of its own.
  clock->advance(-hours(24 * 300));
  (void)limiter->allow("key");
  const Decision decision = limiter->peek("key");
  const std::int64_t until = kept(state_key()).until_ms * 1000;
  EXPECT_GE(until, server_time() + decision.reset_after.count());
  EXPECT_LE(until, server_time() + (decision.reset_after + hours(1)).count());
}

TEST_P(Expiry, IsLeftAloneByWhatChargesNothing) {
  const auto limiter = this->limiter(GetParam());
  ASSERT_TRUE(limiter->allow("key", 10));
  const Kept before = kept(state_key());
  ASSERT_GT(before.until_ms, 0);
  ASSERT_FALSE(limiter->allow("key"));
  ASSERT_FALSE(limiter->allow("key", 5));
  ASSERT_FALSE(limiter->allow("key", 11));
  ASSERT_TRUE(limiter->allow("key", 0));
  ASSERT_FALSE(limiter->allow("key", -1));
  ASSERT_FALSE(limiter->peek("key"));
  ASSERT_TRUE(limiter->peek("key", 0));
  EXPECT_EQ(kept(state_key()), before);
}

TEST_P(Expiry, NoKeyIsMadeByWhatChargesNothing) {
  const auto limiter = this->limiter(GetParam());
  ASSERT_FALSE(limiter->allow("key", 11));
  ASSERT_TRUE(limiter->allow("key", 0));
  ASSERT_FALSE(limiter->allow("key", -1));
  ASSERT_TRUE(limiter->peek("key", 10));
  ASSERT_EQ(limiter->reset("key"), Errc::ok);
  EXPECT_TRUE(server().keys().empty());
}

TEST_P(Expiry, IsNoInputToADecision) {
  const auto clock = std::make_shared<ManualClock>(TimePoint(seconds(1'700'000'000)));
  RedisOptions options = options_for(server().url());
  options.clock = clock;
  const auto limiter = backend_with(options)->make_limiter("test", GetParam()).value();
  ASSERT_TRUE(limiter->allow("key", 10));
  const Decision denied = limiter->allow("key");
  server().command({"PEXPIRE", state_key(), "1000000000"});
  EXPECT_TRUE(same(limiter->allow("key"), denied));
  server().command({"PERSIST", state_key()});
  EXPECT_TRUE(same(limiter->allow("key"), denied));
  clock->advance(seconds(600));
  EXPECT_EQ(limiter->peek("key", 0).remaining, 10) << "recovered, though still kept";
}

TEST_P(Expiry, ComesBackWhereItWasMissing) {
  const auto limiter = this->limiter(GetParam());
  ASSERT_TRUE(limiter->allow("key", 2));
  server().command({"PERSIST", state_key()});
  ASSERT_EQ(kept(state_key()).until_ms, -1);
  EXPECT_EQ(limiter->allow("key", 2).remaining, 6) << "what is owed is kept";
  EXPECT_GT(kept(state_key()).until_ms, 0);
  EXPECT_EQ(limiter->allow("key", 2).remaining, 4);
  EXPECT_EQ(backend_->statistics().healed, 0U) << "it was not asked for";
}

// A key that is still there though its state no longer matters.
TEST_P(Expiry, IsCountedAsLostWhereTheStateHasRecovered) {
  const auto clock = std::make_shared<ManualClock>(TimePoint(seconds(1'700'000'000)));
  RedisOptions options = options_for(server().url());
  options.clock = clock;
  const auto backend = backend_with(options);
  const auto limiter = backend->make_limiter("test", GetParam()).value();
  ASSERT_TRUE(limiter->allow("key", 2));
  clock->advance(seconds(600));
  ASSERT_TRUE(limiter->allow("key", 2));
  EXPECT_EQ(backend->statistics().healed, 0U) << "it is kept for a while longer";

  server().command({"PERSIST", state_key()});
  clock->advance(seconds(600));
  EXPECT_EQ(limiter->peek("key", 0).remaining, 10);
  EXPECT_FALSE(limiter->allow("key", -1));
  EXPECT_EQ(backend->statistics().healed, 0U) << "to be healed by what charges";
  EXPECT_EQ(limiter->allow("key", 2).remaining, 8);
  EXPECT_GT(kept(state_key()).until_ms, 0);
  EXPECT_EQ(backend->statistics().healed, 1U);
  clock->advance(seconds(600));
  EXPECT_EQ(limiter->allow("key", 2).remaining, 8);
  EXPECT_EQ(backend->statistics().healed, 1U);
}

TEST_P(Expiry, ResetDeletesTheKey) {
  const auto limiter = this->limiter(GetParam());
  ASSERT_TRUE(limiter->allow("key", 2));
  EXPECT_EQ(limiter->reset("key"), Errc::ok);
  EXPECT_TRUE(server().keys().empty());
}

INSTANTIATE_TEST_SUITE_P(Each, Expiry, ::testing::ValuesIn(policies_of_ten_a_minute()), kind_name);

class ExpiryOfASpan : public OnServer, public ::testing::WithParamInterface<Duration> {};

// A state that lives one second whatever the period is a naive limiter's.
TEST_P(ExpiryOfASpan, FollowsTheSpan) {
  const Duration span = GetParam();
  for (const Policy& policy : {Policy(TokenBucket{1, 1, span}), Policy(LeakyBucket{1, 1, span}),
                               Policy(SlidingWindowLog{1, span})}) {
    server().flush();
    const std::int64_t before = server_time();
    ASSERT_TRUE(limiter(policy)->allow("key"));
    const std::int64_t after = server_time();
    const std::int64_t until = kept(state_key(policy, "key")).until_ms * 1000;
    EXPECT_GE(until, before + span.count()) << describe(policy);
    EXPECT_LE(until, after + (span + minutes(1)).count()) << describe(policy);
  }
}

INSTANTIATE_TEST_SUITE_P(Spans, ExpiryOfASpan,
                         ::testing::Values(Duration(1), milliseconds(1), seconds(1), seconds(100),
                                           hours(24), hours(366 * 24)));

}  // namespace
}  // namespace ratelimit::testing
