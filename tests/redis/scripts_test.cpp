// The scripts come to the server by themselves, whenever it has not got them.
#include <atomic>
#include <thread>

#include "redis/script.hpp"
#include "redis/with_server.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;

class Scripts : public OnServer {
 protected:
  Scripts() { server().command({"SCRIPT", "FLUSH"}); }
};

TEST_F(Scripts, AreCalledByTheSha1ThatTheServerGivesThem) {
  const auto scripts = ratelimit::redis::embedded_scripts();
  EXPECT_EQ(scripts.size(), 4U);  // both buckets have the same
  for (const auto& script : scripts) {
    EXPECT_EQ(server().command({"SCRIPT", "LOAD", std::string(script.source)}).text, script.sha1)
        << script.name;
  }
}

TEST_F(Scripts, AreLoadedOnceEach) {
  std::uint64_t loads = 0;
  for (const Policy& policy : policies_of_ten_a_year()) {
    const auto limiter = this->limiter(policy);
    EXPECT_EQ(limiter->allow("key", 4).remaining, 6) << kind_of(policy);
    EXPECT_LE(backend_->statistics().script_loads, ++loads);
    loads = backend_->statistics().script_loads;
    EXPECT_EQ(limiter->allow("key", 4).remaining, 2) << kind_of(policy);
    EXPECT_EQ(backend_->statistics().script_loads, loads);
  }
  EXPECT_GE(loads, 4U) << "two kinds may share a script";
  EXPECT_EQ(backend_->statistics().errors, 0U);
  EXPECT_EQ(backend_->statistics().connects, 1U);
}

TEST_F(Scripts, ThatAreLostAreLoadedAgainUnseen) {
  for (const Policy& policy : policies_of_ten_a_year()) {
    const auto limiter = this->limiter(policy);
    for (std::int64_t left = 9; left >= 0; --left) {
      server().command({"SCRIPT", "FLUSH"});
      const Decision decision = limiter->allow("key");
      ASSERT_EQ(decision.error, Errc::ok) << kind_of(policy);
      ASSERT_EQ(decision.remaining, left) << kind_of(policy);
    }
  }
  EXPECT_EQ(backend_->statistics().script_loads, 50U);
  EXPECT_EQ(backend_->statistics().errors, 0U);
}

TEST_F(Scripts, ThatAreLostInMidRunChargeNothingTwice) {
  constexpr int kThreads = 4;
  constexpr int kLimit = 400;
  const auto limiter = this->limiter(TokenBucket{kLimit, 1, hours(24)});
  std::atomic<int> admitted = 0;
  std::atomic<bool> done = false;
  std::thread flusher([&, client = std::make_unique<RespClient>(server().port())] {
    while (!done) (void)client->command({"SCRIPT", "FLUSH"});
  });
  std::vector<std::thread> callers;
  callers.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    callers.emplace_back([&] {
      for (int call = 0; call < kLimit; ++call) admitted += limiter->allow("key").allowed;
    });
  }
  for (std::thread& caller : callers) caller.join();
  done = true;
  flusher.join();
  EXPECT_EQ(admitted, kLimit);
  EXPECT_EQ(backend_->statistics().errors, 0U) << backend_->statistics().last_error;
  EXPECT_GT(backend_->statistics().script_loads, 1U);
}

}  // namespace
}  // namespace ratelimit::testing
