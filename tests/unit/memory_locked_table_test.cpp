// The table behind locks: logs and policies of unusual numbers. How many keys it holds, who goes
// where there is no room, and how much memory logs may take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "ratelimit/memory.hpp"
#include "support/oracle.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr TimePoint kStart(seconds(1'700'000'000));

/// The smallest table has as many slots as one key has in reach: all its keys meet.
constexpr std::int64_t kSlots = 16;

/// A backend, its clock, and a limiter whose states do not fit a word.
struct Room {
  Room(const Policy& policy, MemoryOptions options) : clock(std::make_shared<ManualClock>(kStart)) {
    options.clock = clock;
    backend = make_memory_backend(options).value();
    limiter = backend->make_limiter("test", policy).value();
  }

  [[nodiscard]] std::int64_t left(const std::string& key) const {
    return limiter->peek(key, 0).remaining;
  }
  [[nodiscard]] std::uint64_t forgotten() const { return backend->statistics().forgotten; }
  [[nodiscard]] std::uint64_t forgotten_debt() const {
    return backend->statistics().forgotten_debt;
  }

  std::shared_ptr<ManualClock> clock;
  std::shared_ptr<Backend> backend;
  std::shared_ptr<Limiter> limiter;
};

constexpr Policy kLog = SlidingWindowLog{10, seconds(60)};
constexpr Policy kOddBucket = TokenBucket{10, 999'983, seconds(1)};

class LockedTableOf : public ::testing::TestWithParam<Policy> {};

TEST_P(LockedTableOf, HoldsAllTheKeysItIsMadeFor) {
  for (const std::int64_t keys : {1, 2, 3, 10, 12, 13, 50, 1000, 5000, 200'000}) {
    const Room room(GetParam(), {.max_keys = keys});
    for (std::int64_t key = 0; key < keys; ++key) {
      ASSERT_TRUE(room.limiter->allow(std::to_string(key), 10));
    }
    EXPECT_EQ(room.forgotten(), 0U) << "of " << keys;
    EXPECT_EQ(room.backend->statistics().keys, static_cast<std::uint64_t>(keys));
    std::int64_t lost = 0;
    for (std::int64_t key = 0; key < keys; ++key) lost += room.left(std::to_string(key)) != 0;
    EXPECT_EQ(lost, 0) << "of " << keys;
  }
}

TEST_P(LockedTableOf, FloodOfKeysDoesNotGrowIt) {
  const Room room(GetParam(), {.max_keys = 1000});
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i)));
  const Statistics statistics = room.backend->statistics();
  EXPECT_LE(statistics.keys, 1344U);
  EXPECT_GE(statistics.keys, 1300U) << "all slots are used";
  EXPECT_EQ(statistics.keys + statistics.forgotten, 20'000U);
}

TEST_P(LockedTableOf, KeepsNoKeyForWhatChargesNothing) {
  const Room room(GetParam(), {});
  (void)room.limiter->peek("a", 3);
  (void)room.limiter->allow("a", 0);
  (void)room.limiter->allow("a", 11);
  EXPECT_EQ(room.limiter->reset("a"), Errc::ok);
  EXPECT_EQ(room.backend->statistics().keys, 0U);
  EXPECT_TRUE(room.limiter->allow("a", 10));
  EXPECT_EQ(room.backend->statistics().keys, 1U);
  EXPECT_EQ(room.limiter->reset("a"), Errc::ok);
  EXPECT_EQ(room.backend->statistics().keys, 0U);
  EXPECT_EQ(room.left("a"), 10);
}

INSTANTIATE_TEST_SUITE_P(Each, LockedTableOf, ::testing::Values(kLog, kOddBucket), kind_name);

