// In memory, every allocation in turn fails: nothing is thrown, nothing is half done, and the
// answer says so.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ratelimit/memory.hpp"
#include "support/failing_new.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

constexpr TimePoint kStart(std::chrono::seconds(1'700'000'000));
constexpr int kMoreThanEnough = 100;
constexpr std::int64_t kOddLimit = 11;  // of a policy whose states do not fit a word

/// Too long to be kept inside a std::string.
std::string key_of(int number) { return std::string(60, 'k') + std::to_string(number); }

struct Scene {
  explicit Scene(const Policy& policy, OnError on_error, std::int64_t max_keys)
      : clock(std::make_shared<ManualClock>(kStart)),
        backend(make_memory_backend({.clock = clock, .max_keys = max_keys}).value()),
        limiter(backend->make_limiter("test", policy, {.on_error = on_error}).value()) {}

  /// What can be seen of some keys, in numbers.
  [[nodiscard]] std::vector<std::int64_t> sight() const {
    const Statistics s = backend->statistics();
    std::vector<std::int64_t> all = {static_cast<std::int64_t>(s.keys),
                                     static_cast<std::int64_t>(s.forgotten),
                                     static_cast<std::int64_t>(s.forgotten_debt)};
    for (int key = 0; key < 6; ++key) {
      const Decision decision = limiter->peek(key_of(key), 0);
      all.push_back(decision.remaining);
      all.push_back(decision.reset_after.count());
    }
    return all;
  }

  std::shared_ptr<ManualClock> clock;
  std::shared_ptr<Backend> backend;
  std::shared_ptr<Limiter> limiter;
};

struct Charge {
  int key;
  std::int64_t cost;
};

/// Fails each allocation of `charge` in turn, each time on a fresh scene, until it needs none
/// more. Returns how many there were.
int fail_each(const Policy& policy, OnError on_error, std::int64_t max_keys, Charge charge) {
  for (int successes = 0; successes < kMoreThanEnough; ++successes) {
    const Scene scene(policy, on_error, max_keys);
    for (int key = 0; key < 3; ++key) EXPECT_TRUE(scene.limiter->allow(key_of(key), 2));
    const std::string key = key_of(charge.key);
    const auto before = scene.sight();

    Decision decision;
    bool failed = false;
    {
      const FailingAllocation failing(successes);
      decision = scene.limiter->allow(key, charge.cost);
      failed = failing.failed();
    }
    if (!failed) {
      EXPECT_TRUE(decision);
      return successes;
    }
    EXPECT_EQ(decision.error, Errc::out_of_memory);
    EXPECT_TRUE(decision.degraded());
    EXPECT_EQ(decision.allowed, on_error == OnError::allow);
    EXPECT_EQ(decision.limit, limit_of(policy));
    EXPECT_EQ(scene.sight(), before) << "after " << successes << " allocations";
    const Decision again = scene.limiter->allow(key, charge.cost);
    EXPECT_EQ(again.error, Errc::ok);
    EXPECT_TRUE(again);
  }
  return kMoreThanEnough;
}

/// Whether states of this policy fit a word, so that none is ever allocated.
bool fits_a_word(const Policy& policy) {
  return !std::holds_alternative<SlidingWindowLog>(policy) && limit_of(policy) != kOddLimit;
}

class MemoryAllocation : public ::testing::TestWithParam<Policy> {};

TEST_P(MemoryAllocation, FailsForANewKey) {
  for (const OnError on_error : {OnError::local, OnError::allow, OnError::deny}) {
    const int allocations = fail_each(GetParam(), on_error, 10, {.key = 4, .cost = 8});
    EXPECT_GE(allocations, fits_a_word(GetParam()) ? 0 : 2);
    EXPECT_LT(allocations, fits_a_word(GetParam()) ? 1 : kMoreThanEnough);
  }
}

TEST_P(MemoryAllocation, FailsWhereAnotherKeyIsForgotten) {
  const int allocations = fail_each(GetParam(), OnError::deny, 3, {.key = 4, .cost = 8});
  EXPECT_GE(allocations, fits_a_word(GetParam()) ? 0 : 2);
  EXPECT_LT(allocations, fits_a_word(GetParam()) ? 1 : kMoreThanEnough);
}

TEST_P(MemoryAllocation, FailsForAKnownKey) {
  const int allocations = fail_each(GetParam(), OnError::deny, 10, {.key = 1, .cost = 7});
  EXPECT_LT(allocations, kMoreThanEnough);
}

// A log of a thousand units outgrows what it was given at first.
TEST(MemoryAllocationOfALog, FailsWhereItGrows) {
  const SlidingWindowLog policy{1000, std::chrono::seconds(60)};
  const int allocations = fail_each(policy, OnError::deny, 10, {.key = 1, .cost = 998});
  EXPECT_GE(allocations, 1);
  EXPECT_LT(allocations, kMoreThanEnough);
}

TEST_P(MemoryAllocation, IsNotNeededByWhatChargesNothing) {
  const Scene scene(GetParam(), OnError::allow, 10);
  const std::string key = key_of(1);
  EXPECT_TRUE(scene.limiter->allow(key, limit_of(GetParam())));
  const FailingAllocation failing(0);
  EXPECT_FALSE(scene.limiter->allow(key));
  EXPECT_FALSE(scene.limiter->peek(key));
  EXPECT_TRUE(scene.limiter->allow(key, 0));
  EXPECT_EQ(scene.limiter->reset(key), Errc::ok);
  EXPECT_FALSE(failing.failed());
}

TEST_P(MemoryAllocation, FailsInMakingALimiter) {
  const std::string name(60, 'n');
  for (int successes = 0;; ++successes) {
    ASSERT_LT(successes, kMoreThanEnough);
    const auto backend = make_memory_backend().value();
    const FailingAllocation failing(successes);
    const auto limiter = backend->make_limiter(name, GetParam());
    if (!failing.failed()) {
      EXPECT_TRUE(limiter);
      EXPECT_GE(successes, 2);
      return;
    }
    ASSERT_FALSE(limiter);
    EXPECT_EQ(limiter.error().code, Errc::out_of_memory);
    EXPECT_TRUE(backend->make_limiter(name, GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, MemoryAllocation, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);
INSTANTIATE_TEST_SUITE_P(
    Odd, MemoryAllocation,
    ::testing::Values(Policy(TokenBucket{kOddLimit, 999'983, std::chrono::seconds(1)})), kind_name);

TEST(MemoryAllocationOfABackend, FailsInMakingIt) {
  for (int successes = 0;; ++successes) {
    ASSERT_LT(successes, kMoreThanEnough);
    const FailingAllocation failing(successes);
    const auto backend = make_memory_backend();
    if (!failing.failed()) {
      EXPECT_TRUE(backend);
      EXPECT_GE(successes, 1);
      return;
    }
    ASSERT_FALSE(backend);
    EXPECT_EQ(backend.error().code, Errc::out_of_memory);
  }
}

}  // namespace
}  // namespace ratelimit::testing
