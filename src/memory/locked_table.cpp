#include "memory/locked_table.hpp"

#include <algorithm>
#include <span>

namespace ratelimit::memory {
namespace {

constexpr std::int64_t kMostShards = 64;
constexpr std::int64_t kWorthAShard =
    2048;  // keys: of these chance gives no shard a fifth too many
constexpr std::int64_t kWorthALock = std::int64_t{4} << 20;  // bytes of logs

std::int64_t most_shards(const Bounds& bounds) {
  return std::clamp<std::int64_t>(bounds.keys / kWorthAShard, 1, kMostShards);
}

std::int64_t shards_for(const Bounds& bounds) {
  return std::clamp<std::int64_t>(bounds.log_bytes / kWorthALock, 1, most_shards(bounds));
}

/// Sets for one shard: four slots for three keys, in an even number of sets.
std::size_t sets_for(const Bounds& bounds) {
  constexpr std::int64_t kSlotsInPair = 2 * SlotSet::kSize;
  const std::int64_t keys = (bounds.keys + shards_for(bounds) - 1) / shards_for(bounds);
  const std::int64_t slots = keys + (keys + 2) / 3;
  return 2 * static_cast<std::size_t>((slots + kSlotsInPair - 1) / kSlotsInPair);
}

std::size_t share_for(const Bounds& bounds) {
  const auto share = static_cast<std::size_t>(bounds.log_bytes / shards_for(bounds));
  return share / BuddyPool::kUnit * BuddyPool::kUnit;
}

}  // namespace

LockedTable::LockedTable(const Bounds& bounds, Tally& tally)
    : most_shards_(most_shards(bounds)),
      share_(share_for(bounds)),
      slots_(static_cast<std::size_t>(shards_for(bounds)) * sets_for(bounds) * sizeof(SlotSet),
             Use::sparse),
      logs_(static_cast<std::size_t>(shards_for(bounds)) * BuddyPool::footprint(share_),
            Use::sparse),
      tally_(tally) {
  const std::size_t sets = sets_for(bounds);
  auto* slots = static_cast<SlotSet*>(slots_.data());
  auto* logs = static_cast<std::byte*>(logs_.data());
  for (std::int64_t i = 0; i < shards_for(bounds); ++i) {
    shards_.emplace_back(std::span(slots, sets), BuddyPool(logs, share_), tally);
    slots += sets;
    logs += BuddyPool::footprint(share_);
  }
}

void LockedTable::admit(Micros longest_wait) noexcept {
  Micros old = longest_wait_.load(std::memory_order_relaxed);
  while (old < longest_wait &&
         !longest_wait_.compare_exchange_weak(old, longest_wait, std::memory_order_relaxed)) {
  }
}

// Below kWorthALock there is one share; above, more memory makes more shares until there are as
// many as there may be.
std::int64_t LockedTable::log_bytes_for(std::size_t room) const noexcept {
  const auto share = static_cast<std::int64_t>(2 * room);
  return share <= kWorthALock ? share : share * most_shards_;
}

// The place's first bits choose the shard, and what they leave the set.
LockedTable::Spot LockedTable::spot(const Digest& digest) {
  const std::uint64_t tag = digest.tag != 0 ? digest.tag : 1;
  // Of the product the high half says which shard, and the low half where in it.
  return {shards_[scaled(digest.place, shards_.size())], {tag, digest.place * shards_.size()}};
}

std::uint64_t LockedTable::count_keys() const {
  std::uint64_t keys = 0;
  for (const Locked& locked : shards_) {
    const std::lock_guard lock(locked.mutex);
    keys += locked.shard.keys();
  }
  return keys;
}

}  // namespace ratelimit::memory
