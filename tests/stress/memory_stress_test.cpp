// The in-memory table, full, with many threads that insert, evict and charge.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "ratelimit/memory.hpp"
#include "stress/threads.hpp"

namespace ratelimit::testing {
namespace {

constexpr int kThreads = 16;
constexpr std::int64_t kRoom = 64;
constexpr std::uint64_t kPlaces = kRoom / 2 * 3;

TEST(MemoryStress, FloodOfKeysFromAllThreadsStaysBoundedAndSparesHeavyKeys) {
  const auto clock = std::make_shared<ManualClock>(TimePoint(std::chrono::seconds(1'700'000'000)));
  const auto backend = make_memory_backend({.clock = clock, .max_keys = kRoom}).value();
  const auto limiter =
      backend->make_limiter("test", TokenBucket{1000, 1, std::chrono::seconds(1)}).value();
  std::atomic<int> admitted = 0;
  on_threads(kThreads, [&](int number) {
    for (int call = 0; call < 2000; ++call) {
      const std::string light = std::to_string(number) + " " + std::to_string(call);
      EXPECT_TRUE(limiter->allow(light));
      admitted += limiter->allow("heavy", 10).allowed;
      EXPECT_LE(backend->statistics().keys, kPlaces);
    }
  });
  EXPECT_EQ(admitted, 100);
  EXPECT_EQ(backend->statistics().keys, kPlaces);
}

}  // namespace
}  // namespace ratelimit::testing