TEST(LockedTable, ForgetsFirstWhatAWildClockLeft) {
  const Room room(kLog, {.max_keys = 1});
  room.clock->advance(hours(300'000));
  for (int i = 0; i < 2 * kSlots; ++i) EXPECT_TRUE(room.limiter->allow("wild" + std::to_string(i)));
  room.clock->advance(-hours(300'000));
  const std::uint64_t before = room.forgotten_debt();
  for (int i = 0; i < kSlots; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i), 10));
  EXPECT_EQ(room.forgotten_debt(), before);
  for (int i = 0; i < kSlots; ++i) EXPECT_EQ(room.left(std::to_string(i)), 0);
}

/// What is known of a key: its own history since it was last forgotten.
struct Known {
  Oracle oracle;
  TimePoint recovers;
};

// Any schedule over more keys than fit: every decision is that of the key's own history since it
// was last forgotten, and whoever is forgotten was the first to recover.
TEST(LockedTable, ForgetsInTheOrderOfRecovery) {
  EXPECT_TRUE(rc::check([] {
    const Room room(kLog, {.max_keys = 1});
    std::map<std::string, Known> known;
    const auto schedule = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
        300, rc::gen::tuple(rc::gen::inRange(0, 30), rc::gen::inRange(0, 12),
                            rc::gen::inRange(1, 5'000'000)));
    for (const auto& [number, cost, wait] : schedule) {
      room.clock->advance(Duration(wait));
      const TimePoint now = room.clock->now();
      const std::string key = std::to_string(number);
      std::erase_if(known, [&](const auto& each) { return each.second.recovers <= now; });
      Oracle oracle = known.count(key) != 0 ? known.at(key).oracle : Oracle(kLog);
      const Decision expected = oracle.ask({now, TraceOp::allow, cost});
      RC_ASSERT(same(room.limiter->allow(key, cost), expected));
      if (!expected.allowed || cost == 0) continue;
      known.insert_or_assign(key, Known{oracle, now + expected.reset_after});
      if (known.size() <= kSlots) continue;
      known.erase(std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        if (a.first == key || b.first == key) return a.first != key;
        return a.second.recovers < b.second.recovers;
      }));
      RC_ASSERT(room.backend->statistics().keys == std::uint64_t{kSlots});
    }
  }));
}

// --- the memory for logs -------------------------------------------------------------------------

constexpr std::int64_t kFewBytes = 4096;
constexpr std::int64_t kSmallLogs = kFewBytes / 64;

TEST(LogMemory, IsBounded) {
  for (const std::int64_t bad : {std::int64_t{4095}, (std::int64_t{1} << 40) + 1}) {
    const auto backend = make_memory_backend({.log_bytes = bad});
    ASSERT_FALSE(backend);
    EXPECT_EQ(backend.error().code, Errc::invalid_argument);
    EXPECT_THAT(backend.error().message,
                HasSubstr("MemoryOptions.log_bytes is " + std::to_string(bad)));
  }
  EXPECT_TRUE(make_memory_backend({.log_bytes = 4096}));
  EXPECT_TRUE(make_memory_backend({.log_bytes = 4097}));
}

