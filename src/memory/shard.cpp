#include "memory/shard.hpp"

#include <algorithm>
#include <array>

#include "memory/key_hash.hpp"

namespace ratelimit::memory {
namespace {

/// The memory that a state views, if it is of a kind that does.
std::span<std::byte> room_of(const policy::AnyState& state) {
  return std::visit(
      [](const auto& each) -> std::span<std::byte> {
        if constexpr (requires { each.room(); }) {
          return each.room();
        } else {
          return {};
        }
      },
      state);
}

}  // namespace

std::size_t Shard::home(const Key& key) const { return scaled(key.place, sets_.size()); }

// Two sets are partners for a tag where their numbers add up to an odd one that the tag draws,
// round the number of sets, which is even: so nobody is their own partner.
std::size_t Shard::partner(std::size_t set, std::uint64_t tag) const {
  const std::size_t sum = 2 * scaled(tag, sets_.size() / 2) + 1;
  return sum >= set ? sum - set : sum + sets_.size() - set;
}

Shard::Slot Shard::arrive(const Key& key, const Present& present) {
  const std::size_t first = home(key);
  const std::array<std::size_t, 2> mine = {first, partner(first, key.tag)};
  for (const std::size_t index : mine) {
    const Slot slot{&sets_[index], sets_[index].free_slot(present)};
    if (slot.i == SlotSet::kSize) continue;
    forget(slot, present);
    return slot;
  }
  Slot least{&sets_[first], 0};
  for (const std::size_t index : mine) {
    for (std::size_t i = 0; i < SlotSet::kSize; ++i) {
      const Slot slot{&sets_[index], i};
      if (move_away(slot, present)) return slot;
      if (slot.set->reset_times[i] < least.set->reset_times[least.i]) least = slot;
    }
  }
  forget(least, present);
  return least;
}

/// Moves a key to the other set where it may be, if there is a free slot.
bool Shard::move_away(const Slot& slot, const Present& present) {
  const auto from = static_cast<std::size_t>(slot.set - sets_.data());
  const std::size_t index = partner(from, slot.set->tags[slot.i]);
  const Slot to{&sets_[index], sets_[index].free_slot(present)};
  if (to.i == SlotSet::kSize) return false;
  forget(to, present);
  to.set->tags[to.i] = slot.set->tags[slot.i];
  to.set->reset_times[to.i] = slot.set->reset_times[slot.i];
  to.set->states[to.i] = slot.set->states[slot.i];
  own(to, room_of(to.set->states[to.i]));
  ++keys_;
  vacate(slot);
  return true;
}

void Shard::own(const Slot& slot, std::span<const std::byte> room) {
  if (room.empty()) return;
  logs_.set_owner(room.data(), static_cast<std::size_t>(slot.set - sets_.data()));
}

void Shard::erase(const Slot& slot) {
  give_back(room_of(slot.set->states[slot.i]));
  vacate(slot);
}

void Shard::vacate(const Slot& slot) {
  slot.set->tags[slot.i] = 0;
  slot.set->reset_times[slot.i] = 0;
  --keys_;
}

/// Empties a slot, if it is not empty.
void Shard::forget(const Slot& slot, const Present& present) {
  if (slot.set->tags[slot.i] == 0) return;
  tally_.count_forgotten(present.is_live(slot.set->reset_times[slot.i]));
  erase(slot);
}

// Where there is no block, all of a region goes whose last owner recovers early. That makes a block
// of the region's size, however its memory was divided.
std::span<std::byte> Shard::take_room(std::size_t bytes, std::span<const std::byte> spared,
                                      const Present& present) {
  std::byte* block = logs_.take(bytes);
  if (block == nullptr) {
    const Region region = cheapest_region(bytes, spared, present);
    for (std::size_t at = region.start; at < region.start + region.bytes;) {
      const BuddyPool::Block each = logs_.block_at(at);
      at = each.start + each.bytes;
      if (each.is_taken) forget(owner(each), present);
    }
    block = logs_.take(bytes);
  }
  return {block, bytes};
}

// A hand goes round over the memory. It stops at a region where nobody is live, and otherwise once
// it has seen 4 regions and 16 blocks. There are no more blocks in a region than 64ths of the bytes
// that are asked for, so with large ones the search is as much work as filling them.
Shard::Region Shard::cheapest_region(std::size_t bytes, std::span<const std::byte> spared,
                                     const Present& present) {
  constexpr std::size_t kRegions = 4;
  constexpr std::size_t kBlocks = 16;
  std::optional<Region> best;
  std::size_t blocks = 0;
  for (std::size_t regions = 0; !best || regions < kRegions || blocks < kBlocks; ++regions) {
    const Region region = next_region(bytes, present);
    blocks += region.blocks;
    const std::byte* const start = logs_.at(region.start);
    if (!spared.empty() && spared.data() >= start && spared.data() < start + region.bytes) continue;
    if (!best || region.recovers < best->recovers) best = region;
    if (best->recovers == 0) break;
  }
  return *best;
}

/// The region of so many bytes that the hand has come to, or a larger block that covers it.
Shard::Region Shard::next_region(std::size_t bytes, const Present& present) {
  if (hand_ + bytes > logs_.bytes()) hand_ = 0;
  const std::size_t start = hand_ / bytes * bytes;
  Region region{{start, bytes}, 0, 0};
  for (std::size_t at = start; at < start + bytes;) {
    const BuddyPool::Block block = logs_.block_at(at);
    if (block.bytes > bytes) {
      region.start = block.start;
      region.bytes = block.bytes;
    }
    at = block.start + block.bytes;
    ++region.blocks;
    if (!block.is_taken) continue;
    const Slot slot = owner(block);
    const Micros recovers = slot.set->reset_times[slot.i];
    if (present.is_live(recovers)) region.recovers = std::max(region.recovers, recovers);
  }
  hand_ = region.start + region.bytes;
  return region;
}

/// Who owns a block that is taken.
Shard::Slot Shard::owner(const BuddyPool::Block& block) const {
  SlotSet& set = sets_[logs_.owner(block)];
  std::size_t i = 0;
  while (set.tags[i] == 0 || room_of(set.states[i]).data() != logs_.at(block.start)) ++i;
  return {&set, i};
}

}  // namespace ratelimit::memory
