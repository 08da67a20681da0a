// The pool of blocks, against a model of which bytes are whose.
#include "memory/buddy_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "memory/pages.hpp"

namespace ratelimit::testing {
namespace {

using memory::BuddyPool;
using memory::Pages;

constexpr std::size_t kUnit = BuddyPool::kUnit;

/// A pool with memory of its own. It fills each block that it takes with the block's number, and
/// expects to find that when it gives it back: so no two overlap.
class Scene {
 public:
  explicit Scene(std::size_t bytes)
      : pages_(BuddyPool::footprint(bytes)), pool_(static_cast<std::byte*>(pages_.data()), bytes) {}

  [[nodiscard]] BuddyPool& pool() { return pool_; }
  [[nodiscard]] std::size_t taken() const { return taken_.size(); }

  bool take(std::size_t bytes) {
    std::byte* const block = pool_.take(bytes);
    if (block == nullptr) return false;
    EXPECT_EQ(offset_of(block) % bytes, 0U);
    EXPECT_LE(offset_of(block) + bytes, pool_.bytes());
    const auto number = static_cast<std::uint32_t>(++last_);
    std::memset(block, static_cast<int>(number & 0xff), bytes);
    pool_.set_owner(block, number);
    EXPECT_TRUE(taken_.emplace(block, Taken{bytes, number}).second);
    return true;
  }

  void give_back(std::size_t nth) {
    const auto each = std::next(taken_.begin(), static_cast<std::ptrdiff_t>(nth));
    const Taken& block = each->second;
    const auto is_its = [&](std::byte byte) { return byte == std::byte(block.number & 0xff); };
    EXPECT_TRUE(std::all_of(each->first, each->first + block.bytes, is_its));
    pool_.give_back(each->first);
    taken_.erase(each);
  }

  /// Every byte is in exactly one block, and the pool knows whose it is.
  void expect_whole() const {
    std::size_t offset = 0;
    std::size_t seen = 0;
    while (offset < pool_.bytes()) {
      const BuddyPool::Block block = pool_.block_at(offset);
      ASSERT_EQ(block.start, offset);
      const BuddyPool::Block at_its_end = pool_.block_at(offset + block.bytes - kUnit);
      ASSERT_EQ(at_its_end.start, offset);
      const auto mine = taken_.find(pool_.at(offset));
      ASSERT_EQ(block.is_taken, mine != taken_.end());
      if (block.is_taken) {
        ++seen;
        ASSERT_EQ(block.bytes, mine->second.bytes);
        ASSERT_EQ(pool_.owner(block), mine->second.number);
      }
      offset += block.bytes;
    }
    ASSERT_EQ(seen, taken_.size());
  }

 private:
  struct Taken {
    std::size_t bytes;
    std::uint32_t number;
  };

  [[nodiscard]] std::size_t offset_of(const std::byte* block) const {
    return static_cast<std::size_t>(block - pool_.at(0));
  }

  Pages pages_;
  BuddyPool pool_;
  std::map<std::byte*, Taken> taken_;
  std::uint64_t last_ = 0;
};

TEST(BuddyPool, GivesNoByteTwiceAndJoinsAllThatComesBack) {
  std::mt19937_64 bits(1);
  for (const std::size_t bytes : {kUnit, 16 * kUnit, 77 * kUnit, 1000 * kUnit, 4096 * kUnit}) {
    Scene scene(bytes);
    for (int step = 0; step < 20'000; ++step) {
      if (bits() % 16 < 9) {
        (void)scene.take(kUnit << bits() % 8);
      } else if (scene.taken() > 0) {
        scene.give_back(bits() % scene.taken());
      }
      if (step % 64 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(scene.expect_whole());
    }
    while (scene.taken() > 0) scene.give_back(bits() % scene.taken());
    ASSERT_NO_FATAL_FAILURE(scene.expect_whole());
    EXPECT_TRUE(scene.take(std::bit_floor(bytes))) << "whole again";
  }
}

TEST(BuddyPool, IsUsedToTheLastUnit) {
  for (const std::size_t units : {1U, 2U, 3U, 64U, 100U, 127U}) {
    Scene scene(units * kUnit);
    for (std::size_t i = 0; i < units; ++i) EXPECT_TRUE(scene.take(kUnit)) << i;
    EXPECT_FALSE(scene.take(kUnit));
    scene.give_back(units / 2);
    EXPECT_FALSE(scene.take(2 * kUnit));
    EXPECT_TRUE(scene.take(kUnit));
  }
}

TEST(BuddyPool, GivesNothingLargerThanItIs) {
  Scene scene(64 * kUnit);
  EXPECT_FALSE(scene.take(128 * kUnit));
  EXPECT_FALSE(scene.take(std::size_t{1} << 40));
  EXPECT_TRUE(scene.take(64 * kUnit));
  EXPECT_FALSE(scene.take(kUnit));
}

// Small blocks everywhere, every other one given back: half is free and none of it large. With one
// region cleared there is a large one.
TEST(BuddyPool, AClearedRegionIsOneBlock) {
  Scene scene(64 * kUnit);
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(scene.take(kUnit));
  for (std::size_t i = 0; i < 32; ++i) scene.give_back(i);
  EXPECT_FALSE(scene.take(2 * kUnit));
  for (int i = 0; i < 8; ++i) scene.give_back(8);
  ASSERT_NO_FATAL_FAILURE(scene.expect_whole());
  EXPECT_EQ(scene.pool().block_at(20 * kUnit).bytes, 16 * kUnit);
  EXPECT_TRUE(scene.take(16 * kUnit));
}

}  // namespace
}  // namespace ratelimit::testing
