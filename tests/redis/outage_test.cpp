// Servers that are full, not there, killed, or back again; and what is answered meanwhile.
#include <gmock/gmock.h>

#include "redis/with_server.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;

constexpr TokenBucket kPolicy{10, 1, hours(1)};

class FullServer : public OnServerByKind {
 protected:
  FullServer() {
    (void)limiter(GetParam())->peek("key");  // the script is there before the server is full
    server().command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  }
  ~FullServer() override { server().command({"CONFIG", "SET", "maxmemory", "0"}); }

  static void fill() { server().command({"CONFIG", "SET", "maxmemory", "1"}); }
};

TEST_P(FullServer, AnswersByOnErrorAndChargesNothing) {
  const auto allowing = limiter(GetParam(), {.on_error = OnError::allow});
  const auto denying = limiter(GetParam(), {.on_error = OnError::deny});
  fill();
  const Decision allowed = allowing->allow("key");
  EXPECT_TRUE(allowed);
  EXPECT_EQ(allowed.error, Errc::server_full);
  EXPECT_EQ(charged(allowed.error), Charged::no);
  EXPECT_EQ(allowed.limit, 10);
  const Decision denied = denying->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_EQ(denied.error, Errc::server_full);
  EXPECT_EQ(denied.limit, 10);
  EXPECT_EQ(backend_->statistics().errors, 2U);
  EXPECT_THAT(backend_->statistics().last_error, HasSubstr("OOM"));
  server().command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(allowing->peek("key", 0).remaining, 10);
}

TEST_P(FullServer, IsAnsweredForByTheSamePolicyHere) {
  const auto limiter = this->limiter(GetParam(), {.on_error = OnError::local});
  fill();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter->allow("key"));
  const Decision denied = limiter->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_EQ(denied.error, Errc::server_full);
}

TEST_P(FullServer, StillAnswersWhatWritesNothing) {
  const auto limiter = this->limiter(GetParam(), {.on_error = OnError::allow});
  ASSERT_TRUE(limiter->allow("key", 10));
  fill();
  const Decision denied = limiter->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_EQ(denied.error, Errc::ok);
  EXPECT_EQ(limiter->peek("key").error, Errc::ok);
  EXPECT_EQ(limiter->reset("key"), Errc::ok);
}

INSTANTIATE_TEST_SUITE_P(Each, FullServer, ::testing::ValuesIn(policies_of_ten_a_year()),
                         kind_name);

// These have a server of their own: it is killed.
class Outage : public ::testing::Test {
 protected:
  std::shared_ptr<Limiter> limiter(OnError on_error) {
    return backend_->make_limiter("test", kPolicy, {.on_error = on_error}).value();
  }

  RedisServer own_;
  std::shared_ptr<Backend> backend_ = backend_with(options_for(own_.url()));
};

TEST_F(Outage, AtTheStartIsNoReasonNotToStart) {
  own_.kill();
  backend_ = backend_with(options_for(own_.url()));
  const auto limiter = this->limiter(OnError::deny);
  const Decision denied = limiter->allow("key");
  EXPECT_EQ(denied.error, Errc::unreachable);
  EXPECT_EQ(charged(denied.error), Charged::no);
  EXPECT_EQ(limiter->reset("key"), Errc::unreachable);
  EXPECT_EQ(backend_->statistics().errors, 2U);
  own_.start();
  const Decision decision = limiter->allow("key");
  EXPECT_EQ(decision.error, Errc::ok) << backend_->statistics().last_error;
  EXPECT_TRUE(decision);
}

