// Blocks of memory for the logs, out of one region: a buddy allocator.
//
// A block's size is a power of 2 and its place a multiple of it, so each has one buddy to be halved
// from and to be joined with, and a region in which all blocks have been given back is whole again.
// Whatever sizes were asked for before, none is used up for good. What is known of a block is kept
// beside the region, where no log can be mistaken for it, and who owns it, so that a region can be
// cleared. Not thread safe. Takes and gives back in O(log size).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ratelimit::memory {

class BuddyPool {
 public:
  /// The smallest block, in bytes.
  static constexpr std::size_t kUnit = 64;

  static constexpr std::size_t kMostOwners = (std::size_t{1} << 56) - 1;

  /// A stretch of the region, from a multiple of kUnit on.
  struct Stretch {
    std::size_t start;
    std::size_t bytes;
  };

  /// A block that covers or begins in a stretch.
  struct Block : Stretch {
    bool is_taken;
  };

  /// How much memory a pool over `bytes` needs, with what it keeps beside: an eighth more.
  static std::size_t footprint(std::size_t bytes) noexcept;

  /// Requires: `memory` is zero, of footprint(bytes), aligned to kUnit, and outlives the pool;
  /// `bytes` is a multiple of kUnit.
  BuddyPool(std::byte* memory, std::size_t bytes) noexcept;

  /// A block of so many bytes; null: there is none. Requires: a power of 2, at least kUnit.
  std::byte* take(std::size_t bytes) noexcept;

  /// Requires: `block` was taken.
  void give_back(const std::byte* block) noexcept;

  /// Says for a block that was taken where its owner is: any number up to kMostOwners.
  void set_owner(const std::byte* block, std::size_t owner) noexcept {
    heads_[unit_of(block)].owner = owner & kMostOwners;
  }
  [[nodiscard]] std::size_t owner(const Block& block) const noexcept {
    return heads_[block.start / kUnit].owner;
  }

  /// The block that covers the byte at `offset`. Requires: a multiple of kUnit, below bytes().
  [[nodiscard]] Block block_at(std::size_t offset) const noexcept;

  [[nodiscard]] std::size_t bytes() const noexcept { return units_ * kUnit; }
  [[nodiscard]] std::byte* at(std::size_t offset) const noexcept { return memory_ + offset; }

 private:
  /// Where a free block stands in the list of those of its size; kept in the block.
  struct Link {
    std::size_t next;
    std::size_t previous;
  };
  static_assert(sizeof(Link) <= kUnit);

  /// What is known of the block that begins at a unit.
  struct Head {
    std::uint64_t owner : 56;  // where the block is taken
    std::uint64_t state : 8;   // 0 where no block begins, else its order + 1, and kTaken
  };

  static constexpr std::size_t kOrders = 48;
  static constexpr std::size_t kNone = ~std::size_t{0};

  [[nodiscard]] std::size_t unit_of(const std::byte* block) const noexcept {
    return static_cast<std::size_t>(block - memory_) / kUnit;
  }
  [[nodiscard]] Link link(std::size_t unit) const noexcept;
  void set_link(std::size_t unit, const Link& link) noexcept;
  void add_free(std::size_t unit, unsigned order) noexcept;
  void remove_free(std::size_t unit, unsigned order) noexcept;

  std::byte* memory_;
  std::size_t units_;
  Head* heads_;                            // one for each unit
  std::array<std::size_t, kOrders> free_;  // the first free block of each order, or kNone
};

}  // namespace ratelimit::memory
