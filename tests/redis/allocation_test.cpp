// On Redis, every allocation in turn fails: nothing is thrown, the answer says so, and what it says
// of the charge is true.
#include "redis/with_server.hpp"
#include "support/failing_new.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

constexpr int kMoreThanEnough = 300;

class Allocation : public OnServerByKind {
 protected:
  /// Fails each allocation of a call in turn, on a fresh key and with `backend()` made afresh,
  /// until it needs none more. Returns how many there were.
  template <class MakeBackend>
  int fail_each(OnError on_error, MakeBackend backend) {
    const std::string key(60, 'k');
    for (int successes = 0; successes < kMoreThanEnough; ++successes) {
      server().flush();
      const auto used = backend();
      const auto limiter = used->make_limiter("test", GetParam(), {.on_error = on_error}).value();
      Decision decision;
      bool failed = false;
      {
        const FailingAllocation failing(successes);
        decision = limiter->allow(key, 4);
        failed = failing.failed();
      }
      const auto left = this->limiter(GetParam())->peek(key, 0).remaining;
      if (!failed) {
        EXPECT_EQ(decision.error, Errc::ok);
        EXPECT_EQ(left, 6);
        return successes;
      }
      expect_true_answer(decision, on_error, left);
      EXPECT_EQ(limiter->peek(key, 0).error, Errc::ok) << "the next call finds its way";
    }
    return kMoreThanEnough;
  }

  static void expect_true_answer(const Decision& decision, OnError on_error, std::int64_t left) {
    if (decision.error == Errc::ok) {
      // What failed was only a text for people, or could be done without.
      EXPECT_TRUE(decision);
      EXPECT_EQ(left, 6);
      return;
    }
    if (charged(decision.error) == Charged::no) {
      EXPECT_EQ(left, 10) << describe(decision);
    }
    if (on_error != OnError::local) {
      EXPECT_EQ(decision.allowed, on_error == OnError::allow) << describe(decision);
    }
  }
};

TEST_P(Allocation, FailsOnTheWayToTheServer) {
  const auto fresh = [] { return backend_with(options_for(server().url())); };
  for (const OnError on_error : {OnError::local, OnError::allow, OnError::deny}) {
    const int allocations = fail_each(on_error, fresh);
    EXPECT_GE(allocations, 3);
    EXPECT_LT(allocations, kMoreThanEnough);
  }
}

TEST_P(Allocation, FailsOnAnOpenConnection) {
  const auto connected = [] {
    auto backend = backend_with(options_for(server().url()));
    (void)backend->make_limiter("test", GetParam()).value()->peek("other");
    return backend;
  };
  const int allocations = fail_each(OnError::deny, connected);
  EXPECT_GE(allocations, 1);
  EXPECT_LT(allocations, kMoreThanEnough);
}

TEST_P(Allocation, FailsWhereTheScriptHasToBeLoaded) {
  const auto without_script = [] {
    auto backend = backend_with(options_for(server().url()));
    (void)backend->make_limiter("test", GetParam()).value()->peek("other");
    server().command({"SCRIPT", "FLUSH"});
    return backend;
  };
  EXPECT_LT(fail_each(OnError::deny, without_script), kMoreThanEnough);
}

TEST_P(Allocation, FailsInAReset) {
  const std::string key(60, 'k');
  for (int successes = 0;; ++successes) {
    ASSERT_LT(successes, kMoreThanEnough);
    const auto used = backend_with(options_for(server().url()));
    const auto limiter = used->make_limiter("test", GetParam()).value();
    ASSERT_TRUE(this->limiter(GetParam())->allow(key, 10));
    Errc error = Errc::ok;
    bool failed = false;
    {
      const FailingAllocation failing(successes);
      error = limiter->reset(key);
      failed = failing.failed();
    }
    const auto left = this->limiter(GetParam())->peek(key, 0).remaining;
    if (charged(error) != Charged::unknown) {
      EXPECT_EQ(left, error == Errc::ok ? 10 : 0) << to_string(error);
    }
    if (!failed) return;
    server().flush();
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Allocation, ::testing::ValuesIn(policies_of_ten_a_year()),
                         kind_name);

}  // namespace
}  // namespace ratelimit::testing