TEST_F(Outage, IsAnsweredByOnError) {
  const auto local = limiter(OnError::local);
  const auto allowing = limiter(OnError::allow);
  const auto denying = limiter(OnError::deny);
  EXPECT_EQ(local->allow("key", 7).remaining, 3);
  own_.kill();

  for (int i = 0; i < 20; ++i) {
    for (const Decision& decision : {allowing->allow("key"), allowing->peek("key", 100)}) {
      EXPECT_TRUE(decision);
      EXPECT_TRUE(decision.degraded());
      EXPECT_EQ(decision.limit, 10);
      EXPECT_EQ(decision.remaining, 0);
      EXPECT_EQ(decision.retry_after, Duration(0));
    }
    const Decision denied = denying->allow("key");
    EXPECT_FALSE(denied);
    EXPECT_TRUE(denied.degraded());
    EXPECT_EQ(denied.limit, 10);
    EXPECT_EQ(denied.remaining, 0);
  }
  // The same policy goes on in this process, from the start.
  for (std::int64_t left = 9; left >= 0; --left) {
    const Decision decision = local->allow("key");
    EXPECT_TRUE(decision);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_NE(decision.error, Errc::ok);
  }
  const Decision denied = local->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_GT(denied.retry_after, hours(0));
  EXPECT_LE(denied.retry_after, hours(1));
  EXPECT_EQ(local->peek("key").remaining, 0);
}

TEST_F(Outage, IsAnsweredByThisInstancesShare) {
  const auto shared =
      backend_->make_limiter("test", kPolicy, {.on_error = OnError::local, .instances = 5}).value();
  EXPECT_EQ(shared->allow("key").remaining, 9) << "the server knows all instances";
  own_.kill();
  EXPECT_TRUE(shared->allow("key"));
  const Decision last = shared->allow("key");
  EXPECT_TRUE(last);
  EXPECT_EQ(last.limit, 2);
  const Decision denied = shared->allow("key");
  EXPECT_FALSE(denied);
  EXPECT_GT(denied.retry_after, hours(4));
  EXPECT_LE(denied.retry_after, hours(5));
}

TEST_F(Outage, EndsWithTheServersReturn) {
  const auto limiter = this->limiter(OnError::local);
  EXPECT_TRUE(limiter->allow("key", 7));
  own_.kill();
  EXPECT_TRUE(limiter->allow("key", 8).degraded());
  own_.start();
  const Decision decision = limiter->allow("key", 1);
  EXPECT_EQ(decision.error, Errc::ok) << backend_->statistics().last_error;
  EXPECT_EQ(decision.remaining, 9) << "the server has forgotten, and its word counts";
  EXPECT_EQ(backend_->statistics().connects, 2U);
}

TEST_F(Outage, ResetForgetsHereToo) {
  const auto limiter = this->limiter(OnError::local);
  own_.kill();
  EXPECT_TRUE(limiter->allow("key", 10));
  EXPECT_FALSE(limiter->allow("key"));
  EXPECT_NE(limiter->reset("key"), Errc::ok);
  EXPECT_TRUE(limiter->allow("key", 10));
}

TEST_F(Outage, OfIdleConnectionsIsUnseen) {
  const auto limiter = this->limiter(OnError::deny);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(limiter->allow("key")) << backend_->statistics().last_error;
    own_.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  }
  EXPECT_EQ(backend_->statistics().errors, 0U);
  EXPECT_EQ(backend_->statistics().connects, 5U);
}

TEST_F(Outage, OfAServerThatHangsEndsByTheDeadline) {
  constexpr Duration kTimeout = std::chrono::milliseconds(50);
  RedisOptions options = options_for(own_.url());
  options.timeout = kTimeout;
  const auto backend = backend_with(options);
  const auto limiter = backend->make_limiter("test", kPolicy, {.on_error = OnError::deny}).value();
  ASSERT_EQ(limiter->allow("key").remaining, 9);
  own_.pause();
  const auto start = std::chrono::steady_clock::now();
  const Decision decision = limiter->allow("key");
  const auto took = std::chrono::steady_clock::now() - start;
  own_.resume();
  EXPECT_EQ(decision.error, Errc::timeout);
  EXPECT_EQ(charged(decision.error), Charged::unknown);
  EXPECT_GE(took, kTimeout);
  EXPECT_LT(took, kTimeout + std::chrono::seconds(2)) << "ample: this machine may be busy";
  // The late answer must not be taken for the next call's. Both charges arrive in the end.
  const auto patient = backend_->make_limiter("test", kPolicy).value();
  EXPECT_EQ(patient->allow("key").remaining, 7);
  EXPECT_EQ(limiter->allow("key").remaining, 6);
}

}  // namespace
}  // namespace ratelimit::testing