TEST(LogMemory, RefusesALogThatMightNotFit) {
  const auto backend = make_memory_backend({.log_bytes = kFewBytes}).value();
  EXPECT_TRUE(backend->make_limiter("test", SlidingWindowLog{256, seconds(1)}));
  const auto refused = backend->make_limiter("test", SlidingWindowLog{257, seconds(1)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  for (const char* part : {"MemoryOptions.log_bytes", "is 4096", "2048", "must be at least 8192"}) {
    EXPECT_THAT(refused.error().message, HasSubstr(part));
  }
}

// What a refusal says would do does, and less does not.
TEST(LogMemory, RefusalsNameTheLeastThatWouldDo) {
  const LimiterOptions any{.log_cap = 10'000'000};
  for (const std::int64_t max_keys : {1, 5000, 1'000'000}) {
    for (std::int64_t limit = 300; limit < 10'000'000; limit *= 5) {
      const Policy policy = SlidingWindowLog{limit, seconds(1)};
      const auto refused = make_memory_backend({.max_keys = max_keys, .log_bytes = kFewBytes})
                               .value()
                               ->make_limiter("test", policy, any);
      ASSERT_FALSE(refused);
      const std::string& text = refused.error().message;
      const std::int64_t least = std::stoll(text.substr(text.rfind(' ') + 1));
      EXPECT_TRUE(make_memory_backend({.max_keys = max_keys, .log_bytes = least})
                      .value()
                      ->make_limiter("test", policy, any));
      EXPECT_FALSE(make_memory_backend({.max_keys = max_keys, .log_bytes = least - 1})
                       .value()
                       ->make_limiter("test", policy, any));
    }
  }
}

TEST(LogMemory, HasRoomForTheLargestLogsAsItIsAndForLargerOnesOnDemand) {
  const auto usual = make_memory_backend().value();
  EXPECT_TRUE(usual->make_limiter("test", SlidingWindowLog{100'000, hours(366 * 24)}));
  EXPECT_TRUE(
      usual->make_limiter("test", SlidingWindowLog{262'144, hours(1)}, {.log_cap = 262'144}));
  const LimiterOptions most{.log_cap = 10'000'000};
  const auto refused = usual->make_limiter("test", SlidingWindowLog{10'000'000, hours(1)}, most);
  ASSERT_FALSE(refused);
  const Room room(SlidingWindowLog{1, hours(1)}, {.log_bytes = std::int64_t{1} << 34});
  EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(std::int64_t{1} << 34)));
  const auto limiter =
      room.backend->make_limiter("test", SlidingWindowLog{10'000'000, hours(1)}, most).value();
  EXPECT_TRUE(limiter->allow("a", 5'000'000));
  room.clock->advance(seconds(1));
  EXPECT_TRUE(limiter->allow("a", 5'000'000));
  EXPECT_EQ(limiter->allow("a").retry_after, hours(1) - seconds(1));
}

TEST(LogMemory, RecoveredLogsMakeRoom) {
  const Room room(kLog, {.log_bytes = kFewBytes});
  for (int i = 0; i < kSmallLogs; ++i) EXPECT_TRUE(room.limiter->allow("old" + std::to_string(i)));
  EXPECT_EQ(room.forgotten(), 0U) << "each takes 64 bytes";
  room.clock->advance(seconds(60));
  for (int i = 0; i < kSmallLogs; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i), 10));
  EXPECT_EQ(room.forgotten_debt(), 0U);
  EXPECT_EQ(room.forgotten(), static_cast<std::uint64_t>(kSmallLogs));
  for (int i = 0; i < kSmallLogs; ++i) EXPECT_EQ(room.left(std::to_string(i)), 0);
}

// Of two generations of logs, the older goes; the bound on what is looked at is larger than either.
TEST(LogMemory, LogsThatRecoverFirstMakeRoomWhereNoneHas) {
  const Room room(SlidingWindowLog{256, seconds(60)}, {.log_bytes = kFewBytes});
  for (int i = 0; i < 8; ++i) {
    room.clock->advance(milliseconds(1));
    EXPECT_TRUE(room.limiter->allow(std::to_string(i), 128));
  }
  EXPECT_EQ(room.forgotten(), 0U) << "each takes 512 bytes";
  for (int i = 8; i < 12; ++i) {
    room.clock->advance(milliseconds(1));
    EXPECT_TRUE(room.limiter->allow(std::to_string(i), 128));
  }
  EXPECT_EQ(room.forgotten_debt(), 4U);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(room.left(std::to_string(i)), i < 4 ? 256 : 128) << i;
}

// Memory full of the smallest logs has no room for a large one in any place; only those go that lie
// where it comes to lie.
TEST(LogMemory, ALogGrowsAmongSmallOnesAtTheCostOfAsManyBytes) {
  const Room room(SlidingWindowLog{256, seconds(60)}, {.log_bytes = kFewBytes});
  for (int i = 1; i < kSmallLogs; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i)));
  std::int64_t admitted = 0;
  for (int i = 0; i < 300; ++i) admitted += room.limiter->allow("grows").allowed;
  EXPECT_EQ(admitted, 256);
  EXPECT_EQ(room.left("grows"), 0);
  // While it grows to 128, 256, 512 and 1024 bytes.
  EXPECT_LE(room.forgotten(), std::uint64_t{2 + 4 + 8 + 16});
  for (int i = 1; i < kSmallLogs; ++i) (void)room.limiter->reset(std::to_string(i));
  (void)room.limiter->reset("grows");
  const std::uint64_t before = room.forgotten();
  for (int i = 0; i < kSmallLogs; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i)));
  EXPECT_EQ(room.forgotten(), before) << "no memory is lost";
}

// Wherever it lies among others, a log that recovers long after them is not the one to go.
TEST(LogMemory, ALogThatRecoversLastStays) {
  for (int position = 0; position < kSmallLogs; ++position) {
    const Room room(SlidingWindowLog{256, seconds(60)}, {.log_bytes = kFewBytes});
    const auto lasting =
        room.backend->make_limiter("lasting", SlidingWindowLog{1, hours(1)}).value();
    for (int i = 0; i < kSmallLogs; ++i) {
      EXPECT_TRUE((i == position ? lasting : room.limiter)->allow(std::to_string(i)));
    }
    EXPECT_TRUE(room.limiter->allow("large", 256));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(room.limiter->allow("small" + std::to_string(i)));
    EXPECT_FALSE(lasting->allow(std::to_string(position))) << position;
  }
}

