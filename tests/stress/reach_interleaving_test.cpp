// How keys come to their places in memory, in every order of a few threads' steps: a key never has
// two places, nobody is admitted too often, and no claim is left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "memory/reach.hpp"
#include "policy/token_bucket.hpp"
#include "ratelimit/memory.hpp"
#include "stress/interleavings.hpp"
#include "support/environment.hpp"

namespace ratelimit::testing {
namespace {

using memory::Cell;
using memory::kClaimed;
using policy::TokenBucketRule;

constexpr Micros kNow = 1'700'000'000'000'000;
constexpr std::uint64_t kKey = 7;
constexpr std::uint64_t kOther = 8;
constexpr std::int64_t kCapacity = 2;

/// A place each access to which is a step.
class SteppedPlace {
 public:
  [[nodiscard]] std::uint64_t tag() const { return load().tag; }
  [[nodiscard]] std::uint64_t word() const { return load().word; }
  [[nodiscard]] Cell load() const {
    step();
    return cell_;
  }
  bool replace(const Cell& now, const Cell& next) {
    step();
    if (cell_ != now) return false;
    cell_ = next;
    return true;
  }

  /// Without a step.
  [[nodiscard]] Cell seen() const { return cell_; }
  void put(const Cell& cell) { cell_ = cell; }

 private:
  Cell cell_{0, 0};
};

using Set = memory::BasicSet<SteppedPlace, 1>;
using Reach = memory::Reach<Set>;

/// Three places, which both keys have in reach, each in an order of its own.
class Scene {
 public:
  explicit Scene(WhenFull when_full) {
    if (when_full == WhenFull::inherit) {
      for (std::size_t i = 0; i < 3; ++i) floors_[i] = &all_floors_[i];
    }
  }

  /// Every place is taken by a key that owes this long.
  void fill(Micros owed) {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      sets_[i].places[0].put({100 + i, policy::word_at(kNow + owed + static_cast<Micros>(i))});
    }
  }

  /// Asks for one unit, once or more often. Returns how many were allowed.
  std::int64_t ask(std::uint64_t key, int times) {
    std::int64_t allowed = 0;
    for (int i = 0; i < times; ++i) {
      const policy::Call call{policy::Op::charge, kNow, 1};
      const auto view = reach(key).apply(rule_, packing_, call);
      allowed += rule_.judge(view, call).allowed ? 1 : 0;
    }
    return allowed;
  }

  void forget(std::uint64_t key) { reach(key).erase(); }

  [[nodiscard]] int places_of(std::uint64_t tag) const {
    int places = 0;
    for (const Set& set : sets_) places += set.places[0].seen().tag == tag ? 1 : 0;
    return places;
  }

 private:
  Reach reach(std::uint64_t key) {
    const std::size_t shift = key == kKey ? 0 : 1;
    Reach::Sets sets{};
    for (std::size_t i = 0; i < 3; ++i) {
      sets.sets[i] = &sets_[(i + shift) % 3];
      sets.floors[i] = floors_[(i + shift) % 3];
    }
    return {key, 0, sets, rule_.longest_wait(), tally_};
  }

  std::array<Set, 3> sets_;
  std::array<SteppedPlace, 3> all_floors_;
  std::array<SteppedPlace*, 3> floors_{};
  memory::Tally tally_;
  TokenBucketRule rule_{TokenBucket{kCapacity, 1, std::chrono::seconds(1)}};
  TokenBucketRule::Packing packing_{1};
};

/// What one thread does, and what it was allowed.
using Body = std::function<std::int64_t(Scene&)>;

/// How much of the key, over all threads.
enum class Allowed : std::uint8_t { anything, up_to_the_capacity, the_capacity };

struct Case {
  std::string name;
  Micros owed;  // by those who have the places at first; below 0: nobody
  std::vector<Body> bodies;
  int switches;
  Allowed allowed;
  WhenFull when_full = WhenFull::forget;

  friend std::ostream& operator<<(std::ostream& out, const Case& each) { return out << each.name; }
};

Body ask(std::uint64_t key, int times) {
  return [=](Scene& scene) { return scene.ask(key, times); };
}

class ReachInterleaving : public ::testing::TestWithParam<Case> {};

TEST_P(ReachInterleaving, KeepsOnePlaceAndTheLimit) {
  const Case& param = GetParam();
  const int more = std::stoi(environment("RATELIMIT_MORE_SWITCHES", "0"));  // may be negative
  const int switches = std::max(0, param.switches + more);
  const std::size_t count = for_each_schedule(
      param.bodies.size(), static_cast<std::size_t>(switches), [&](const Schedule& schedule) {
        Scene scene(param.when_full);
        if (param.owed >= 0) scene.fill(param.owed);
        std::int64_t allowed = 0;
        std::vector<std::function<void()>> bodies;
        for (const Body& body : param.bodies) bodies.emplace_back([&] { allowed += body(scene); });
        const std::size_t steps = run_schedule(bodies, schedule);
        EXPECT_LE(scene.places_of(kKey), 1);
        EXPECT_LE(scene.places_of(kOther), 1);
        EXPECT_EQ(scene.places_of(kKey | kClaimed), 0);
        EXPECT_EQ(scene.places_of(kOther | kClaimed), 0);
        if (param.allowed != Allowed::anything) {
          EXPECT_LE(allowed, kCapacity);
        }
        if (param.allowed == Allowed::the_capacity) {
          EXPECT_EQ(allowed, kCapacity);
        }
        return steps;
      });
  RecordProperty("schedules", std::to_string(count));
}

/// Asks for the other key, which counts for nothing.
Body disturb(int times) {
  return [=](Scene& scene) {
    (void)scene.ask(kOther, times);
    return 0;
  };
}

/// Brings as many others as there are places, each of which owes more than the key does at first.
Body crowd() {
  return [](Scene& scene) {
    for (std::uint64_t other = kOther; other < kOther + 3; ++other) {
      (void)scene.ask(other, kCapacity);
    }
    return 0;
  };
}

Body forget(std::uint64_t key) {
  return [=](Scene& scene) {
    scene.forget(key);
    return 0;
  };
}

INSTANTIATE_TEST_SUITE_P(
    Each, ReachInterleaving,
    ::testing::Values(
        Case{"two_bring_a_key", -1, {ask(kKey, 2), ask(kKey, 2)}, 3, Allowed::the_capacity},
        Case{"three_bring_a_key",
             -1,
             {ask(kKey, 1), ask(kKey, 1), ask(kKey, 1)},
             2,
             Allowed::the_capacity},
        Case{"two_bring_a_key_among_others",
             0,
             {ask(kKey, 2), ask(kKey, 1), disturb(1)},
             2,
             Allowed::the_capacity},
        Case{"two_bring_a_key_and_one_forgets_it",
             -1,
             {ask(kKey, 1), ask(kKey, 1), forget(kKey)},
             2,
             Allowed::the_capacity},
        Case{"a_key_comes_and_goes",
             500'000,
             {ask(kKey, 2), ask(kKey, 1), disturb(3)},
             2,
             Allowed::anything},
        Case{"a_key_comes_back_and_inherits",
             -1,
             {ask(kKey, 1), ask(kKey, 2), crowd()},
             2,
             Allowed::up_to_the_capacity,
             WhenFull::inherit},
        Case{"a_key_inherits_from_others",
             500'000,
             {ask(kKey, 2), ask(kKey, 1), disturb(3)},
             2,
             Allowed::up_to_the_capacity,
             WhenFull::inherit}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace ratelimit::testing
