// In memory no call allocates, whatever the policy and however full the table. What is made before
// the calls fails cleanly where any of its allocations does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
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
constexpr int kKeys = 200;

/// Too long to be kept inside a std::string.
std::vector<std::string> long_keys() {
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back(std::string(60, 'k') + std::to_string(i));
  return keys;
}

struct Scene {
  explicit Scene(const MemoryOptions& options)
      : clock(std::make_shared<ManualClock>(kStart)), backend([&] {
          MemoryOptions with_clock = options;
          with_clock.clock = clock;
          return make_memory_backend(with_clock).value();
        }()) {}

  [[nodiscard]] std::shared_ptr<Limiter> limiter(const Policy& policy) const {
    return backend->make_limiter("test", policy).value();
  }

  std::shared_ptr<ManualClock> clock;
  std::shared_ptr<Backend> backend;
};

/// All that may be asked, of keys that come, come again, grow, recover, and are forgotten.
void ask_everything(const Scene& scene, Limiter& limiter, const std::vector<std::string>& keys) {
  const std::int64_t most = limiter.peek(keys[0], 0).limit;
  for (const std::int64_t cost :
       {std::int64_t{1}, std::min<std::int64_t>(most, 300), most, most + 1}) {
    for (const std::string& key : keys) {
      (void)limiter.allow(key, std::min<std::int64_t>(cost, 1000));
      (void)limiter.peek(key, cost);
      (void)limiter.allow(key, 0);
    }
    scene.clock->advance(std::chrono::milliseconds(300));
    for (const std::string& key : keys) (void)limiter.allow(key);
    scene.clock->advance(-std::chrono::hours(20'000));
    for (const std::string& key : keys) (void)limiter.allow(key);
    for (std::size_t i = 0; i < keys.size(); i += 3) (void)limiter.reset(keys[i]);
    scene.clock->advance(std::chrono::hours(20'000));
  }
}

std::vector<Policy> all_policies() {
  std::vector<Policy> all = policies_of_all_sizes();
  for (const Policy& policy : policies_of_ten_a_minute()) all.push_back(policy);
  all.emplace_back(SlidingWindowLog{1000, std::chrono::seconds(1)});
  all.emplace_back(SlidingWindowLog{1000, std::chrono::hours(1)});
  return all;
}

TEST(MemoryAllocation, IsNotNeededByAnyCall) {
  const auto keys = long_keys();
  for (const MemoryOptions& options :
       {MemoryOptions{}, MemoryOptions{.max_keys = 50}, MemoryOptions{.log_bytes = 32'768}}) {
    for (const Policy& policy : all_policies()) {
      const Scene scene(options);
      const auto limiter = scene.limiter(policy);
      const std::int64_t before = allocations();
      ask_everything(scene, *limiter, keys);
      EXPECT_EQ(allocations(), before) << describe(policy);
      EXPECT_EQ(scene.backend->statistics().errors, 0U);
    }
  }
}

// With a window of another length the keys move to another table, one by one.
TEST(MemoryAllocation, IsNotNeededWhereAPolicyWasChanged) {
  const auto keys = long_keys();
  for (const Policy& policy : policies_of_ten_a_minute()) {
    const Scene scene({});
    const auto limiter = scene.limiter(policy);
    for (const std::string& key : keys) (void)limiter->allow(key);
    const auto changed = scene.limiter(with_span(policy, std::chrono::hours(2)));
    const std::int64_t before = allocations();
    ask_everything(scene, *changed, keys);
    ask_everything(scene, *limiter, keys);
    EXPECT_EQ(allocations(), before) << describe(policy);
  }
}

TEST(MemoryAllocation, IsCounted) {
  const std::int64_t before = allocations();
  const auto key = std::make_unique<std::string>(60, 'k');
  EXPECT_EQ(allocations(), before + 2) << *key;
}

class MakingALimiter : public ::testing::TestWithParam<Policy> {};

TEST_P(MakingALimiter, FailsCleanlyWhereAnAllocationDoes) {
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

INSTANTIATE_TEST_SUITE_P(Kinds, MakingALimiter, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

TEST(MakingABackend, FailsCleanlyWhereAnAllocationDoes) {
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