TEST(LogMemory, IsGivenBackByReset) {
  const Room room(SlidingWindowLog{256, seconds(60)}, {.log_bytes = kFewBytes});
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    EXPECT_TRUE(room.limiter->allow(key, 100));
    EXPECT_TRUE(room.limiter->allow(key, 156));
    EXPECT_EQ(room.limiter->reset(key), Errc::ok);
  }
  EXPECT_EQ(room.forgotten(), 0U);
}

// Logs of all sizes, far more than fit: each decision is that of the key's whole history, or of one
// that began later, as when it was forgotten in between.
TEST(LogMemory, WhoIsNotForgottenIsExact) {
  constexpr std::int64_t kLimit = 200;
  const Policy policy = SlidingWindowLog{kLimit, seconds(60)};
  const Room room(policy, {.max_keys = 100, .log_bytes = 2 * kFewBytes});
  std::map<std::string, Oracle> known;
  std::mt19937_64 bits(1);
  std::uint64_t begun_again = 0;
  for (int step = 0; step < 30'000; ++step) {
    room.clock->advance(Duration(static_cast<std::int64_t>(bits() % 100'000)));
    const std::string key = std::to_string(bits() % 60);
    const auto cost = static_cast<std::int64_t>(1 + bits() % (bits() % 8 == 0 ? 100 : 4));
    Oracle& oracle = known.try_emplace(key, policy).first->second;
    const Question question{room.clock->now(), TraceOp::allow, cost};
    const Decision decision = room.limiter->allow(key, cost);
    if (same(decision, oracle.ask(question))) continue;
    ++begun_again;
    oracle = Oracle(policy);
    ASSERT_TRUE(same(decision, oracle.ask(question))) << key;
  }
  EXPECT_GT(begun_again, 0U);
  EXPECT_LE(begun_again, room.forgotten_debt());
}

// --- policies that are changed -------------------------------------------------------------------

// A window of an hour needs wider times than one of a minute: what is owed is the same.
TEST(LogOfAChangedPolicy, KeepsWhatIsOwedInTimesOfEitherWidth) {
  const Room room(kLog, {});
  const auto slow = room.backend->make_limiter("test", SlidingWindowLog{20, hours(2)}).value();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(room.limiter->allow("a"));
    room.clock->advance(seconds(1));
  }
  EXPECT_EQ(room.limiter->allow("a").retry_after, seconds(50));
  EXPECT_EQ(slow->allow("a", 10).remaining, 0);
  EXPECT_EQ(slow->allow("a").retry_after, hours(2) - seconds(10));
  EXPECT_EQ(room.limiter->allow("a").retry_after, seconds(60)) << "20 of 10 in the last minute";
  room.clock->advance(hours(1));
  EXPECT_EQ(room.limiter->allow("a", 10).remaining, 0);
  EXPECT_EQ(slow->peek("a").remaining, 10) << "the shorter window let go of what it need not know";
  EXPECT_EQ(slow->allow("a", 10).remaining, 0);
}

// Also where there would be room enough without making the times wider.
TEST(LogOfAChangedPolicy, IsExactOverALongerWindow) {
  const Room room(SlidingWindowLog{5, seconds(60)}, {});
  EXPECT_TRUE(room.limiter->allow("a"));
  const auto slow = room.backend->make_limiter("test", SlidingWindowLog{3, hours(3)}).value();
  for (int i = 0; i < 2; ++i) {
    room.clock->advance(hours(1));
    EXPECT_TRUE(slow->allow("a"));
  }
  room.clock->advance(seconds(1));
  EXPECT_EQ(slow->allow("a").retry_after, hours(1) - seconds(1));
}

// A bucket's keys move here, one by one, when a limiter comes whose states do not fit a word.
TEST(KeysOfAChangedPolicy, ComeWithWhatTheyOwe) {
  const Room room(TokenBucket{10, 1, seconds(1)}, {});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i), 9));
  const auto odd = room.backend->make_limiter("test", kOddBucket).value();
  for (int i = 0; i < 100; i += 2) {
    EXPECT_LT(odd->peek(std::to_string(i)).remaining, 1);
    EXPECT_TRUE(room.limiter->allow(std::to_string(i))) << "comes over";
    EXPECT_FALSE(room.limiter->allow(std::to_string(i)));
  }
  EXPECT_EQ(room.backend->statistics().keys, 100U);
  for (int i = 1; i < 100; i += 2) EXPECT_EQ(room.left(std::to_string(i)), 1);
}

}  // namespace
}  // namespace ratelimit::testing
