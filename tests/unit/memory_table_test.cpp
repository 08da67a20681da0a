// The bound on keys in memory: who is forgotten when there is no room, and what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ratelimit/memory.hpp"
#include "support/oracle.hpp"
#include "support/policies.hpp"
#include "unit/generators.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr TimePoint kStart(seconds(1'700'000'000));

/// The smallest table has as many places as one key has in reach: all its keys meet.
constexpr std::int64_t kPlaces = 24;

/// The same of the table behind locks.
constexpr std::int64_t kSlots = 16;

/// A backend of the smallest table, its clock, and a limiter of ten units, one a second.
struct Room {
  explicit Room(WhenFull when_full = WhenFull::forget)
      : clock(std::make_shared<ManualClock>(kStart)),
        backend(
            make_memory_backend({.clock = clock, .max_keys = 1, .when_full = when_full}).value()),
        limiter(backend->make_limiter("test", TokenBucket{10, 1, seconds(1)}).value()) {}

  /// Fills all but `places` with keys that owe ten units.
  void fill_but(std::int64_t places) const {
    for (std::int64_t i = places; i < kPlaces; ++i) {
      EXPECT_TRUE(limiter->allow("filler " + std::to_string(i), 10));
    }
  }

  [[nodiscard]] std::int64_t left(std::string_view key) const {
    return limiter->peek(key, 0).remaining;
  }

  std::shared_ptr<ManualClock> clock;
  std::shared_ptr<Backend> backend;
  std::shared_ptr<Limiter> limiter;
};

TEST(MemoryTable, BoundIsPositive) {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-3}}) {
    const auto backend = make_memory_backend({.max_keys = bad});
    ASSERT_FALSE(backend);
    EXPECT_EQ(backend.error().code, Errc::invalid_argument);
    EXPECT_THAT(backend.error().message,
                AllOf(HasSubstr("MemoryOptions.max_keys"), HasSubstr(std::to_string(bad)),
                      HasSubstr("at least 1")));
  }
  EXPECT_TRUE(make_memory_backend({.max_keys = 1}));
  EXPECT_FALSE(make_memory_backend({.max_keys = (std::int64_t{1} << 40) + 1}));
}

TEST(MemoryTable, KeepsNoKeyForWhatChargesNothing) {
  const Room room;
  (void)room.limiter->peek("a", 3);
  (void)room.limiter->allow("a", 0);
  (void)room.limiter->allow("a", 11);
  (void)room.limiter->allow("a", -1);
  EXPECT_EQ(room.limiter->reset("a"), Errc::ok);
  EXPECT_EQ(room.backend->statistics().keys, 0U);
  (void)room.limiter->allow("a", 1);
  EXPECT_EQ(room.backend->statistics().keys, 1U);
  EXPECT_EQ(room.limiter->reset("a"), Errc::ok);
  EXPECT_EQ(room.backend->statistics().keys, 0U);
}

TEST(MemoryTable, ForgetsARecoveredKeyFirst) {
  const Room room;
  room.fill_but(3);
  (void)room.limiter->allow("indebted", 9);
  (void)room.limiter->allow("recovers", 2);
  (void)room.limiter->allow("indebted too", 8);
  room.clock->advance(seconds(2));
  (void)room.limiter->allow("new", 1);
  EXPECT_EQ(room.left("indebted"), 3);
  EXPECT_EQ(room.left("recovers"), 10);
  EXPECT_EQ(room.left("indebted too"), 4);
  EXPECT_EQ(room.left("new"), 9);
  const Statistics statistics = room.backend->statistics();
  EXPECT_EQ(statistics.keys, std::uint64_t{kPlaces});
  EXPECT_EQ(statistics.forgotten, 1U);
  EXPECT_EQ(statistics.forgotten_debt, 0U);
}

TEST(MemoryTable, ForgetsTheOneThatRecoversFirstWhereNoneHas) {
  const Room room;
  room.fill_but(3);
  (void)room.limiter->allow("nine", 9);
  (void)room.limiter->allow("two", 2);
  (void)room.limiter->allow("eight", 8);
  (void)room.limiter->allow("new", 5);
  EXPECT_EQ(room.left("nine"), 1);
  EXPECT_EQ(room.left("two"), 10) << "forgotten";
  EXPECT_EQ(room.left("eight"), 2);
  EXPECT_EQ(room.left("new"), 5);
  const Statistics statistics = room.backend->statistics();
  EXPECT_EQ(statistics.forgotten, 1U);
  EXPECT_EQ(statistics.forgotten_debt, 1U);
}

TEST(MemoryTable, SparesTheNewcomer) {
  const Room room;
  room.fill_but(2);
  (void)room.limiter->allow("nine", 9);
  (void)room.limiter->allow("eight", 8);
  (void)room.limiter->allow("new", 1);
  EXPECT_EQ(room.left("nine"), 1);
  EXPECT_EQ(room.left("eight"), 10) << "forgotten";
  EXPECT_EQ(room.left("new"), 9);
}

