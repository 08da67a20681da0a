// The in-memory table, full, with many threads that insert, evict and charge.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "ratelimit/memory.hpp"
#include "stress/threads.hpp"
#include "support/environment.hpp"

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

// Threads that bring the same new keys at the same time: each key is admitted exactly as often as
// it may be, whichever thread finds it a place.
TEST(MemoryStress, KeysThatAllThreadsBringAtOnceKeepTheirLimits) {
  constexpr std::size_t kKeys = 20'000;
  constexpr int kBurst = 2;
  const int rounds = std::stoi(environment("RATELIMIT_ROUNDS", "40"));
  std::vector<std::string> keys(kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) keys[i] = "key " + std::to_string(i);
  const auto clock = std::make_shared<ManualClock>(TimePoint(std::chrono::seconds(1'700'000'000)));
  for (const int threads : {2, 8, 16}) {
    for (int round = 0; round < rounds; ++round) {
      const auto backend =
          make_memory_backend({.clock = clock, .max_keys = std::int64_t{2 * kKeys}}).value();
      const auto limiter =
          backend->make_limiter("test", TokenBucket{kBurst, 1, std::chrono::hours(1)}).value();
      std::vector<std::atomic<int>> admitted(kKeys);
      on_threads(threads, [&](int) {
        for (int again = 0; again < kBurst; ++again) {
          for (std::size_t i = 0; i < kKeys; ++i) admitted[i] += limiter->allow(keys[i]).allowed;
        }
      });
      const auto wrong = std::ranges::count_if(admitted, [](int count) { return count != kBurst; });
      ASSERT_EQ(wrong, 0) << threads << " threads, round " << round;
      ASSERT_EQ(backend->statistics().keys, kKeys);
    }
  }
}

// Logs that come, grow, recover, are forgotten and reset on all threads, in memory for a few of
// them. A log that is never crowded out, since it recovers last, admits exactly what it may.
TEST(MemoryStress, LogsOfAllThreadsShareLittleMemory) {
  constexpr std::int64_t kLimit = 500;
  const auto clock = std::make_shared<ManualClock>(TimePoint(std::chrono::seconds(1'700'000'000)));
  const auto backend =
      make_memory_backend({.clock = clock, .max_keys = 10'000, .log_bytes = 16 << 20}).value();
  const auto brief =
      backend->make_limiter("brief", SlidingWindowLog{kLimit, std::chrono::seconds(1)}).value();
  const auto lasting =
      backend->make_limiter("lasting", SlidingWindowLog{kLimit, std::chrono::hours(1)}).value();
  std::atomic<std::int64_t> admitted = 0;
  on_threads(kThreads, [&](int number) {
    for (int call = 0; call < 5000; ++call) {
      const std::string key = std::to_string((number * 5000 + call * 7) % 30'000);
      EXPECT_LE(brief->allow(key, 1 + call % 300).remaining, kLimit);
      (void)brief->peek(key);
      if (call % 5 == 0) (void)brief->reset(key);
      if (call % 100 == 0) clock->advance(Duration(1000));
      admitted += lasting->allow("heavy", 3).allowed ? 3 : 0;
    }
  });
  EXPECT_EQ(admitted, kLimit / 3 * 3);
  EXPECT_GT(backend->statistics().forgotten, 0U);
  EXPECT_LE(backend->statistics().keys, 14'000U);
}

// The same keys from all threads, of every policy that is kept behind locks: not one too many.
TEST(MemoryStress, KeysBehindLocksKeepTheirLimits) {
  constexpr int kKeys = 1000;
  constexpr int kBurst = 20;
  const std::vector<Policy> policies = {SlidingWindowLog{kBurst, std::chrono::hours(1)},
                                        TokenBucket{kBurst, 999'983, std::chrono::hours(100)}};
  for (const Policy& policy : policies) {
    const auto clock =
        std::make_shared<ManualClock>(TimePoint(std::chrono::seconds(1'700'000'000)));
    const auto backend = make_memory_backend({.clock = clock}).value();
    const auto limiter = backend->make_limiter("test", policy).value();
    std::vector<std::atomic<int>> admitted(kKeys);
    on_threads(kThreads, [&](int) {
      for (int again = 0; again < 2 * kBurst / kThreads + 1; ++again) {
        for (std::size_t i = 0; i < kKeys; ++i) {
          admitted[i] += limiter->allow(std::to_string(i)).allowed;
        }
      }
    });
    EXPECT_TRUE(std::ranges::all_of(admitted, [](int count) { return count == kBurst; }));
    EXPECT_EQ(backend->statistics().keys, std::uint64_t{kKeys});
  }
}

}  // namespace
}  // namespace ratelimit::testing