TEST(MemoryTable, WithOnePlaceForManyStillLimits) {
  const Room room;
  room.fill_but(1);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(room.limiter->allow("a"));
  EXPECT_TRUE(room.limiter->allow("b"));
  EXPECT_TRUE(room.limiter->allow("a", 10)) << "forgotten, which is the price of so little room";
  EXPECT_FALSE(room.limiter->allow("a"));
  EXPECT_EQ(room.backend->statistics().forgotten_debt, 2U);
}

// A clock that ran ahead for a while leaves states that look as if they would not recover for
// years.
TEST(MemoryTable, ForgetsFirstWhatAWildClockLeft) {
  for (const Policy& policy : policies_of_ten_a_minute()) {
    const Room room;
    const auto limiter = room.backend->make_limiter("test", policy).value();
    room.clock->advance(seconds(1'000'000'000));
    for (int i = 0; i < 2 * kPlaces; ++i) EXPECT_TRUE(limiter->allow("wild " + std::to_string(i)));
    room.clock->advance(-seconds(1'000'000'000));
    const std::uint64_t before = room.backend->statistics().forgotten_debt;
    EXPECT_TRUE(limiter->allow("a", 10));
    EXPECT_EQ(room.backend->statistics().forgotten_debt, before) << kind_of(policy);
    const int room_left = std::holds_alternative<SlidingWindowLog>(policy) ? kSlots - 1 : 20;
    for (int i = 0; i < room_left; ++i) EXPECT_TRUE(limiter->allow(std::to_string(i), 5));
    EXPECT_EQ(room.backend->statistics().forgotten_debt, before) << kind_of(policy);
    EXPECT_FALSE(limiter->allow("a")) << kind_of(policy);
  }
}

TEST(MemoryTable, BoundsTheKeysOfAllLimitersTogether) {
  const Room room;
  for (const Policy& policy : policies_of_ten_a_minute()) {
    const auto other = room.backend->make_limiter("test", policy).value();
    for (int key = 0; key < 20; ++key) EXPECT_TRUE(other->allow(std::to_string(key), 5));
  }
  const Statistics statistics = room.backend->statistics();
  EXPECT_EQ(statistics.keys, kPlaces + kSlots) << "the slots are for logs";
  EXPECT_EQ(statistics.forgotten, 100 - kPlaces - kSlots);
}

TEST(MemoryTable, FloodOfKeysDoesNotGrowIt) {
  const Room room;
  (void)room.limiter->allow("heavy", 10);
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(room.limiter->allow(std::to_string(i)));
  EXPECT_EQ(room.backend->statistics().keys, std::uint64_t{kPlaces});
  EXPECT_EQ(room.backend->statistics().forgotten, std::uint64_t{10'001 - kPlaces});
  EXPECT_FALSE(room.limiter->allow("heavy")) << "a flood of light keys resets no heavy one";
}

// So long that no instant is that far ahead.
TEST(MemoryTable, SparesDebtsBesideABucketThatDrainsForCenturies) {
  const Room room;
  const auto slow =
      room.backend->make_limiter("slow", TokenBucket{250, 1, hours(366 * 24)}).value();
  EXPECT_TRUE(slow->allow("a", 250));
  room.fill_but(1);
  EXPECT_TRUE(room.limiter->allow("two", 2));
  EXPECT_TRUE(room.limiter->allow("new", 1));
  EXPECT_EQ(room.left("two"), 10) << "recovers first";
  EXPECT_EQ(room.left("filler 1"), 0);
  EXPECT_EQ(room.backend->statistics().forgotten_debt, 1U);
  EXPECT_FALSE(slow->allow("a"));
}

TEST(MemoryTable, CountsWhatItHealed) {
  const Room room;
  (void)room.limiter->allow("a", 10);
  EXPECT_EQ(room.backend->statistics().healed, 0U);
  room.clock->advance(-seconds(3600));
  EXPECT_FALSE(room.limiter->allow("a"));
  EXPECT_EQ(room.backend->statistics().healed, 1U);
  room.clock->advance(seconds(10));
  EXPECT_TRUE(room.limiter->allow("a", 10)) << "locked for one span, no longer";
  EXPECT_EQ(room.backend->statistics().healed, 1U);
}

/// All but the log, whose states are kept apart.
std::vector<Policy> policies_that_inherit() {
  std::vector<Policy> all = policies_of_ten_a_minute();
  std::erase_if(
      all, [](const Policy& policy) { return std::holds_alternative<SlidingWindowLog>(policy); });
  return all;
}

/// How often more keys than fit are admitted where their own histories would not, under some
/// schedule.
int admitted_too_often(const Policy& policy, WhenFull when_full, unsigned seed) {
  constexpr int kKeys = 100;
  const Room room(when_full);
  const auto limiter = room.backend->make_limiter("test", policy).value();
  std::vector<Oracle> oracles(kKeys, Oracle(policy));
  std::mt19937 bits(seed);
  int too_often = 0;
  for (int i = 0; i < 5'000; ++i) {
    room.clock->advance(Duration(bits() % 500'000));
    const auto key = bits() % kKeys;
    const auto cost = static_cast<std::int64_t>(bits() % 6);
    if (!limiter->allow(std::to_string(key), cost)) continue;
    const Decision own = oracles[key].ask({room.clock->now(), TraceOp::allow, cost});
    too_often += own.allowed ? 0 : 1;
  }
  return too_often;
}

TEST(MemoryTable, AdmitsNobodyTooOftenWhereDebtsAreInherited) {
  for (const Policy& policy : policies_that_inherit()) {
    EXPECT_GT(admitted_too_often(policy, WhenFull::forget, 1), 0) << "or this shows nothing";
    for (unsigned seed = 1; seed <= 5; ++seed) {
      EXPECT_EQ(admitted_too_often(policy, WhenFull::inherit, seed), 0)
          << kind_of(policy) << " " << seed;
    }
  }
}

TEST(MemoryTable, DeniesNobodyForAnotherLongerThanASpan) {
  for (const Policy& policy : policies_that_inherit()) {
    const Room room(WhenFull::inherit);
    const auto longer = room.backend->make_limiter("longer", TokenBucket{10, 1, hours(1)}).value();
    const auto limiter = room.backend->make_limiter("test", policy).value();
    for (int i = 0; i < 4 * kPlaces; ++i) (void)longer->allow("flood " + std::to_string(i), 10);
    EXPECT_FALSE(limiter->allow("new", 10)) << kind_of(policy);
    EXPECT_FALSE(limiter->peek("new", 10)) << kind_of(policy);
    const bool has_two = std::holds_alternative<SlidingWindowCounter>(policy);
    room.clock->advance((has_two ? 2 : 1) * span_of(policy));
    EXPECT_TRUE(limiter->allow("new", 10)) << kind_of(policy);
  }
}

// The one who has to leave owes 8 of 10: so may whoever comes.
TEST(MemoryTable, StartsNewcomersWithTheDebtOfWhoLeft) {
  const Room room(WhenFull::inherit);
  room.fill_but(1);
  EXPECT_TRUE(room.limiter->allow("leaves", 8));
  EXPECT_EQ(room.left("comes"), 10) << "nobody has left yet";
  EXPECT_TRUE(room.limiter->allow("comes", 9)) << "nor was it who leaves now";
  EXPECT_EQ(room.left("comes"), 1);
  EXPECT_EQ(room.left("leaves"), 2);
  EXPECT_EQ(room.left("other"), 2) << "which may be who left";
  EXPECT_FALSE(room.limiter->allow("other", 3));
  EXPECT_EQ(room.backend->statistics().forgotten, 1U) << "nobody leaves for what is denied";
  room.clock->advance(-seconds(3));
  EXPECT_EQ(room.left("leaves"), 0) << "nor does a step back forgive";
  room.clock->advance(-seconds(3600));
  EXPECT_EQ(room.left("leaves"), 10) << "unless the clock ran wild before";
}

/// What is known of a key: its own history since it was last forgotten.
struct Known {
  Oracle oracle;
  TimePoint recovers;
};

// Any schedule over more keys than fit: every decision is that of the key's own history since it
// was last forgotten, and whoever is forgotten was the first to recover.
TEST(MemoryTable, ForgetsInTheOrderOfRecovery) {
  EXPECT_TRUE(rc::check([] {
    constexpr int kKeys = 40;
    const Policy policy = TokenBucket{10, 1, seconds(1)};
    const Room room;
    std::map<std::string, Known> known;
    const auto schedule = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
        300, rc::gen::tuple(rc::gen::inRange(0, kKeys), rc::gen::inRange(0, 12),
                            rc::gen::inRange(0, 100'000)));
    for (const auto& [number, cost, wait] : schedule) {
      room.clock->advance(Duration(wait));
      const TimePoint now = room.clock->now();
      const std::string key = std::to_string(number);
      std::erase_if(known, [&](const auto& each) { return each.second.recovers <= now; });
      Oracle oracle = known.count(key) != 0 ? known.at(key).oracle : Oracle(policy);
      const Decision expected = oracle.ask({now, TraceOp::allow, cost});
      RC_ASSERT(same(room.limiter->allow(key, cost), expected));
      if (!expected.allowed || cost == 0) continue;
      known.insert_or_assign(key, Known{oracle, now + expected.reset_after});
      if (known.size() <= kPlaces) continue;
      const auto sooner = [&](const auto& a, const auto& b) {
        if (a.first == key || b.first == key) return a.first != key;
        return a.second.recovers < b.second.recovers;
      };
      const auto first = std::min_element(known.begin(), known.end(), sooner);
      const auto ties = std::count_if(known.begin(), known.end(), [&](const auto& each) {
        return each.first != key && each.second.recovers == first->second.recovers;
      });
      if (ties > 1) return;  // of several that recover at one instant any may go
      known.erase(first);
      RC_ASSERT(room.backend->statistics().keys == std::uint64_t{kPlaces});
    }
  }));
}

}  // namespace
}  // namespace ratelimit::testing
